import { randomUUID } from "node:crypto";
import { promises as fs, type BigIntStats } from "node:fs";
import * as path from "node:path";

/** What a file's content gave. */
export interface Digest {
    readonly sha256: string;
    readonly privateKey: boolean;
}

/** Size, mtime, ctime and inode as they were when the file was read. */
type Record_ = readonly [mark: string, sha256: string, privateKey: 0 | 1];

const VERSION = 1;
/** A file that was written again within a clock tick of being read looks unchanged: recent times prove nothing. */
const RACY_NS = 2_000_000_000n;

/** Hashes of files that have not changed since they were last read. A cache that can't be read is an empty one. */
export class HashCache {
    private readonly kept = new Map<string, Record_>();
    private changed = false;

    private constructor(
        private readonly file: string | undefined,
        private readonly dir: string,
        private readonly known: ReadonlyMap<string, Record_>,
    ) {}

    static async open(file: string | undefined, dir: string): Promise<HashCache> {
        return new HashCache(file, dir, file ? await read(file, dir) : new Map());
    }

    find(file: string, stats: BigIntStats, now: bigint): Digest | undefined {
        const record = this.known.get(file);
        if (!record || record[0] !== markOf(stats) || isRecent(stats, now)) {
            return undefined;
        }
        this.kept.set(file, record);
        return { sha256: record[1], privateKey: record[2] === 1 };
    }

    keep(file: string, stats: BigIntStats, now: bigint, digest: Digest): void {
        if (!isRecent(stats, now)) {
            this.kept.set(file, [markOf(stats), digest.sha256, digest.privateKey ? 1 : 0]);
            this.changed = true;
        }
    }

    /** Writes what this scan has seen, if that is news. A cache is never worth an error. */
    async save(): Promise<void> {
        if (!this.file || (!this.changed && this.kept.size === this.known.size)) {
            return;
        }
        const temporary = `${this.file}.${randomUUID()}.tmp`;
        try {
            await fs.mkdir(path.dirname(this.file), { recursive: true });
            const content = { version: VERSION, dir: this.dir, files: Object.fromEntries(this.kept) };
            await fs.writeFile(temporary, JSON.stringify(content));
            await fs.rename(temporary, this.file);
        } catch {
            await fs.rm(temporary, { force: true }).catch(() => undefined);
        }
    }
}

/** The clock that file times are compared with. */
export function nowNs(): bigint {
    return BigInt(Date.now()) * 1_000_000n;
}

async function read(file: string, dir: string): Promise<Map<string, Record_>> {
    try {
        const content = JSON.parse(await fs.readFile(file, "utf8")) as Partial<Record<string, unknown>>;
        const files =
            content.version === VERSION && content.dir === dir ? Object.entries(content.files ?? {}) : [];
        return new Map(files.filter((entry): entry is [string, Record_] => isRecord(entry[1])));
    } catch {
        return new Map();
    }
}

function isRecord(value: unknown): value is Record_ {
    return Array.isArray(value) && typeof value[0] === "string" && /^[0-9a-f]{64}$/.test(String(value[1]));
}

function markOf(stats: BigIntStats): string {
    return `${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}:${stats.ino}`;
}

function isRecent(stats: BigIntStats, now: bigint): boolean {
    return stats.mtimeNs > now - RACY_NS || stats.ctimeNs > now - RACY_NS;
}
