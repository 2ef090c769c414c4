import * as docker from "@pulumi/docker";
import { BadInputError } from "../errors";
import type * as pulumi from "../sdk";

/** Who asks, in whose name. */
export interface Asking {
    readonly parent: pulumi.Resource;
    readonly provider?: docker.Provider;
}

/** `"Always"`: what an image's name stands for in its registry now, as `name@sha256:…`. What has a digest, has it already. */
export async function pinned(name: string, where: string, asking: Asking): Promise<string> {
    if (name.includes("@")) {
        return name;
    }
    const { sha256Digest } = await docker.getRegistryImage({ name }, asking).catch((error: Error) => {
        throw new BadInputError([
            `${where}: pullPolicy is "Always", and no registry tells what the image ${name} is (${said(error)}); correct the name or \`registries\`, or leave pullPolicy out`,
        ]);
    });
    return `${withoutTag(name)}@${sha256Digest}`;
}

/** `"Never"`: the id of an image that the daemon has. */
export async function idOfPresent(name: string, where: string, asking: Asking): Promise<string> {
    const { id } = await docker.getRemoteImage({ name }, asking).catch((error: Error) => {
        throw new BadInputError([
            `${where}: pullPolicy is "Never", and the daemon does not tell of an image ${name} (${said(error)}); pull or build it there, or leave pullPolicy out`,
        ]);
    });
    return id;
}

// The provider's own words, without those that the engine and a bridge put around them.
function said({ message }: Error): string {
    const last = message.trim().split("\n").at(-1) ?? "";
    return last.replace(/^.*returned an error: /, "").replace(/^\s*\* /, "");
}

function withoutTag(ref: string): string {
    return ref.replace(/:[^/:]*$/, "");
}
