import * as fs from "node:fs";
import * as path from "node:path";
import * as docker from "@pulumi/docker";
import * as pulumi from "./sdk";
import { buildHash } from "./docker/contextHash";
import { BadInputError } from "./errors";
import { isToBuild, type ImageRegistry, type ImageToBuild, type MadeImage } from "./image";

/** An image by its name, or what to build and where to push it. */
export type PipelineImageArgs = { readonly image: pulumi.Input<string> } | ImageToBuild;

/** Enough to tell contents apart, and short enough to read. */
const TAG_LENGTH = 16;

/**
 * The image that a pipeline's steps run in: one that is there already, or one that is built. What is built is tagged by
 * its content: an unchanged context builds nothing, and a preview never does.
 *
 * @example
 * const image = new PipelineImage("steps", {
 *     build: { context: "." },
 *     registry: { repository: "ghcr.io/acme/steps", username: "ci", password: config.requireSecret("token") },
 * });
 * new DockerOrchestrator("train", { pipeline: "pipeline.yaml", image });
 */
export class PipelineImage extends pulumi.ComponentResource implements MadeImage {
    /** What runs: `name@sha256:…` if it was pushed, else its name. */
    declare readonly ref: pulumi.Output<string>;
    /** Names the image's content; known in a preview, too. */
    declare readonly contentTag: pulumi.Output<string>;

    /**
     * @throws BadInputError with all mistakes, before anything is declared.
     */
    constructor(name: string, args: PipelineImageArgs, opts?: pulumi.ComponentResourceOptions) {
        const mistakes = isToBuild(args as ImageToBuild)
            ? buildMistakes(args as ImageToBuild, `PipelineImage "${name}"`)
            : [];
        if (mistakes.length > 0) {
            throw new BadInputError(mistakes);
        }
        super("stackrun:index:PipelineImage", name, {}, opts);
        const image = "image" in args ? used(args.image) : this.build(name, args);
        Object.assign(this, image);
        this.registerOutputs({ ...image });
    }

    private build(name: string, { build, registry }: ImageToBuild): MadeImage {
        const { context, dockerfile } = placesOf(build);
        const { args = {}, target, platform } = build;
        const hash = pulumi.output(buildHash({ context, dockerfile, args, target, platform }));
        const repository = pulumi.output(registry?.repository ?? `stackrun/${imageNameOf(name)}`);
        const contentTag = pulumi.interpolate`${repository}:${hash.apply((text) => text.slice(0, TAG_LENGTH))}`;
        const image = new docker.Image(
            name,
            {
                imageName: contentTag,
                // Relative: the state must not differ from one machine to the next.
                build: {
                    context: relative(context),
                    dockerfile: relative(dockerfile),
                    args: { ...args },
                    target,
                    platform: platform ?? undefined,
                },
                buildOnPreview: false,
                skipPush: registry === undefined,
                ...(registry ? { registry: credentials(registry) } : {}),
            },
            { parent: this },
        );
        return { ref: registry ? image.repoDigest : image.imageName, contentTag };
    }
}

function used(ref: pulumi.Input<string>): MadeImage {
    return { ref: pulumi.output(ref), contentTag: pulumi.output(ref) };
}

/** What is wrong with a build, as far as it can be seen without building. */
export function buildMistakes({ build }: ImageToBuild, where: string): string[] {
    const { context, dockerfile } = placesOf(build);
    if (!fs.statSync(context, { throwIfNoEntry: false })?.isDirectory()) {
        return [
            `${where}: build.context is ${JSON.stringify(build.context)}, and ${context} is not a folder`,
        ];
    }
    return fs.statSync(dockerfile, { throwIfNoEntry: false })?.isFile()
        ? []
        : [`${where}: build.dockerfile: there is no file ${dockerfile}`];
}

function placesOf({ context, dockerfile }: ImageToBuild["build"]): { context: string; dockerfile: string } {
    const folder = path.resolve(context);
    return { context: folder, dockerfile: path.resolve(folder, dockerfile ?? "Dockerfile") };
}

function relative(file: string): string {
    return path.relative(process.cwd(), file) || ".";
}

function imageNameOf(name: string): string {
    return (
        name
            .toLowerCase()
            .replaceAll(/[^a-z0-9]+/g, "-")
            .replaceAll(/^-+|-+$/g, "") || "image"
    );
}

function credentials({ repository, server, username, password }: ImageRegistry) {
    return {
        server: server ?? pulumi.output(repository).apply((name) => name.split("/")[0]),
        username,
        password: password === undefined ? undefined : pulumi.secret(password),
    };
}
