import type * as pulumi from "./sdk";
import type { ImageBuild } from "../src/pipeline/types";

/** How to build an image, and where to push it. */
export interface ImageToBuild {
    /** As `docker build` does. Paths are relative to the working directory. */
    readonly build: ImageBuild["build"];
    /** Where the image is pushed to. */
    readonly registry?: ImageRegistry;
}

/** A registry's repository, and who may push to it. */
export interface ImageRegistry {
    /** `registry.example.com/team/train`, without a tag: the content makes that. */
    readonly repository: pulumi.Input<string>;
    /**
     * The registry's address.
     * @default - the part of `repository` before its first slash
     */
    readonly server?: pulumi.Input<string>;
    readonly username?: pulumi.Input<string>;
    /** Kept as a secret. */
    readonly password?: pulumi.Input<string>;
}

/** An image that is made by other resources: a `PipelineImage`, or one of your own. */
export interface MadeImage {
    /** What runs: `name@sha256:…` if it was pushed, else its name. Unknown in a preview that would build it. */
    readonly ref: pulumi.Output<string>;
    /** Names the image's content, and is known in a preview too: another one is a new run. */
    readonly contentTag: pulumi.Output<string>;
}

/** What an orchestrator takes as its image. */
export type ImageSource = pulumi.Input<string> | ImageToBuild | MadeImage;

export function isToBuild(image: ImageSource): image is ImageToBuild {
    return typeof image === "object" && "build" in image && typeof image.build === "object";
}

export function isMade(image: ImageSource): image is MadeImage {
    return typeof image === "object" && "ref" in image && "contentTag" in image && !("apply" in image);
}
