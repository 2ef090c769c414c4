import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import * as path from "node:path";
import { pipeline } from "node:stream/promises";
import { humanSize } from "../../bundle";
import { StoreError } from "../../stores/artifacts/errors";
import { openArtifactStore } from "../../stores/artifacts/open";
import { LAYOUT, type ArtifactStore, type StoredObject } from "../../stores/artifacts/types";
import { parseStoreUrl } from "../../stores/artifacts/url";
import type {
    CheckFailure,
    CheckRequest,
    CreateRequest,
    Diff,
    DiffRequest,
    ReadRequest,
    ResourceHandler,
    UpdateRequest,
} from "../handler";
import type { ResourceLog } from "../engineLog";
import { ProviderError } from "../handler";
import { isUnknown, unknown, type Properties } from "../values";
import { withBundle, type CodeInput } from "./withBundle";

interface Input extends CodeInput {
    readonly store: string;
}

type Request = Pick<CreateRequest, "inputs" | "preview" | "log" | "signal">;

/** The code in an artifact store. Another store, or other code, is one more object: none is ever taken away. */
export const storedBundleHandler: ResourceHandler = {
    check({ inputs: { value } }: CheckRequest): CheckFailure[] {
        const place =
            typeof value.store === "string" && !isUnknown(value.store) && parseStoreUrl(value.store);
        return typeof place === "string" ? [{ property: "store", reason: place }] : [];
    },

    // With each attempt it is looked again whether it is there: a rule of the bucket may have removed it as too old.
    // Not replaced: what depends on it, the run's target, would be replaced with it.
    diff({ inputs, oldInputs }: DiffRequest): Promise<Diff> {
        const changes = ["store", "codeHash", "attempt"].filter(
            (key) => inputs[key] !== oldInputs[key] || isUnknown(inputs[key]),
        );
        return Promise.resolve({ changes });
    },

    create: async (request: CreateRequest) => ({ id: "bundle", outputs: await bring(request) }),

    update: async (request: UpdateRequest) => ({ outputs: await bring(request) }),

    async read({ inputs, outputs, signal }: ReadRequest) {
        const { store, codeHash } = inputOf(inputs.value);
        const found = await explained(signal, () =>
            openArtifactStore(store).stat(LAYOUT.bundle(codeHash), { signal }),
        );
        return found ? { outputs } : undefined;
    },

    // Other runs, of other stacks, may have the same code.
    delete: () => Promise.resolve(),
};

function inputOf(value: Properties): Input {
    return {
        store: String(value.store),
        codeDir: String(value.codeDir),
        codeHash: String(value.codeHash),
        stateDir: String(value.stateDir),
    };
}

function bring(request: Request): Promise<object> {
    return explained(request.signal, () => (request.preview ? foresee(request) : upload(request)));
}

// Nothing is contacted: whether the code is there already, the update finds out.
async function foresee({ inputs: { value }, log }: Request): Promise<object> {
    const none = { key: unknown, url: unknown, size: unknown, sha256: unknown };
    if (isUnknown(value.codeHash)) {
        return none;
    }
    const input = inputOf(value);
    const key = LAYOUT.bundle(input.codeHash);
    return withBundle(input, (_tree, { size }) => {
        const place = isUnknown(value.store) ? undefined : openArtifactStore(input.store).url;
        const where = place === undefined ? "" : ` to ${place}`;
        log.info(`the code would go up${where}, unless it is there: ${humanSize(size)}`);
        return Promise.resolve({ ...none, key, url: place === undefined ? unknown : `${place}/${key}` });
    });
}

async function upload({ inputs, log, signal }: Request): Promise<object> {
    const input = inputOf(inputs.value);
    const store = openArtifactStore(input.store);
    const key = LAYOUT.bundle(input.codeHash);
    const outputs = { key, url: `${store.url}/${key}` };
    const found = await store.stat(key, { signal });
    if (found?.sha256 !== undefined) {
        log.status(`the code is there already: ${humanSize(found.size)}`);
        return { ...outputs, size: found.size, sha256: found.sha256 };
    }
    return withBundle(input, async (_tree, bundle, file) => {
        const result = await store.put(key, { file }, { ifAbsent: true, signal, onProgress: shownBy(log) });
        if (result === "stored") {
            log.info(`the code went up: ${humanSize(bundle.size)}`);
            return { ...outputs, size: bundle.size, sha256: bundle.sha256 };
        }
        log.status("the code is there already");
        // Made by another version of what compresses, its bytes can be others; its content can't.
        return { ...outputs, ...(await archiveOf(store, key, path.dirname(file), signal)) };
    });
}

/** Twice a second at most: a file goes over in thousands of pieces. */
function shownBy(log: ResourceLog): (done: number, total: number) => void {
    let last = 0;
    return (done, total) => {
        if (Date.now() - last >= 500) {
            last = Date.now();
            log.status(`the code goes up: ${humanSize(done)} of ${humanSize(total)}`);
        }
    };
}

async function archiveOf(
    store: ArtifactStore,
    key: string,
    folder: string,
    signal: AbortSignal,
): Promise<{ size: number; sha256: string }> {
    const file = path.join(folder, "stored");
    const { size, sha256 } = (await store.get(key, file, { signal })) ?? gone(key);
    return { size, sha256: sha256 ?? (await sha256Of(file)) };
}

function gone(key: string): StoredObject {
    throw new ProviderError(`${key} was taken away while it was looked at: type the command again`);
}

async function sha256Of(file: string): Promise<string> {
    const hash = createHash("sha256");
    await pipeline(createReadStream(file), hash);
    return hash.digest("hex");
}

async function explained<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    try {
        return await work();
    } catch (error) {
        if (signal.aborted) {
            throw new ProviderError("the upload of the code was cancelled");
        }
        throw error instanceof StoreError ? new ProviderError(error.message, { cause: error }) : error;
    }
}
