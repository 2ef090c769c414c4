import { requirePeer } from "../../src/run/peer";
import { isMade, isToBuild, type ImageSource, type MadeImage } from "../image";
import type * as images from "../pipelineImage";
import * as pulumi from "../sdk";

/** The image as the cluster pulls it; one that is to be built is built and pushed by a `PipelineImage`. */
export function madeImage(parent: pulumi.Resource, name: string, image: ImageSource): MadeImage {
    if (isMade(image)) {
        return image;
    }
    if (isToBuild(image)) {
        return new (loadImages().PipelineImage)(name, image, { parent });
    }
    const ref = pulumi.output(image);
    return { ref, contentTag: ref };
}

/** Only who builds an image needs Docker's SDK. */
export function loadImages(): typeof images {
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    const load = () => require("../pipelineImage") as typeof images;
    return requirePeer("@pulumi/docker", load, "an image that is built");
}
