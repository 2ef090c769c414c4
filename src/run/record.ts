import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { createReadStream } from "node:fs";
import * as path from "node:path";
import type { Pipeline } from "../pipeline/types";
import type { RunnerEvent } from "./events";
import type { RunRef } from "./follower";
import type { RunSnapshot } from "./snapshot";

/** Where things are in a run directory. */
export const RECORD = {
    events: "events.jsonl",
    log: "log",
    run: "run.json",
    attempts: "attempts",
    steps: "steps",
} as const;

/** How much of the log goes into the stack's state. */
export const LOG_TAIL_BYTES = 64 * 1024;

/** What is noted when an attempt begins: where its part of the log and of the events starts. */
export interface AttemptMark {
    readonly logOffset: number;
    readonly eventsOffset: number;
    /** How long the steps have between TERM and KILL. */
    readonly graceSeconds: number;
}

/** A file or folder that a step has made: where it is, its size in bytes, its SHA-256. */
export interface Artifact {
    readonly uri: string;
    readonly size: number;
    readonly sha256: string;
}

export function runDirOf(stateDir: string, runId: string): string {
    return path.join(stateDir, "runs", runId);
}

/** Makes the run directory, so that "not started yet" can be told from "the record is gone". */
export async function prepareRunDir(runDir: string): Promise<void> {
    await fs.mkdir(path.join(runDir, RECORD.attempts), { recursive: true, mode: 0o700 });
}

export async function markAttempt(run: RunRef, graceSeconds: number): Promise<AttemptMark> {
    const known = await readMark(run);
    if (known) {
        return known;
    }
    const mark = {
        logOffset: await sizeOf(path.join(run.runDir, RECORD.log)),
        eventsOffset: await sizeOf(path.join(run.runDir, RECORD.events)),
        graceSeconds,
    };
    await writeAtomic(markPath(run), JSON.stringify(mark));
    return mark;
}

export async function readMark(run: RunRef): Promise<AttemptMark | undefined> {
    try {
        return JSON.parse(await fs.readFile(markPath(run), "utf8")) as AttemptMark;
    } catch {
        return undefined;
    }
}

/** All whole events of the run so far; a torn last line is left out. */
export async function readEvents(runDir: string): Promise<RunnerEvent[]> {
    return parseEvents(await readOrEmpty(path.join(runDir, RECORD.events)));
}

export function parseEvents(text: string): RunnerEvent[] {
    const events: RunnerEvent[] = [];
    for (const line of text.split("\n")) {
        try {
            if (line) {
                events.push(JSON.parse(line) as RunnerEvent);
            }
        } catch {
            // Torn by a power cut: the runner begins a new line after it.
        }
    }
    return events;
}

/** What the CLI shows of a run without asking Pulumi. */
export interface RunFile extends RunSnapshot {
    readonly pipeline: string;
    readonly params: Record<string, unknown>;
    readonly artifacts: Record<string, Artifact>;
    readonly logUrl: string;
    /** Kept so that the state of the steps can be told from the events alone. */
    readonly definition: Pipeline;
}

export async function writeRunFile(runDir: string, run: RunFile): Promise<void> {
    await writeAtomic(path.join(runDir, RECORD.run), `${JSON.stringify(run, null, 2)}\n`);
}

export async function readRunFile(runDir: string): Promise<RunFile | undefined> {
    const text = await readOrEmpty(path.join(runDir, RECORD.run));
    return text ? (JSON.parse(text) as RunFile) : undefined;
}

/** The last lines of the log, whole ones, at most {@link LOG_TAIL_BYTES} bytes: `step | text`. */
export async function logTail(runDir: string): Promise<string> {
    const file = await fs.open(path.join(runDir, RECORD.log)).catch(() => undefined);
    if (!file) {
        return "";
    }
    try {
        const { size } = await file.stat();
        const start = Math.max(0, size - LOG_TAIL_BYTES);
        const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
        let text = buffer.subarray(0, bytesRead).toString("utf8");
        if (start > 0) {
            text = text.slice(text.indexOf("\n") + 1);
        }
        return fitTail(text.replaceAll(/^([^\t\n]*)\t/gm, "$1 | "));
    } finally {
        await file.close();
    }
}

// What was replaced in bytes that are no UTF-8, and the ` | `, make the text longer than what was read.
function fitTail(text: string): string {
    const bytes = Buffer.from(text);
    if (bytes.length <= LOG_TAIL_BYTES) {
        return text;
    }
    const cut = bytes.subarray(bytes.length - LOG_TAIL_BYTES);
    let start = cut.indexOf(10) + 1;
    while (start < cut.length && (cut[start] & 0xc0) === 0x80) {
        start++; // within a character
    }
    return cut.toString("utf8", start);
}

/** The declared outputs that exist, with size and SHA-256 (of a folder: of its sorted files' paths and hashes). */
export async function collectArtifacts(
    runDir: string,
    pipeline: Pipeline,
): Promise<Record<string, Artifact>> {
    const artifacts: Record<string, Artifact> = {};
    for (const step of pipeline.steps) {
        for (const output of step.outputs) {
            const file = path.join(runDir, RECORD.steps, step.name, "outputs", output);
            const found = await describeFile(file).catch(() => undefined);
            if (found) {
                artifacts[`${step.name}/${output}`] = { uri: file, ...found };
            }
        }
    }
    return artifacts;
}

async function describeFile(file: string): Promise<{ size: number; sha256: string }> {
    const stat = await fs.stat(file);
    if (!stat.isDirectory()) {
        return { size: stat.size, sha256: await hashFile(file) };
    }
    const hash = createHash("sha256");
    let size = 0;
    for (const name of (await fs.readdir(file)).sort()) {
        const inner = await describeFile(path.join(file, name));
        hash.update(`${name}\0${inner.sha256}\n`);
        size += inner.size;
    }
    return { size, sha256: hash.digest("hex") };
}

async function hashFile(file: string): Promise<string> {
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
        hash.update(chunk as Buffer);
    }
    return hash.digest("hex");
}

/** A reader sees the old text or the new one, never half of it. */
export async function writeAtomic(file: string, text: string): Promise<void> {
    const temporary = `${file}.${process.pid}.tmp`;
    await fs.writeFile(temporary, text, { mode: 0o600 });
    await fs.rename(temporary, file);
}

async function readOrEmpty(file: string): Promise<string> {
    try {
        return await fs.readFile(file, "utf8");
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") {
            return "";
        }
        throw error;
    }
}

async function sizeOf(file: string): Promise<number> {
    return (await fs.stat(file).catch(() => ({ size: 0 }))).size;
}

function markPath(run: RunRef): string {
    return path.join(run.runDir, RECORD.attempts, `${run.attempt}.json`);
}
