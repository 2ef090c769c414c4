import type { ResourceHandler } from "../../../../src/provider/handler";
import { autoName, changedProperties, outputsOf, previewOutputs, text } from "../outputs";
import { ifFound, type Connection } from "./connection";
import { labelsOf } from "./containerOptions";

/** `docker:index/volume:Volume`: a change of anything makes another volume. */
export function volumeHandler(connection: Connection): ResourceHandler {
    return {
        check: ({ inputs }) =>
            inputs.value.cluster ? [{ property: "cluster", reason: "is not known to the stand-in" }] : [],
        diff: ({ oldInputs, inputs }) =>
            Promise.resolve({ changes: changedProperties(oldInputs, inputs), replace: true }),
        async create({ urn, inputs, preview }) {
            if (preview) {
                return { id: "", outputs: previewOutputs(inputs, ["name", "driver", "mountpoint"]) };
            }
            const { value } = inputs;
            const name = text(value.name) ?? autoName(urn);
            await connection.docker.createVolume({
                Name: name,
                ...(value.driver ? { Driver: text(value.driver) } : {}),
                DriverOpts: (value.driverOpts ?? {}) as Record<string, string>,
                Labels: labelsOf(value.labels),
            });
            const { Driver: driver, Mountpoint: mountpoint } = await connection.docker
                .getVolume(name)
                .inspect();
            return { id: name, outputs: outputsOf(inputs, { name, driver, mountpoint }) };
        },
        update: ({ inputs, oldOutputs }) => Promise.resolve({ outputs: outputsOf(inputs, oldOutputs) }),
        async read({ id, inputs, outputs }) {
            const found = await ifFound(connection.docker.getVolume(id).inspect());
            return found && { outputs: outputsOf(inputs, { ...outputs, mountpoint: found.Mountpoint }) };
        },
        async delete({ id }) {
            await ifFound(connection.docker.getVolume(id).remove());
        },
    };
}
