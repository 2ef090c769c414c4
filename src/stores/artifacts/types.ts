import type { StorePlace } from "./url";

/** An object in a store. Its key is relative to the store's URL: names between single slashes. */
export interface StoredObject {
    readonly key: string;
    /** In bytes. */
    readonly size: number;
    /** SHA-256 of its content, in hexadecimal, where the store keeps it: for what `put` stored in a bucket. */
    readonly sha256?: string;
}

/** What is stored: a file, or bytes. */
export type Source = { readonly file: string } | { readonly bytes: Uint8Array };

export interface Abortable {
    /** Ends the operation; what it had begun leaves nothing that a reader could see. */
    readonly signal?: AbortSignal;
}

export interface TransferOptions extends Abortable {
    /** Called as bytes go over, with their number so far and in all. */
    readonly onProgress?: (done: number, total: number) => void;
}

export interface PutOptions extends TransferOptions {
    /**
     * Leave an object of this key as it is.
     * @default false - it is replaced
     */
    readonly ifAbsent?: boolean;
}

export interface Range {
    /** @default 0 */
    readonly start?: number;
    /**
     * Not part of the range; may lie behind the object's end.
     * @default - the object's end
     */
    readonly end?: number;
}

/**
 * Where bundles, the outputs of steps and the records of runs are kept: a folder, or a bucket.
 *
 * No reader ever sees half an object. What goes over is checked on both sides, and is tried again, with longer and longer
 * pauses, when the store is busy or the connection breaks; a long transfer goes on where it was.
 */
export interface ArtifactStore {
    readonly url: string;
    readonly place: StorePlace;
    /** `undefined`: there is no such object. */
    stat(key: string, options?: Abortable): Promise<StoredObject | undefined>;
    /** `"exists"`: with `ifAbsent`, there was one already. */
    put(key: string, source: Source, options?: PutOptions): Promise<"stored" | "exists">;
    /** Writes an object to a file, whose folder it makes. The file is there as a whole, or not at all. */
    get(key: string, file: string, options?: TransferOptions): Promise<StoredObject | undefined>;
    /** The object's bytes, or a part of them. `undefined`: there is no such object. */
    read(key: string, options?: Range & Abortable): Promise<Buffer | undefined>;
    /** All objects below a prefix, which is a key's beginning up to a slash (`""`: all), sorted by key. */
    list(prefix: string, options?: Abortable): Promise<StoredObject[]>;
    /** An object that is not there is as good as removed. */
    remove(key: string, options?: Abortable): Promise<void>;
}

/** Where things lie below a store's URL. */
export const LAYOUT = {
    /** The code; its hash is that of the tree, see `src/bundle`. */
    bundle: (codeHash: string) => `bundles/${codeHash}.tar.gz`,
    run: (runId: string) => `runs/${runId}`,
    /** What a finished step left. Its `status` is written last: a step without one is not there. */
    step: (runId: string, step: string) => `runs/${runId}/steps/${step}`,
    /** What the machines of one attempt put there, and what they are told: see `src/run/vm`. */
    attempt: (runId: string, attempt: number) => `runs/${runId}/attempts/${attempt}`,
} as const;
