import { spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { PulumiCommand, StackNotFoundError } from "@pulumi/pulumi/automation";
import type { Engine } from "../engine";

/** The engine's command ended with an error; what it printed says why. */
export class EngineFailure extends Error {
    constructor(
        readonly stdout: string,
        readonly stderr: string,
        readonly code: number | string,
    ) {
        super(stderr.trim() || stdout.trim() || `the engine ended with ${code}`);
    }
}

interface EngineCall {
    readonly command: string;
    readonly args: readonly string[];
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal;
}

/**
 * The Automation API's way to the engine, with processes of our own making. Its own ones share the terminal's process
 * group and write to our pipes: Ctrl-C would reach the engine twice, and when this command is killed, or its terminal
 * closed, the engine would die too and leave its stack locked. This one sees that we are gone, records it, and ends.
 */
export async function engineCommand(engine: Engine): Promise<PulumiCommand> {
    const command = await PulumiCommand.get({ root: engine.root, skipVersionCheck: true });
    const run = (
        args: readonly string[],
        cwd: string,
        env: Record<string, string>,
        _onOutput?: unknown,
        _onError?: unknown,
        signal?: AbortSignal,
    ) => runEngine({ command: command.command, args, cwd, env, signal });
    return Object.assign(command, { run });
}

async function runEngine(call: EngineCall): Promise<{ stdout: string; stderr: string; code: number }> {
    const out = scratchFile();
    const err = scratchFile();
    try {
        call.signal?.throwIfAborted();
        const bin = path.dirname(call.command);
        const child = spawn(call.command, [...call.args, "--non-interactive"], {
            cwd: call.cwd,
            env: {
                ...process.env,
                ...call.env,
                PATH: `${bin}${path.delimiter}${process.env.PATH}`,
                PULUMI_AUTOMATION_API: "true",
            },
            detached: true,
            stdio: ["ignore", out, err],
        });
        const code = await ended(child, call.signal);
        const [stdout, stderr] = [contentOf(out), contentOf(err)];
        if (code === 0) {
            return { stdout, stderr, code };
        }
        // The Automation API makes the stack when it gets this error.
        throw /no stack named.*found/.test(stderr)
            ? new StackNotFoundError(stderr)
            : new EngineFailure(stdout, stderr, code);
    } finally {
        fs.closeSync(out);
        fs.closeSync(err);
    }
}

function ended(child: ChildProcess, signal: AbortSignal | undefined): Promise<number | string> {
    const interrupt = () => child.kill("SIGINT");
    signal?.addEventListener("abort", interrupt);
    return new Promise<number | string>((resolve, reject) => {
        child.once("error", reject);
        child.once("exit", (code, name) => resolve(code ?? name ?? "?"));
    }).finally(() => signal?.removeEventListener("abort", interrupt));
}

// A file and not a pipe, which would kill the engine when we are killed. It has no name: nothing is left behind.
function scratchFile(): number {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-engine-"));
    const file = fs.openSync(
        path.join(folder, "output"),
        fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_APPEND,
        0o600,
    );
    fs.rmSync(folder, { recursive: true });
    return file;
}

// The child has moved the position that it shares with us: read from the start.
function contentOf(file: number): string {
    const bytes = Buffer.alloc(fs.fstatSync(file).size);
    return bytes.toString("utf8", 0, fs.readSync(file, bytes, 0, bytes.length, 0));
}
