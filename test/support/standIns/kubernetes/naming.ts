import { createHash, randomBytes } from "node:crypto";
import type { Properties } from "../../../../src/provider/values";
import { hasAnnotation, metadataOf } from "./objects";

/** Gives it a name of its own if the program has given none; the name that it has had before, if there is one. */
export function nameIt(inputs: Properties, olds: Properties, urn: string, seed: Uint8Array): void {
    inputs.metadata ??= {};
    const metadata = metadataOf(inputs);
    if (metadata.name || metadata.generateName) {
        return;
    }
    const before = metadataOf(olds);
    const name = urn.split("::").pop() ?? "";
    const suffix = createHash("sha256")
        .update(seed.length > 0 ? seed : randomBytes(16))
        .digest("hex")
        .slice(0, 8);
    metadata.name = hasAnnotation(olds, "autonamed") && before.name ? before.name : `${name}-${suffix}`;
    metadata.annotations = { ...metadata.annotations, "pulumi.com/autonamed": "true" };
}

/** `kubernetes:batch/v1:Job` is `["batch/v1", "Job"]`, and `core/v1` is called `v1`. */
export function typeOf(urn: string): [apiVersion: string, kind: string] {
    const type = urn.split("::")[2]?.split("$").pop() ?? "";
    const [, apiVersion = "", kind = ""] = type.split(":");
    return [apiVersion.replace(/^core\//, ""), kind];
}

export function newFieldManager(): string {
    return `pulumi-kubernetes-${randomBytes(4).toString("hex")}`;
}
