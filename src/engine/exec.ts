import { spawn, type ChildProcess } from "node:child_process";
import { constants, promises as fs } from "node:fs";
import * as path from "node:path";
import type { Environment } from "./types";

export interface RunOptions {
    readonly env: Environment;
    readonly cwd?: string;
    readonly timeoutMs: number;
    readonly signal?: AbortSignal;
    /** Ends the command once its output satisfies this; `satisfied` of the result then says so. */
    readonly until?: (stdout: string) => boolean;
}

export interface RunResult {
    readonly code: number | null;
    readonly stdout: string;
    readonly stderr: string;
    readonly timedOut: boolean;
    readonly satisfied: boolean;
    /** Why it could not be started at all. */
    readonly failure?: string;
}

const KEPT = 64 * 1024;
const GRACE_MS = 3_000;
const ENDING_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Runs a command to its end. It gets a process group of its own, so that a time-out, an abort or our own end takes
 * everything with it that it has started (the installer is a shell script, `go build` starts compilers).
 */
export async function run(command: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
    options.signal?.throwIfAborted();
    const child = spawn(command, args, {
        cwd: options.cwd,
        env: options.env as NodeJS.ProcessEnv,
        stdio: ["ignore", "pipe", "pipe"],
        detached: true,
    });
    const release = endWithUs(child);
    try {
        const result = await outcome(child, options);
        options.signal?.throwIfAborted();
        return result;
    } finally {
        release();
    }
}

function outcome(child: ChildProcess, options: RunOptions): Promise<RunResult> {
    return new Promise((resolve) => {
        const seen = { stdout: "", stderr: "", timedOut: false, satisfied: false };
        const stop = (): void => endGroup(child);
        const timer = setTimeout(() => {
            seen.timedOut = true;
            stop();
        }, options.timeoutMs);
        options.signal?.addEventListener("abort", stop, { once: true });
        child.stdout?.on("data", (chunk: Buffer) => {
            seen.stdout = (seen.stdout + chunk.toString()).slice(-KEPT);
            if (!seen.satisfied && options.until?.(seen.stdout)) {
                seen.satisfied = true;
                stop();
            }
        });
        child.stderr?.on("data", (chunk: Buffer) => {
            seen.stderr = (seen.stderr + chunk.toString()).slice(-KEPT);
        });
        const done = (end: { code: number | null; failure?: string }): void => {
            clearTimeout(timer);
            options.signal?.removeEventListener("abort", stop);
            resolve({ ...seen, ...end });
        };
        child.once("error", (error) => done({ code: null, failure: error.message }));
        child.once("close", (code) => done({ code }));
    });
}

/** Asks the command's process group to end, and makes it after a grace. */
function endGroup(child: ChildProcess): void {
    killGroup(child, "SIGTERM");
    const timer = setTimeout(() => killGroup(child, "SIGKILL"), GRACE_MS);
    child.once("close", () => clearTimeout(timer));
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
    try {
        if (child.pid) {
            process.kill(-child.pid, signal);
        }
    } catch {
        // It has ended.
    }
}

/** Ctrl-C does not reach a process group of its own: hand it on, and end as we would have without a handler. */
function endWithUs(child: ChildProcess): () => void {
    const onExit = (): void => killGroup(child, "SIGTERM");
    const onSignal = (signal: NodeJS.Signals): void => {
        killGroup(child, "SIGTERM");
        release();
        if (process.listenerCount(signal) === 0) {
            process.kill(process.pid, signal);
        }
    };
    const release = (): void => {
        process.removeListener("exit", onExit);
        ENDING_SIGNALS.forEach((signal) => process.removeListener(signal, onSignal));
    };
    process.once("exit", onExit);
    ENDING_SIGNALS.forEach((signal) => process.on(signal, onSignal));
    return release;
}

/** Every executable file of that name on PATH, in PATH's order. */
export async function findOnPath(name: string, env: Environment): Promise<string[]> {
    const found: string[] = [];
    for (const folder of new Set((env.PATH ?? "").split(path.delimiter))) {
        const file = path.join(folder, name);
        if (path.isAbsolute(folder) && (await isExecutable(file))) {
            found.push(file);
        }
    }
    return found;
}

export async function isExecutable(file: string): Promise<boolean> {
    try {
        await fs.access(file, constants.X_OK);
        return (await fs.stat(file)).isFile();
    } catch {
        return false;
    }
}

/** The last lines of what a failed command said, on one line each, for an error message. */
export function lastWords(result: RunResult, lines = 6): string {
    const text = result.failure ?? (result.stderr.trim() || result.stdout.trim());
    return text.split("\n").slice(-lines).join("\n      ") || `exit code ${result.code}`;
}
