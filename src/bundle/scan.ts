import { createHash } from "node:crypto";
import { promises as fs } from "node:fs";
import * as path from "node:path";
import { digest, FileChanged } from "./digest";
import { BundleChangedError, BundleError, listed } from "./errors";
import { HashCache, nowNs, type Digest } from "./hashCache";
import { judgeLinks } from "./links";
import { DEFAULT_MAX_BYTES, tooLarge } from "./size";
import type { CodeEntry, CodeFile, CodeTree, LeftOut, ScanOptions } from "./types";
import { walk, type Found, type FoundFile } from "./walk";

const READERS = 8;
const MOST_LEFT_OUT = 200;
const SETTLE_MS = 200;

/**
 * Finds what of a folder goes into its bundle, and the hash that names it. Nothing is written but the cache.
 *
 * `.gitignore` (with those of the repository around the folder) and `.stackrunignore` say what is left out.
 */
export async function scanCode(dir: string, options: ScanOptions = {}): Promise<CodeTree> {
    const root = await realFolder(dir);
    const first = await scanOnce(root, options);
    if (!Array.isArray(first)) {
        return first;
    }
    // Someone saved a file just now, perhaps: that has an end; a file that is being written all the time has none.
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const second = await scanOnce(root, options);
    if (!Array.isArray(second)) {
        return second;
    }
    const advice = "wait until they are written, or leave them out in .stackrunignore";
    throw new BundleChangedError(`These files change while they are read; ${advice}:${listed(second)}`);
}

/** The tree, or the files that changed meanwhile. */
async function scanOnce(root: string, options: ScanOptions): Promise<CodeTree | string[]> {
    const found = await walk(root, options.signal);
    const sizes = found.files.map((file) => ({ path: file.path, size: Number(file.stats.size) }));
    const total = sizes.reduce((sum, { size }) => sum + size, 0);
    const maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    if (total > maxBytes) {
        throw tooLarge(sizes, total, maxBytes);
    }
    const cache = await HashCache.open(options.cacheFile, root);
    const read = await readAll(root, found.files, cache, options.signal);
    await cache.save();
    return read.changed.length > 0 ? read.changed.sort() : makeTree(root, found, read);
}

interface ReadResult {
    readonly files: CodeFile[];
    readonly keys: LeftOut[];
    readonly changed: string[];
}

/** Reads several files at a time; the first thing that can't be read does not hide the others. */
async function readAll(
    root: string,
    files: readonly FoundFile[],
    cache: HashCache,
    signal?: AbortSignal,
): Promise<ReadResult> {
    const result: ReadResult = { files: [], keys: [], changed: [] };
    const unreadable: string[] = [];
    const now = nowNs();
    const readOne = async (file: FoundFile): Promise<Digest> => {
        const known = cache.find(file.path, file.stats, now);
        if (known) {
            return known;
        }
        const fresh = await digest(path.join(root, file.path), file.path, file.stats);
        cache.keep(file.path, file.stats, now, fresh);
        return fresh;
    };
    let next = 0;
    const reader = async (): Promise<void> => {
        while (next < files.length) {
            signal?.throwIfAborted();
            const file = files[next++];
            try {
                sort(file, await readOne(file), result);
            } catch (error) {
                if (error instanceof FileChanged) {
                    result.changed.push(file.path);
                } else {
                    unreadable.push(
                        `${file.path} (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
                    );
                }
            }
        }
    };
    await Promise.all(Array.from({ length: READERS }, reader));
    if (unreadable.length > 0) {
        throw new BundleError(`The code can't be read:${listed(unreadable.sort())}`);
    }
    return result;
}

function sort({ path: at, stats }: FoundFile, { sha256, privateKey }: Digest, result: ReadResult): void {
    if (privateKey) {
        result.keys.push({ path: at, rule: "a private key, by its content" });
    } else {
        const mode = (stats.mode & 0o100n) === 0n ? 0o644 : 0o755;
        result.files.push({ path: at, type: "file", mode, size: Number(stats.size), sha256 });
    }
}

async function makeTree(root: string, found: Found, read: ReadResult): Promise<CodeTree> {
    const paths = read.files.map((file) => file.path);
    const judged = await judgeLinks(root, found.links, paths);
    const entries = byBytes([...read.files, ...judged.links]);
    const leftOut = byBytes([...found.leftOut, ...read.keys, ...judged.leftOut]);
    const warnings = [...found.warnings, ...judged.warnings].sort();
    if (entries.length === 0) {
        const why = leftOut.length > 0 ? "everything is left out" : "the folder is empty";
        warnings.push(`the bundle is empty: ${why} (${root})`);
    }
    return {
        dir: root,
        entries,
        hash: manifestHash(entries),
        totalSize: read.files.reduce((sum, file) => sum + file.size, 0),
        leftOut: leftOut.slice(0, MOST_LEFT_OUT),
        leftOutCount: leftOut.length,
        warnings,
    };
}

/** One line of JSON per entry: no name can pretend to be two. */
function manifestHash(entries: readonly CodeEntry[]): string {
    const hash = createHash("sha256").update("stackrun code 1\n");
    for (const entry of entries) {
        const kind = entry.type === "link" ? "link" : entry.mode === 0o755 ? "program" : "file";
        hash.update(
            `${JSON.stringify([kind, entry.path, entry.type === "link" ? entry.linkTarget : entry.sha256])}\n`,
        );
    }
    return hash.digest("hex");
}

/** By the bytes of their paths: what the locale, or UTF-16, makes of them differs. */
function byBytes<T extends { readonly path: string }>(items: readonly T[]): T[] {
    const keyed = items.map((item) => ({ item, key: Buffer.from(item.path) }));
    return keyed.sort((a, b) => Buffer.compare(a.key, b.key)).map(({ item }) => item);
}

async function realFolder(dir: string): Promise<string> {
    try {
        const root = await fs.realpath(dir);
        if ((await fs.stat(root)).isDirectory()) {
            return root;
        }
    } catch (error) {
        throw new BundleError(
            `The code folder ${path.resolve(dir)} can't be read (${(error as NodeJS.ErrnoException).code})`,
        );
    }
    throw new BundleError(`The code folder ${path.resolve(dir)} is not a folder`);
}
