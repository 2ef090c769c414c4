import * as fs from "node:fs/promises";
import * as path from "node:path";
import type { RunRef } from "../follower";
import { RECORD, writeAtomic } from "../record";

/** What is noted on this machine before an attempt's container is started. */
export interface StartMark {
    readonly container: string;
    /** The daemon's own id: another daemon knows nothing of the container, and that proves nothing. */
    readonly daemon: string;
    readonly address: string;
}

/** That somebody asked for the attempt's end: a container that is stopped before its runner can read that doesn't know. */
export interface CancelMark {
    readonly reason: string;
}

export async function writeStartMark(run: RunRef, mark: StartMark): Promise<void> {
    await write(fileOf(run, "docker"), mark);
}

export function readStartMark(run: RunRef): Promise<StartMark | undefined> {
    return read<StartMark>(fileOf(run, "docker"));
}

export async function writeCancelMark(run: RunRef, mark: CancelMark): Promise<void> {
    await write(fileOf(run, "cancelled"), mark);
}

export function readCancelMark(run: RunRef): Promise<CancelMark | undefined> {
    return read<CancelMark>(fileOf(run, "cancelled"));
}

async function write(file: string, mark: object): Promise<void> {
    await fs.mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    await writeAtomic(file, JSON.stringify(mark));
}

async function read<T>(file: string): Promise<T | undefined> {
    const text = await fs.readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") {
            return undefined;
        }
        throw error;
    });
    return text === undefined ? undefined : (JSON.parse(text) as T);
}

function fileOf({ runDir, attempt }: RunRef, what: string): string {
    return path.join(runDir, RECORD.attempts, `${attempt}.${what}.json`);
}
