import type {
    CheckFailure,
    CheckRequest,
    CreateRequest,
    DeleteRequest,
    Diff,
    DiffRequest,
    ReadRequest,
    ResourceHandler,
    UpdateRequest,
} from "../handler";
import { deepEqual, secret, type Decoded, type Value } from "../values";

/**
 * What an attempt was declared with, kept as it was until there is another attempt. A target that runs as soon as it is
 * declared would be made anew, and so run again, by any change of how it is declared: more memory, or another version of
 * this package. Those are for the next attempt.
 */
export const attemptSpecHandler: ResourceHandler = {
    check: (_request: CheckRequest): CheckFailure[] => [],

    diff({ inputs, oldInputs }: DiffRequest): Promise<Diff> {
        return Promise.resolve(
            deepEqual(inputs.attempt, oldInputs.attempt)
                ? { changes: [] }
                : { changes: ["attempt", "value"] },
        );
    },

    create({ inputs }: CreateRequest) {
        return Promise.resolve({ id: String(inputs.value.attempt), outputs: kept(inputs) });
    },

    update({ inputs }: UpdateRequest) {
        return Promise.resolve({ outputs: kept(inputs) });
    },

    read({ outputs }: ReadRequest) {
        return Promise.resolve({ outputs });
    },

    delete: (_request: DeleteRequest) => Promise.resolve(),
};

function kept({ value, secrets }: Decoded): object {
    const hidden = [...secrets].some((path) => path.startsWith("value"));
    const text: Value = value.value ?? null;
    return { kept: hidden ? secret(text) : text };
}
