import { randomUUID } from "node:crypto";
import { promises as fs, readFileSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { elapsed } from "./progress";
import { here } from "../place";
import { parseProcessStat } from "../processStat";

export interface LockOptions {
    readonly log: (line: string) => void;
    readonly signal?: AbortSignal;
    readonly progressMs: number;
    readonly heartbeatMs: number;
    /** A lock that can't be judged by its process is dead after so long without a heartbeat. */
    readonly staleMs: number;
}

interface Holder {
    readonly pid: number;
    /** When the process started, in the kernel's ticks: tells it from a later one with the same id. */
    readonly started: string;
    /** Which processes the holder's id can be looked up among: a machine's, or a container's. */
    readonly place: string;
    readonly host: string;
    readonly since: number;
}

/** Between the making of a file and its first byte lie microseconds: one that stays empty belongs to a dead process. */
const HALF_WRITTEN_MS = 5_000;
const UNKNOWN: Holder = { pid: 0, started: "", place: "", host: "?", since: Date.now() };

/**
 * Runs `work` while no other process runs work under the same lock.
 *
 * Each contender puts a file of its own into `dir`, then looks for others: with any living one beside it, it takes its
 * own back and waits. As no two share a file, a dead one's can be removed by anyone at any time, without the race that
 * taking over a shared file has.
 */
export async function withLock<T>(
    dir: string,
    key: string,
    options: LockOptions,
    work: () => Promise<T>,
): Promise<T> {
    const mine = await acquire(dir, `.lock-${key}-`, options);
    const beat = setInterval(
        () => void fs.utimes(mine, new Date(), new Date()).catch(() => undefined),
        options.heartbeatMs,
    );
    beat.unref();
    try {
        return await work();
    } finally {
        clearInterval(beat);
        await fs.rm(mine, { force: true });
    }
}

async function acquire(dir: string, prefix: string, options: LockOptions): Promise<string> {
    const mine = path.join(dir, `${prefix}${process.pid}-${randomUUID().slice(0, 8)}`);
    const start = Date.now();
    let nextWord = start;
    for (;;) {
        options.signal?.throwIfAborted();
        let other = await findOther(dir, prefix, mine, options.staleMs);
        if (!other) {
            await announce(mine);
            other = await findOther(dir, prefix, mine, options.staleMs);
            if (!other) {
                return mine;
            }
            await fs.rm(mine, { force: true });
        } else if (other !== UNKNOWN && Date.now() >= nextWord) {
            // (Who it is that is just writing its name, the next look tells.)
            options.log(
                `waiting for ${nameOf(other)} to finish making the Pulumi engine … ${elapsed(start)}`,
            );
            nextWord = Date.now() + options.progressMs;
        }
        // Two that have met must not meet again: wait for different times.
        await sleep(50 + Math.random() * 250);
    }
}

async function announce(file: string): Promise<void> {
    const holder: Holder = {
        pid: process.pid,
        started: startOf(process.pid) ?? "",
        place: place(),
        host: os.hostname(),
        since: Date.now(),
    };
    await fs.writeFile(file, JSON.stringify(holder), { flag: "wx" });
}

/** Another living holder or contender, if there is one; the files of dead ones are removed. */
async function findOther(
    dir: string,
    prefix: string,
    mine: string,
    staleMs: number,
): Promise<Holder | undefined> {
    for (const name of (await fs.readdir(dir)).sort()) {
        const file = path.join(dir, name);
        if (!name.startsWith(prefix) || file === mine) {
            continue;
        }
        const holder = await readHolder(file, staleMs);
        if (holder) {
            return holder;
        }
        await fs.rm(file, { force: true });
    }
    return undefined;
}

async function readHolder(file: string, staleMs: number): Promise<Holder | undefined> {
    try {
        const [text, { mtimeMs }] = [await fs.readFile(file, "utf8"), await fs.stat(file)];
        const age = Date.now() - mtimeMs;
        const holder = parse(text);
        if (!holder) {
            return age < HALF_WRITTEN_MS ? UNKNOWN : undefined;
        }
        if (holder.place === place()) {
            return startOf(holder.pid) === holder.started ? holder : undefined;
        }
        return age < staleMs ? holder : undefined;
    } catch {
        return undefined;
    }
}

function parse(text: string): Holder | undefined {
    try {
        return JSON.parse(text) as Holder;
    } catch {
        return undefined;
    }
}

function nameOf(holder: Holder): string {
    const where = holder.place === place() ? "" : ` on ${holder.host}`;
    return `process ${holder.pid}${where} (at it for ${elapsed(holder.since)})`;
}

function place(): string {
    return Object.values(here()).join(" ");
}

/** When a process started; undefined if there is none (a zombie is none). Without /proc, all that live look the same. */
function startOf(pid: number): string | undefined {
    try {
        const { state, startTime } = parseProcessStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
        return state === "Z" || state === "X" ? undefined : startTime;
    } catch {
        return process.platform === "linux" ? undefined : aliveByKill(pid);
    }
}

function aliveByKill(pid: number): string | undefined {
    try {
        process.kill(pid, 0);
        return "";
    } catch (error) {
        return (error as NodeJS.ErrnoException).code === "EPERM" ? "" : undefined;
    }
}

function sleep(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
}
