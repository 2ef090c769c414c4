import type { CheckFailure, ResourceHandler } from "../../../../src/provider/handler";
import type { Properties } from "../../../../src/provider/values";
import { autoName, changedProperties, outputsOf, previewOutputs } from "../outputs";
import { doing } from "./client";

/** A resource that is made, looked at and deleted by a request each. */
export interface SimpleResource {
    /** As in "Error creating bucket". */
    readonly what: string;
    readonly computed: readonly string[];
    /** Inputs whose change makes no other resource. */
    readonly inPlace?: readonly string[];
    /** Inputs that the stand-in would have to ignore. */
    readonly unknown?: readonly string[];
    /** Resolves to its id. `name` is there for what has none of its own. */
    create(inputs: Properties, name: string): Promise<string>;
    update?(id: string, inputs: Properties): Promise<void>;
    /** What is there of it; `undefined`: nothing. */
    read(id: string, inputs: Properties): Promise<Record<string, unknown> | undefined>;
    delete(id: string, inputs: Properties): Promise<void>;
}

export function simpleHandler(resource: SimpleResource): ResourceHandler {
    const { what, computed, inPlace = [], unknown = [] } = resource;
    const refused = (inputs: Properties): CheckFailure[] =>
        unknown
            .filter((name) => inputs[name] !== undefined && inputs[name] !== null)
            .map((name) => ({ property: name, reason: "is not known to the stand-in" }));
    return {
        check: ({ inputs }) => refused(inputs.value),
        diff({ oldInputs, inputs }) {
            const changes = changedProperties(oldInputs, inputs);
            return Promise.resolve({ changes, replace: changes.some((name) => !inPlace.includes(name)) });
        },
        async create({ urn, inputs, preview }) {
            if (preview) {
                return { id: "", outputs: previewOutputs(inputs, computed) };
            }
            const id = await doing(`creating ${what}`, resource.create(inputs.value, autoName(urn)));
            return { id, outputs: outputsOf(inputs, (await resource.read(id, inputs.value)) ?? {}) };
        },
        async update({ id, inputs, oldOutputs, preview }) {
            if (preview) {
                const known = computed.map((name) => [name, oldOutputs[name]] as const);
                return { outputs: outputsOf(inputs, Object.fromEntries(known)) };
            }
            await doing(`updating ${what}`, resource.update?.(id, inputs.value) ?? Promise.resolve());
            return { outputs: outputsOf(inputs, (await resource.read(id, inputs.value)) ?? {}) };
        },
        async read({ id, inputs }) {
            const found = await resource.read(id, inputs.value);
            return found && { outputs: outputsOf(inputs, found) };
        },
        delete: ({ id, oldInputs }) => doing(`deleting ${what}`, resource.delete(id, oldInputs.value)),
    };
}
