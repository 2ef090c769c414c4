import { createHash, randomUUID } from "node:crypto";
import { createWriteStream, promises as fs, type Stats } from "node:fs";
import * as path from "node:path";
import { PassThrough, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Archiver, EntryData } from "archiver" with { "resolution-mode": "import" };
import { isGone, READ_FLAGS } from "./digest";
import { BundleChangedError, BundleError, printable } from "./errors";
import type { BundleFile, BundleFormat, CodeEntry, CodeFile, CodeTree } from "./types";

export interface WriteOptions {
    /** @default "tar.gz" */
    readonly format?: BundleFormat;
    readonly signal?: AbortSignal;
}

/** tar counts from 1970; zip from 1980, and writes earlier times as that. */
const TIME = new Date(0);
const GZIP_OS_BYTE = 9;
const UNKNOWN_OS = 255;
const SMALL = 128 * 1024;

/**
 * Writes a tree's archive. The same tree gives the same bytes: entries sorted, times fixed, nobody's ids, modes kept to
 * the executable bit. (Another version of zlib may compress otherwise: name a bundle by the tree's `hash`.)
 *
 * It streams, and `target` appears only when it is complete.
 */
export async function writeBundle(
    tree: CodeTree,
    target: string,
    options: WriteOptions = {},
): Promise<BundleFile> {
    const folder = path.dirname(path.resolve(target));
    const temporary = path.join(folder, `.${path.basename(target)}.${randomUUID().slice(0, 8)}.tmp`);
    try {
        await fs
            .mkdir(folder, { recursive: true })
            .catch((error) => Promise.reject(asBundleError(error, temporary)));
        const written = await writeTo(temporary, tree, options);
        await fs.rename(temporary, target).catch((error) => Promise.reject(asBundleError(error, temporary)));
        return { path: target, ...written };
    } finally {
        await fs.rm(temporary, { force: true }).catch(() => undefined);
    }
}

async function writeTo(
    file: string,
    tree: CodeTree,
    options: WriteOptions,
): Promise<{ size: number; sha256: string }> {
    const format = options.format ?? "tar.gz";
    const archive = await newArchive(format);
    // By `pipe`, and not as part of the pipeline: that would destroy the archiver when something else fails, and the
    // entry in it would then end the whole process with an error that nobody can catch.
    const out = new PassThrough();
    archive.on("error", (error) => out.destroy(error));
    archive.pipe(out);
    const meter = new Meter();
    const squeeze = format === "tar.gz" ? [createGzip(), withoutOs()] : [];
    const ended = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, ended.signal]) : ended.signal;
    const flow = pipeline([out, ...squeeze, meter, createWriteStream(file, { flags: "wx" })], { signal });
    try {
        await Promise.all([flow, feed(archive, tree, signal)]);
    } catch (error) {
        // Whichever of the two failed, the other must not go on with the files.
        ended.abort();
        await flow.catch(() => undefined);
        options.signal?.throwIfAborted();
        throw asBundleError(error, file);
    }
    return { size: meter.size, sha256: meter.hash.digest("hex") };
}

async function newArchive(format: BundleFormat): Promise<Archiver> {
    const { TarArchive, ZipArchive } = await import("archiver");
    return format === "zip" ? new ZipArchive({ zlib: { level: 6 } }) : new TarArchive({});
}

/** One entry after the other: as many files are open as are being read, one. */
async function feed(archive: Archiver, tree: CodeTree, signal: AbortSignal): Promise<void> {
    for (const entry of tree.entries) {
        signal.throwIfAborted();
        await (entry.type === "file" ? feedFile(archive, tree.dir, entry, signal) : feedLink(archive, entry));
    }
    await archive.finalize();
}

async function feedFile(archive: Archiver, dir: string, file: CodeFile, signal: AbortSignal): Promise<void> {
    const handle = await fs
        .open(path.join(dir, file.path), READ_FLAGS)
        .catch((error: NodeJS.ErrnoException) => {
            throw isGone(error) ? changed(file) : error;
        });
    const data = { ...dataOf(file), mode: file.mode };
    if (file.size <= SMALL) {
        await entry(archive, await readSmall(handle, file), data);
        return;
    }
    const check = new Check(file);
    // Archiver takes the size from stats, and without them keeps the whole file in memory.
    const entered = entry(archive, check, { ...data, stats: { size: file.size } as Stats });
    await Promise.all([pipeline(handle.createReadStream(), check, { signal }), entered]);
}

/** Most files are small, and most of the time would go into setting up streams for them. */
async function readSmall(handle: fs.FileHandle, file: CodeFile): Promise<Buffer> {
    try {
        const buffer = Buffer.allocUnsafe(file.size + 1);
        let size = 0;
        for (let read = -1; read !== 0 && size < buffer.length; size += read) {
            read = (await handle.read(buffer, size, buffer.length - size)).bytesRead;
        }
        const content = buffer.subarray(0, size);
        if (createHash("sha256").update(content).digest("hex") !== file.sha256) {
            throw changed(file);
        }
        return content;
    } finally {
        await handle.close();
    }
}

async function feedLink(archive: Archiver, link: CodeEntry & { type: "link" }): Promise<void> {
    const data = { ...dataOf(link), type: "symlink", mode: 0o777, linkname: link.linkTarget } as EntryData;
    await entry(archive, Buffer.alloc(0), data);
}

/** Archiver would take "12:" of "12:30.csv" for a drive, and cut it off. */
function dataOf({ path: name }: CodeEntry): EntryData {
    return { name: /^\w+:/.test(name) ? `./${name}` : name, date: TIME };
}

/** Done when the archiver has taken the entry; never, if the archive has failed: that is told by its output. */
function entry(archive: Archiver, source: Transform | Buffer, data: EntryData): Promise<void> {
    return new Promise((resolve) => {
        archive.once("entry", () => resolve());
        archive.append(source, data);
    });
}

/** Passes a file's content on, and fails where it is not what was scanned. */
class Check extends Transform {
    private readonly hash = createHash("sha256");
    private size = 0;

    constructor(private readonly file: CodeFile) {
        super();
    }

    override _transform(
        chunk: Buffer,
        _encoding: string,
        next: (error: Error | null, chunk?: Buffer) => void,
    ): void {
        this.size += chunk.length;
        this.hash.update(chunk);
        next(this.size > this.file.size ? changed(this.file) : null, chunk);
    }

    override _flush(next: (error?: Error | null) => void): void {
        const same = this.size === this.file.size && this.hash.digest("hex") === this.file.sha256;
        next(same ? null : changed(this.file));
    }
}

class Meter extends Transform {
    readonly hash = createHash("sha256");
    size = 0;

    override _transform(
        chunk: Buffer,
        _encoding: string,
        next: (error: Error | null, chunk: Buffer) => void,
    ): void {
        this.size += chunk.length;
        this.hash.update(chunk);
        next(null, chunk);
    }
}

/** The header of gzip tells the operating system; that is not the code's. */
function withoutOs(): Transform {
    let position = 0;
    return new Transform({
        transform(chunk: Buffer, _encoding, next) {
            const at = GZIP_OS_BYTE - position;
            if (at >= 0 && at < chunk.length) {
                chunk[at] = UNKNOWN_OS;
            }
            position += chunk.length;
            next(null, chunk);
        },
    });
}

function changed(file: CodeFile): BundleChangedError {
    return new BundleChangedError(
        `${printable(file.path)} has changed since the code was scanned: try again`,
    );
}

function asBundleError(error: unknown, file: string): Error {
    if (error instanceof BundleError) {
        return error;
    }
    const { code, message } = error as NodeJS.ErrnoException;
    return new BundleError(`The bundle can't be written to ${path.dirname(file)} (${code ?? message})`);
}
