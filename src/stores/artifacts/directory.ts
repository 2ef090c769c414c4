import { createHash, randomUUID } from "node:crypto";
import { createReadStream, createWriteStream, promises as fs } from "node:fs";
import * as path from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { StoreError } from "./errors";
import { byKey, checkKey, checkPrefix } from "./keys";
import type {
    Abortable,
    ArtifactStore,
    PutOptions,
    Range,
    Source,
    StoredObject,
    TransferOptions,
} from "./types";
import type { StorePlace } from "./url";

/** Where a file is until it is complete: inside of the store, so that it can be moved in one piece. */
const INCOMPLETE = ".incomplete";
/** One that nobody has written to for as long is what a killed writer has left. */
const ABANDONED_MS = 24 * 60 * 60 * 1000;

/** A store in a folder: each object is a file, whose path is its key. */
export class DirectoryStore implements ArtifactStore {
    readonly url: string;
    private readonly root: string;

    constructor(readonly place: StorePlace & { kind: "file" }) {
        this.url = place.url;
        this.root = place.prefix;
    }

    async stat(key: string, { signal }: Abortable = {}): Promise<StoredObject | undefined> {
        const file = this.fileOf(key);
        return this.explained(signal, async () => {
            const found = await unlessMissing(fs.stat(file));
            return found?.isFile() ? { key, size: found.size } : undefined;
        });
    }

    async put(key: string, source: Source, options: PutOptions = {}): Promise<"stored" | "exists"> {
        const file = this.fileOf(key);
        if (options.ifAbsent && (await this.stat(key))) {
            return "exists";
        }
        return this.explained(options.signal, async () => {
            const temporary = path.join(this.root, INCOMPLETE, randomUUID());
            await fs.mkdir(path.dirname(temporary), { recursive: true });
            await removeAbandoned(path.dirname(temporary));
            try {
                await write(source, temporary, options);
                await fs.mkdir(path.dirname(file), { recursive: true });
                return await move(temporary, file, options.ifAbsent ?? false);
            } finally {
                await fs.rm(temporary, { force: true });
            }
        });
    }

    async get(key: string, file: string, options: TransferOptions = {}): Promise<StoredObject | undefined> {
        const found = await this.stat(key);
        if (!found) {
            return undefined;
        }
        return this.explained(options.signal, async () => {
            await fs.mkdir(path.dirname(file), { recursive: true });
            const temporary = `${file}.${randomUUID()}`;
            try {
                await write({ file: this.fileOf(key) }, temporary, options);
                await fs.rename(temporary, file);
                return found;
            } finally {
                await fs.rm(temporary, { force: true });
            }
        });
    }

    async read(
        key: string,
        { start = 0, end = Infinity, signal }: Range & Abortable = {},
    ): Promise<Buffer | undefined> {
        const file = this.fileOf(key);
        if (end <= start) {
            return (await this.stat(key)) && Buffer.alloc(0);
        }
        return this.explained(signal, async () => {
            const chunks: Buffer[] = [];
            const read = async () => {
                for await (const chunk of createReadStream(file, { start, end: end - 1, signal })) {
                    chunks.push(chunk as Buffer);
                }
                return Buffer.concat(chunks);
            };
            return unlessMissing(read());
        });
    }

    async list(prefix: string, { signal }: Abortable = {}): Promise<StoredObject[]> {
        checkPrefix(prefix);
        return this.explained(signal, async () => {
            const found: StoredObject[] = [];
            await this.collect(prefix, found, signal);
            return found.sort(byKey);
        });
    }

    async remove(key: string, { signal }: Abortable = {}): Promise<void> {
        const file = this.fileOf(key);
        await this.explained(signal, () => unlessMissing(fs.unlink(file)));
    }

    private async collect(prefix: string, found: StoredObject[], signal?: AbortSignal): Promise<void> {
        signal?.throwIfAborted();
        const folder = path.join(this.root, prefix);
        for (const entry of (await unlessMissing(fs.readdir(folder, { withFileTypes: true }))) ?? []) {
            const key = `${prefix}${entry.name}`;
            if (entry.isDirectory() && key !== INCOMPLETE) {
                await this.collect(`${key}/`, found, signal);
            } else if (entry.isFile()) {
                const { size } = (await unlessMissing(fs.stat(path.join(this.root, key)))) ?? {};
                found.push(...(size === undefined ? [] : [{ key, size }]));
            }
        }
    }

    private fileOf(key: string): string {
        return path.join(this.root, checkKey(key));
    }

    private async explained<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
        try {
            signal?.throwIfAborted();
            return await work();
        } catch (error) {
            signal?.throwIfAborted();
            const { code, message } = error as NodeJS.ErrnoException;
            throw code !== undefined && REMEDIES[code] !== undefined
                ? new StoreError(
                      `the artifact store in ${this.root} can't be used: ${message}. ${REMEDIES[code]}`,
                      { cause: error },
                  )
                : error;
        }
    }
}

const DENIED = "Make the folder yours to read and write, or name another one.";
const REMEDIES: Readonly<Record<string, string | undefined>> = {
    EACCES: DENIED,
    EPERM: DENIED,
    EROFS: DENIED,
    ENOSPC: "Make room on its disk, or name another folder.",
    EDQUOT: "Make room on its disk, or name another folder.",
    ENOTDIR: "Name a folder that is none of a file's.",
    EEXIST: "Name a folder that is none of a file's.",
    EIO: "Look after its disk, or the network that it is on.",
    ESTALE: "Look after its disk, or the network that it is on.",
};

/** Writes all of a source into a new file, down to the disk, and makes sure that it is what was read. */
async function write(source: Source, file: string, { onProgress, signal }: TransferOptions): Promise<void> {
    const total = "file" in source ? (await fs.stat(source.file)).size : source.bytes.byteLength;
    const input = "file" in source ? createReadStream(source.file) : Readable.from([source.bytes]);
    const read = createHash("sha256");
    let done = 0;
    const watch = new Transform({
        transform(chunk: Buffer, _encoding, next) {
            read.update(chunk);
            done += chunk.length;
            onProgress?.(done, total);
            next(null, chunk);
        },
    });
    await pipeline(input, watch, createWriteStream(file, { flags: "wx", flush: true }), { signal });
    const written = createHash("sha256");
    await pipeline(createReadStream(file), written, { signal });
    if (written.digest("hex") !== read.digest("hex")) {
        throw new StoreError(`what was written to ${file} is not what it reads back. Look after its disk.`);
    }
}

/** Another writer may do the same, and somebody else's file may not be ours to remove: neither keeps this one from its work. */
async function removeAbandoned(folder: string): Promise<void> {
    const before = Date.now() - ABANDONED_MS;
    for (const name of await fs.readdir(folder)) {
        const file = path.join(folder, name);
        const found = await unlessMissing(fs.stat(file));
        if (found?.isFile() && found.mtimeMs < before) {
            await fs.rm(file, { force: true }).catch(() => undefined);
        }
    }
}

async function move(from: string, to: string, ifAbsent: boolean): Promise<"stored" | "exists"> {
    if (!ifAbsent) {
        await fs.rename(from, to);
        return "stored";
    }
    try {
        // Unlike a move, it never replaces a file that another one has put there meanwhile.
        await fs.link(from, to);
    } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === "EEXIST") {
            return "exists";
        }
        if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(code ?? "")) {
            throw error;
        }
        // A file system without hard links.
        await fs.rename(from, to);
    }
    return "stored";
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
    try {
        return await work;
    } catch (error) {
        const missing = ["ENOENT", "ENOTDIR", "EISDIR"];
        if (missing.includes((error as NodeJS.ErrnoException).code ?? "")) {
            return undefined;
        }
        throw error;
    }
}
