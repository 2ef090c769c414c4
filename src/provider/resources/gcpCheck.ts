import { ComputeApi } from "../../run/gcp/api";
import { machineMistakes } from "../../run/gcp/check";
import type {
    CreateRequest,
    Diff,
    DiffRequest,
    ReadRequest,
    ResourceHandler,
    UpdateRequest,
} from "../handler";
import { ProviderError } from "../handler";
import { deepEqual, hasUnknown, type Properties } from "../values";

const INPUTS = ["attempt", "project", "zones", "machineType", "image", "computeEndpoint", "gpuType"];

/**
 * Looks up all that a machine of Compute Engine needs, with each attempt, before anything is made: all mistakes are told at
 * once. A preview contacts nothing.
 */
export const gcpCheckHandler: ResourceHandler = {
    check: () => [],

    diff({ inputs, oldInputs }: DiffRequest): Promise<Diff> {
        const changes = INPUTS.filter(
            (key) => hasUnknown(inputs[key]) || !deepEqual(inputs[key], oldInputs[key]),
        );
        return Promise.resolve({ changes });
    },

    async create(request: CreateRequest) {
        await ensure(request);
        return { id: "gcp", outputs: {} };
    },

    async update(request: UpdateRequest) {
        await ensure(request);
        return { outputs: {} };
    },

    read: ({ outputs }: ReadRequest) => Promise.resolve({ outputs }),

    delete: () => Promise.resolve(),
};

async function ensure({ inputs: { value }, preview, log }: CreateRequest): Promise<void> {
    if (preview) {
        return;
    }
    log.status("looking up the zone, the machine type and the image …");
    const mistakes = await machineMistakes(new ComputeApi(apiOptions(value)), {
        zones: (value.zones as string[]).map(String),
        machineType: String(value.machineType),
        image: String(value.image),
        gpuType: value.gpuType ? String(value.gpuType) : undefined,
    }).catch((error: Error) => [error.message]);
    if (mistakes.length > 0) {
        throw new ProviderError(
            mistakes.length === 1
                ? (mistakes[0] as string)
                : `${mistakes.length} mistakes:\n${mistakes.map((one) => `- ${one}`).join("\n")}`,
        );
    }
}

/** How Compute Engine is reached, of a resource's inputs. */
export function apiOptions(value: Properties): { project: string; computeEndpoint?: string } {
    return {
        project: String(value.project),
        ...(value.computeEndpoint ? { computeEndpoint: String(value.computeEndpoint) } : {}),
    };
}
