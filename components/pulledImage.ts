import { requirePeer } from "../src/run/peer";
import { isMade, isToBuild, type ImageSource, type MadeImage } from "./image";
import type { OwnMistakes } from "./settings";
import type * as images from "./pipelineImage";
import * as pulumi from "./sdk";

/** The image as a machine elsewhere pulls it; one that is to be built is built and pushed by a `PipelineImage`. */
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
    const load = () => require("./pipelineImage") as typeof images;
    return requirePeer("@pulumi/docker", load, "an image that is built");
}

/** What is wrong with the image, if the pipeline could be read: `puller` has to be able to pull it. */
export function imageMistakes(
    { pipeline, image }: Parameters<OwnMistakes>[0],
    where: string,
    puller: string,
): string[] {
    if (image === undefined) {
        return pipeline
            ? [`${where}: image is missing: give the reference of an image here, or in the pipeline`]
            : [];
    }
    if (!isToBuild(image)) {
        return [];
    }
    return image.registry === undefined
        ? [
              `${where}: the image has to be pushed to where ${puller} pulls it from: give "image" with its "registry", or push it yourself and give its reference`,
          ]
        : loadImages().buildMistakes(image, where);
}
