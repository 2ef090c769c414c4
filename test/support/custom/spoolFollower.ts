import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { CreateFollower, Follower, FollowItem, Outcome, RunnerEvent, RunRef, RunSpec } from "stackrun";

export interface SpoolOptions {
    readonly queue: string;
}

/** What the worker writes: RS, a JSON object, LF. Its words are its own, not those of stackrun's runner. */
type Entry = { readonly at: string } & (
    | { readonly kind: "begin"; readonly pid: number }
    | { readonly kind: "kept" | "enter"; readonly step: string }
    | { readonly kind: "out"; readonly step: string; readonly text: string }
    | { readonly kind: "measured"; readonly step: string; readonly name: string; readonly value: number }
    | { readonly kind: "leave"; readonly step: string; readonly code: number; readonly seconds: number }
    | { readonly kind: "end"; readonly how: "good" | "bad" | "stopped" }
);
type EventBody = RunnerEvent extends infer E
    ? E extends RunnerEvent
        ? Omit<E, "n" | "nonce" | "time" | "attempt">
        : never
    : never;

const STATES = { good: "Succeeded", bad: "Failed", stopped: "Cancelled" } as const;

class SpoolFollower implements Follower {
    constructor(private readonly queue: string) {}

    async start(spec: RunSpec): Promise<void> {
        const { pipeline, params, codeDir, runDir } = spec;
        const folder = this.folderOf(spec);
        fs.mkdirSync(folder, { recursive: true });
        const job = {
            steps: pipeline.steps,
            params,
            codeDir,
            outputs: path.join(runDir, "steps"),
            done: path.join(this.queue, `${spec.runId}.done`),
        };
        fs.writeFileSync(path.join(folder, "job.json"), JSON.stringify(job));
        await this.work(spec);
    }

    lastOutcome(run: RunRef): Promise<Outcome> {
        if (!fs.existsSync(run.runDir)) {
            return Promise.resolve({ kind: "NoRecord", message: `there is no ${run.runDir}` });
        }
        const entries = this.read(run);
        const end = entries.at(-1);
        if (end?.kind === "end") {
            const state = STATES[end.how];
            return Promise.resolve({
                kind: "Finished",
                state,
                reason: state,
                message: `the spool says: ${end.how}`,
            });
        }
        // A worker that was taken away comes back as soon as somebody follows the run.
        return Promise.resolve({ kind: entries.length > 0 ? "Running" : "NotStarted" });
    }

    async *follow(run: RunRef, signal: AbortSignal): AsyncIterable<FollowItem> {
        yield { type: "status", text: `waiting in ${path.basename(this.queue)}` };
        let begins = 0;
        let announced = 1;
        for (let seen = 0; !signal.aborted;) {
            const entries = this.read(run);
            for (; seen < entries.length; seen++) {
                const entry = entries[seen];
                if (entry?.kind === "begin" && ++begins > announced) {
                    announced++;
                    yield TAKEN;
                }
                yield* translate(entry as Entry, run, seen + 1);
                if (entry?.kind === "end") {
                    return;
                }
            }
            if (entries.length > 0 && !this.isWorking(run) && this.read(run).length === seen) {
                announced++;
                yield TAKEN;
            }
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
    }

    async recover(run: RunRef): Promise<void> {
        if (this.read(run).at(-1)?.kind !== "end" && !this.isWorking(run)) {
            await this.work(run);
        }
    }

    async cancel(run: RunRef): Promise<void> {
        while (this.isWorking(run)) {
            process.kill(this.worker(run), "SIGTERM");
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
    }

    private async work(run: RunRef): Promise<void> {
        const before = this.read(run).length;
        spawn(process.execPath, [path.join(__dirname, "spoolWorker.js"), this.folderOf(run)], {
            detached: true,
            stdio: "ignore",
        }).unref();
        while (this.read(run).length === before) {
            await new Promise((resolve) => setTimeout(resolve, 10));
        }
    }

    private read(run: RunRef): Entry[] {
        const file = path.join(this.folderOf(run), "journal");
        const text = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
        return text
            .split("\u001e")
            .filter((record) => record.endsWith("\n"))
            .map((record) => JSON.parse(record) as Entry);
    }

    private worker(run: RunRef): number {
        const begin = this.read(run).findLast((entry) => entry.kind === "begin");
        return begin?.kind === "begin" ? begin.pid : 0;
    }

    private isWorking(run: RunRef): boolean {
        const pid = this.worker(run);
        try {
            // A child of this process that has ended stays a zombie until it is waited for, which Node does.
            return pid > 0 && process.kill(pid, 0);
        } catch {
            return false;
        }
    }

    private folderOf({ runId, attempt }: RunRef): string {
        return path.join(this.queue, `${runId}-${attempt}`);
    }
}

const TAKEN: FollowItem = { type: "interrupted", message: "the spool lost its worker" };

function* translate(entry: Entry, run: RunRef, n: number): Iterable<FollowItem> {
    const event = (body: EventBody): FollowItem => ({
        type: "event",
        event: { n, nonce: "spool", time: entry.at, attempt: run.attempt, ...body } as RunnerEvent,
    });
    switch (entry.kind) {
        case "begin":
            return yield event({ type: "run.started", pid: entry.pid });
        case "kept":
            return yield event({ type: "step.reused", step: entry.step });
        case "enter":
            return yield event({ type: "step.started", step: entry.step, try: 1 });
        case "out":
            return yield { type: "log", lines: [{ step: entry.step, text: entry.text }] };
        case "measured":
            return yield event({ type: "metric", step: entry.step, name: entry.name, value: entry.value });
        case "leave": {
            const { step, code, seconds } = entry;
            const how =
                code === 0
                    ? ({ state: "Succeeded", reason: "" } as const)
                    : ({ state: "Failed", reason: "StepFailed" } as const);
            return yield event({
                type: "step.finished",
                step,
                try: 1,
                exitCode: code,
                durationSeconds: seconds,
                ...how,
            });
        }
        case "end": {
            const state = STATES[entry.how];
            return yield event({
                type: "run.finished",
                state,
                reason: state,
                exitCode: entry.how === "good" ? 0 : 1,
                message: `the spool says: ${entry.how}`,
            });
        }
    }
}

export const createFollower: CreateFollower = (options) => new SpoolFollower(String(options.queue));
