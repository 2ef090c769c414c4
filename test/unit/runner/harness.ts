import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { RunnerEvent } from "../../../src/run/events";
import type { PlanStep, RunPlan } from "../../../src/runner/plan";
import { writePlanDir } from "../../../src/runner/planDir";
import { runnerScript } from "../../../src/runner/script";
import type { Shell } from "../../support/shells";

export const NONCE = "0123456789abcdef";

/** A step that runs a shell script. */
export function step(name: string, script: string, more: Partial<PlanStep> = {}): PlanStep {
    return {
        name,
        argv: ["sh", "-c", script],
        after: [],
        inputs: {},
        outputs: [],
        env: {},
        retries: { limit: 0, delaySeconds: 0, factor: 1 },
        ...more,
    };
}

export function plan(steps: readonly PlanStep[], more: Partial<RunPlan> = {}): RunPlan {
    return {
        runId: "run-1",
        attempt: 1,
        nonce: NONCE,
        pipeline: "tested",
        stream: "files",
        parallelism: 1,
        graceSeconds: 5,
        env: {},
        secrets: [],
        steps,
        ...more,
    };
}

/** `a`, then `b`, then …: each step after the one before it. */
export function inOrder(...steps: PlanStep[]): PlanStep[] {
    return steps.map((one, index) => (index === 0 ? one : { ...one, after: [steps[index - 1].name] }));
}

export interface Ended {
    readonly code: number | null;
    readonly stdout: Buffer;
    readonly stderr: string;
}

export interface StartOptions {
    readonly env?: NodeJS.ProcessEnv;
    readonly onOutput?: (text: string) => void;
    /** A name of its own for the run directory, as the runner is told it. */
    readonly runDirArgument?: string;
    readonly cwd?: string;
}

/** A run directory, and runners at work in it; `remove` leaves nothing behind. */
export class TestRun {
    readonly base = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-runner-"));
    /** With characters that a careless script would stumble over. */
    readonly dir = path.join(this.base, "a run's $dir");
    private readonly children: ChildProcess[] = [];

    constructor(private readonly shell: Shell) {
        fs.mkdirSync(path.join(this.dir, "code"), { recursive: true });
        fs.writeFileSync(this.script, runnerScript());
    }

    get script(): string {
        return path.join(this.base, "runner.sh");
    }

    write(runPlan: RunPlan): Promise<void> {
        return writePlanDir(this.dir, runPlan);
    }

    start(options: StartOptions = {}): { child: ChildProcess; ended: Promise<Ended> } {
        const [command, ...first] = this.shell.argv;
        const child = spawn(command, [...first, this.script, options.runDirArgument ?? this.dir], {
            env: { ...process.env, ...options.env },
            stdio: ["ignore", "pipe", "pipe"],
            cwd: options.cwd ?? this.base,
        });
        this.children.push(child);
        const stdout: Buffer[] = [];
        const stderr: Buffer[] = [];
        child.stdout.on("data", (data: Buffer) => {
            stdout.push(data);
            options.onOutput?.(data.toString());
        });
        child.stderr.on("data", (data: Buffer) => stderr.push(data));
        const ended = new Promise<Ended>((resolve, reject) => {
            child.on("error", reject);
            child.on("close", (code) =>
                resolve({ code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() }),
            );
        });
        return { child, ended };
    }

    async run(runPlan: RunPlan, options: StartOptions = {}): Promise<Ended> {
        await this.write(runPlan);
        return this.start(options).ended;
    }

    path(...parts: string[]): string {
        return path.join(this.dir, ...parts);
    }

    read(...parts: string[]): string {
        return fs.readFileSync(this.path(...parts), "utf8");
    }

    exists(...parts: string[]): boolean {
        return fs.existsSync(this.path(...parts));
    }

    events(): RunnerEvent[] {
        return this.read("events.jsonl")
            .split("\n")
            .filter((line) => line !== "")
            .map((line) => JSON.parse(line) as RunnerEvent);
    }

    /** `step.started a`, `run.finished`, …: what happened, in short. */
    story(): string[] {
        return this.events().map((event) => ("step" in event ? `${event.type} ${event.step}` : event.type));
    }

    finish(): Extract<RunnerEvent, { type: "run.finished" }> {
        return this.only("run.finished");
    }

    /** The one event of a type, of a step if that is said. */
    only<T extends RunnerEvent["type"]>(type: T, name?: string): Extract<RunnerEvent, { type: T }> {
        const found = this.all(type).filter(
            (event) => name === undefined || ("step" in event && event.step === name),
        );
        if (found.length !== 1) {
            throw new Error(
                `${found.length} events ${type} of ${name ?? "the run"} in ${this.read("events.jsonl")}`,
            );
        }
        return found[0];
    }

    all<T extends RunnerEvent["type"]>(type: T): Extract<RunnerEvent, { type: T }>[] {
        return this.events().filter(
            (event): event is Extract<RunnerEvent, { type: T }> => event.type === type,
        );
    }

    /** Processes that have this run in their environment or on their command line. */
    processes(): number[] {
        return fs
            .readdirSync("/proc")
            .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
            .filter((pid) =>
                ["environ", "cmdline"].some((file) => readProc(Number(pid), file).includes(this.base)),
            )
            .map(Number);
    }

    async remove(): Promise<void> {
        for (const child of this.children) {
            child.kill("SIGKILL");
        }
        await until(() => {
            this.processes().forEach((pid) => kill(pid, "SIGKILL"));
            return this.processes().length === 0;
        });
        fs.rmSync(this.base, { recursive: true, force: true });
    }
}

/** What /proc says of a process; empty when it has ended. */
export function readProc(pid: number, file: string): string {
    try {
        return fs.readFileSync(`/proc/${pid}/${file}`, "latin1");
    } catch {
        return "";
    }
}

/** Makes runs for a shell and removes them after each test. */
export function testRuns(shell: Shell): () => TestRun {
    const runs: TestRun[] = [];
    afterEach(async () => {
        await Promise.all(runs.splice(0).map((run) => run.remove()));
    });
    return () => {
        const run = new TestRun(shell);
        runs.push(run);
        return run;
    };
}

export async function until(condition: () => boolean, what = "what was waited for"): Promise<void> {
    const deadline = Date.now() + 15_000;
    while (!condition()) {
        if (Date.now() > deadline) {
            throw new Error(`15 s have passed without ${what}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
}

export function kill(pid: number, signal: NodeJS.Signals): void {
    try {
        process.kill(pid, signal);
    } catch {
        // It has ended.
    }
}

/** Whether a process runs: one that is dead and not yet waited for does not. */
export function runs(pid: number): boolean {
    const stat = readProc(pid, "stat");
    return stat !== "" && !/\) [ZX]/.test(stat);
}

export function randomText(): string {
    return randomBytes(8).toString("hex");
}

/** That a run leaves no process: one that was just told to end may take a moment. */
export async function expectNoProcess(run: TestRun): Promise<void> {
    await until(() => run.processes().length === 0, "an end of all processes of the run");
    expect(run.processes()).toEqual([]);
}
