import { ProviderError, type ResourceHandler } from "../../../../src/provider/handler";
import type { Properties } from "../../../../src/provider/values";
import { changedProperties, outputsOf, previewOutputs, text } from "../outputs";
import { ifFound, type Connection } from "./connection";

const IN_PLACE = new Set(["keepLocally", "forceRemove"]);

/** `docker:index/remoteImage:RemoteImage`: an image that the daemon has or pulls; removed with the resource. */
export function remoteImageHandler(connection: Connection): ResourceHandler {
    return {
        check: ({ inputs }) =>
            inputs.value.build ? [{ property: "build", reason: "is not known to the stand-in" }] : [],
        diff({ oldInputs, inputs }) {
            const changes = changedProperties(oldInputs, inputs);
            return Promise.resolve({ changes, replace: changes.some((name) => !IN_PLACE.has(name)) });
        },
        async create({ inputs, preview }) {
            if (preview) {
                return { id: "", outputs: previewOutputs(inputs, ["imageId", "repoDigest"]) };
            }
            const name = text(inputs.value.name) as string;
            try {
                const image = await connection.findOrPull(name, text(inputs.value.platform));
                const [repoDigest] = image.RepoDigests ?? [];
                return { id: image.Id + name, outputs: outputsOf(inputs, { imageId: image.Id, repoDigest }) };
            } catch (error) {
                throw new ProviderError(
                    `Unable to read Docker image into resource: unable to pull image ${name}: ${(error as Error).message}`,
                );
            }
        },
        update: ({ inputs, oldOutputs }) =>
            Promise.resolve({ outputs: outputsOf(inputs, computedOf(oldOutputs)) }),
        async read({ inputs, outputs }) {
            const found = await ifFound(
                connection.docker.getImage(text(outputs.imageId) as string).inspect(),
            );
            return found && { outputs: outputsOf(inputs, computedOf(outputs)) };
        },
        async delete({ oldInputs, outputs }) {
            if (oldInputs.value.keepLocally !== true) {
                const image = connection.docker.getImage(text(outputs.name) as string);
                await ifFound(
                    image.remove({ force: oldInputs.value.forceRemove === true }) as Promise<unknown>,
                );
            }
        },
    };
}

function computedOf({ imageId, repoDigest }: Properties): Properties {
    return { imageId: imageId ?? null, ...(repoDigest ? { repoDigest } : {}) };
}
