import { ComputeApi } from "../../run/gcp/api";
import { ComputeCloud } from "../../run/gcp/cloud";
import { CloudError } from "../../run/vm/cloud";
import type {
    CreateRequest,
    DeleteRequest,
    Diff,
    DiffRequest,
    ReadRequest,
    ResourceHandler,
    UpdateRequest,
} from "../handler";
import { ProviderError } from "../handler";
import { hasUnknown, deepEqual } from "../values";
import { apiOptions } from "./gcpCheck";

/** As many machines of one name as there can be at most are looked for in each zone, and again. */
const TRIES = 3;

/**
 * A machine that whoever follows the run makes, in the first zone that has one, and makes anew elsewhere when it was taken.
 * This remembers it, so that it goes with the stack.
 */
export const madeMachineHandler: ResourceHandler = {
    check: () => [],

    diff({ inputs, oldInputs }: DiffRequest): Promise<Diff> {
        const differs = (key: string) => hasUnknown(inputs[key]) || !deepEqual(inputs[key], oldInputs[key]);
        const replacing = ["project", "name"].filter(differs);
        const changes = [...replacing, ...["zones", "computeEndpoint", "body"].filter(differs)];
        return Promise.resolve({ changes, replace: replacing.length > 0 });
    },

    create: ({ inputs: { value } }: CreateRequest) =>
        Promise.resolve({ id: String(value.name), outputs: {} }),

    update: (_request: UpdateRequest) => Promise.resolve({ outputs: {} }),

    read: ({ outputs }: ReadRequest) => Promise.resolve({ outputs }),

    async delete({ oldInputs: { value }, log }: DeleteRequest) {
        const name = String(value.name);
        const cloud = new ComputeCloud(
            new ComputeApi(apiOptions(value)),
            (value.zones as string[]).map(String),
        );
        try {
            for (let left = TRIES * cloud.places.length; left > 0; left--) {
                const machine = await cloud.find(name);
                if (!machine) {
                    return;
                }
                log.status(`deleting the machine ${name} in ${machine.place} …`);
                await cloud.remove(name, machine);
            }
        } catch (error) {
            throw error instanceof CloudError ? new ProviderError(error.message, { cause: error }) : error;
        }
        throw new ProviderError(
            `the machine ${name} is there again whenever it was deleted: end whatever makes it, and type the command again`,
        );
    },
};
