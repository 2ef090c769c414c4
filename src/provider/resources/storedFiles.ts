import { StoreError } from "../../stores/artifacts/errors";
import { statusOf } from "../../stores/artifacts/gcsErrors";
import { openArtifactStore } from "../../stores/artifacts/open";
import { parseStoreUrl } from "../../stores/artifacts/url";
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
import { ProviderError } from "../handler";
import { deepEqual, hasUnknown, isUnknown, unknown, type Properties } from "../values";

interface Files {
    /** The complete URL. */
    readonly store: string;
    /** What the files' names stand below. */
    readonly prefix: string;
    readonly files: Readonly<Record<string, string>>;
}

/** Small files of an attempt in an artifact store: what its machine starts with. Unlike the code, they go with the attempt. */
export const storedFilesHandler: ResourceHandler = {
    check({ inputs: { value } }: CheckRequest): CheckFailure[] {
        const place =
            typeof value.store === "string" && !isUnknown(value.store) && parseStoreUrl(value.store);
        return typeof place === "string" ? [{ property: "store", reason: place }] : [];
    },

    // Not replaced: what depends on it, the run's target, would be replaced with it.
    diff({ inputs, oldInputs }: DiffRequest): Promise<Diff> {
        const changes = ["store", "prefix", "files", "attempt"].filter(
            (key) => !deepEqual(inputs[key], oldInputs[key]) || hasUnknown(inputs[key]),
        );
        return Promise.resolve({ changes });
    },

    async create({ inputs: { value }, preview, signal }: CreateRequest) {
        if (preview) {
            return { id: "", outputs: foreseen(value) };
        }
        const wanted = filesOf(value);
        await explained(signal, () => put(wanted, signal));
        return { id: "files", outputs: { url: urlOf(wanted) } };
    },

    async update({ inputs: { value }, oldInputs, preview, signal }: UpdateRequest) {
        if (preview) {
            return { outputs: foreseen(value) };
        }
        const wanted = filesOf(value);
        await explained(signal, async () => {
            await put(wanted, signal);
            await remove(filesOf(oldInputs), signal, wanted);
        });
        return { outputs: { url: urlOf(wanted) } };
    },

    async read({ inputs: { value }, outputs, signal }: ReadRequest) {
        const { store, prefix, files } = filesOf(value);
        const found = await explained(signal, () =>
            unlessGone(() => openArtifactStore(store).list(`${prefix}/`, { signal })),
        );
        const keys = new Set(found?.map(({ key }) => key));
        return Object.keys(files).every((name) => keys.has(`${prefix}/${name}`)) ? { outputs } : undefined;
    },

    delete: ({ oldInputs, signal }: DeleteRequest) =>
        explained(signal, () => remove(filesOf(oldInputs.value), signal)),
};

function filesOf(value: Properties): Files {
    const files = Object.entries((value.files ?? {}) as Properties);
    return {
        store: String(value.store),
        prefix: String(value.prefix),
        files: Object.fromEntries(files.map(([name, content]) => [name, String(content)])),
    };
}

function foreseen({ store, prefix }: Properties): object {
    const known = !isUnknown(store) && !isUnknown(prefix);
    return { url: known ? urlOf({ store: String(store), prefix: String(prefix) }) : unknown };
}

function urlOf({ store, prefix }: Pick<Files, "store" | "prefix">): string {
    return `${openArtifactStore(store).url}/${prefix}`;
}

async function put({ store, prefix, files }: Files, signal: AbortSignal): Promise<void> {
    const opened = openArtifactStore(store);
    await Promise.all(
        Object.entries(files).map(([name, content]) =>
            opened.put(`${prefix}/${name}`, { bytes: Buffer.from(content) }, { signal }),
        ),
    );
}

async function remove(old: Files, signal: AbortSignal, kept?: Files): Promise<void> {
    const opened = openArtifactStore(old.store);
    const stays = kept?.store === old.store && kept.prefix === old.prefix ? Object.keys(kept.files) : [];
    const names = Object.keys(old.files).filter((name) => !stays.includes(name));
    await Promise.all(
        names.map((name) => unlessGone(() => opened.remove(`${old.prefix}/${name}`, { signal }))),
    );
}

/** In a bucket that is gone, nothing is left. */
async function unlessGone<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
        return await work();
    } catch (error) {
        if (error instanceof StoreError && statusOf(error.cause ?? {}) === 404) {
            return undefined;
        }
        throw error;
    }
}

async function explained<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    try {
        return await work();
    } catch (error) {
        if (signal.aborted) {
            throw new ProviderError("putting the machine's files into the artifact store was cancelled");
        }
        throw error instanceof StoreError ? new ProviderError(error.message, { cause: error }) : error;
    }
}
