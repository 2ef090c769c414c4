import * as fs from "node:fs/promises";
import * as path from "node:path";
import { lookAt } from "../run/followRun";
import type { Follower, LogLine, RunRef } from "../run/follower";
import { readRunFile, RECORD, runDirOf, type RunFile } from "../run/record";
import { loadFollower } from "../run/registry";
import { isFinal } from "../run/snapshot";
import { Tail, toLogLine } from "../run/tail";
import type { ParamValue } from "../pipeline/types";
import { nearest } from "../pipeline/words";
import { CommandError, EXIT } from "./exit";
import { STATE_DIR } from "./folder";
import { exitCodeOf, showRun } from "./summary";
import type { Terminal } from "./terminal";

const POLL_MS = 200;

/** `stackrun status`: how a run stands, from its record. */
export async function status(id: string | undefined, json: boolean, terminal: Terminal): Promise<number> {
    const run = await current(await findRun(id));
    if (json) {
        terminal.line(JSON.stringify({ ...run, definition: undefined }, null, 2));
    } else {
        showRun(run, terminal, process.cwd());
    }
    return exitCodeOf(run.status);
}

export interface LogsOptions {
    readonly follow?: boolean;
    readonly step?: string;
}

/** `stackrun logs`: the whole log of a run, as it was recorded. */
export async function logs(
    id: string | undefined,
    options: LogsOptions,
    terminal: Terminal,
): Promise<number> {
    const run = await findRun(id);
    checkStep(run, options.step);
    const log = new Tail(path.join(runDir(run.runId), RECORD.log), 0);
    const show = (lines: readonly string[]) => {
        const wanted = lines
            .map(toLogLine)
            .filter(({ step }) => options.step === undefined || step === options.step);
        if (wanted.length > 0) {
            terminal.lines(
                wanted.map((line) => terminal.foreign(options.step === undefined ? render(line) : line.text)),
            );
        }
    };
    for (;;) {
        // Looked up before the log is read: what was written until the end is shown.
        const ended = !options.follow || !(await isRunning(run));
        for (let lines = await log.next(); lines.length > 0; lines = await log.next()) {
            show(lines);
        }
        if (ended) {
            show(log.rest());
            return EXIT.succeeded;
        }
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
}

async function findRun(id: string | undefined): Promise<RunFile> {
    const known = await runIds();
    const wanted = id ?? (await newest(known));
    if (wanted === undefined) {
        throw new CommandError(
            `there is no run in ${path.join(process.cwd(), STATE_DIR)}; try: stackrun run pipeline.yaml`,
            EXIT.badInput,
        );
    }
    const run = known.includes(wanted) ? await readRunFile(runDir(wanted)) : undefined;
    if (!run) {
        const near = nearest(wanted, known);
        const last = await newest(known);
        const hint = near ? `; did you mean ${near}?` : last ? `; the newest is ${last}` : "";
        throw new CommandError(`there is no run ${wanted}${hint}`, EXIT.badInput);
    }
    return run;
}

// The record of a run that nobody follows at present is brought up to date.
async function current(run: RunFile): Promise<RunFile> {
    const follower = isFinal(run.status) ? undefined : await followerOf(run);
    if (!follower) {
        return run;
    }
    const params = run.params as Record<string, ParamValue>;
    return lookAt({ follower, run: refOf(run), pipeline: run.definition, params });
}

async function isRunning(run: RunFile): Promise<boolean> {
    const follower = await followerOf(run);
    if (follower) {
        return (await follower.lastOutcome(refOf(run))).kind === "Running";
    }
    const latest = await readRunFile(runDir(run.runId));
    return latest !== undefined && !isFinal(latest.status);
}

// Where a run of this machine takes place can be looked up; of all others, there is what their follower recorded.
async function followerOf(run: RunFile): Promise<Follower | undefined> {
    const isLocal = await fs.stat(path.join(runDir(run.runId), "runner.sh")).then(
        () => true,
        () => false,
    );
    return isLocal ? loadFollower({ module: "local" }) : undefined;
}

function refOf({ runId, attempt }: RunFile): RunRef {
    return { runId, attempt, runDir: runDir(runId) };
}

async function runIds(): Promise<string[]> {
    return (await fs.readdir(path.join(process.cwd(), STATE_DIR, "runs")).catch(() => [])).sort();
}

// The one of which something happened last. Not by run.json, which looking at a run writes anew.
async function newest(ids: readonly string[]): Promise<string | undefined> {
    const times = await Promise.all(ids.map((id) => lastEvent(runDir(id))));
    const latest = times.reduce((best, time, index) => (time >= (times[best] ?? 0) ? index : best), 0);
    return (times[latest] ?? 0) > 0 ? ids[latest] : undefined;
}

async function lastEvent(folder: string): Promise<number> {
    const recorded = await fs.stat(path.join(folder, RECORD.run)).catch(() => undefined);
    const events = await fs.stat(path.join(folder, RECORD.events)).catch(() => undefined);
    return recorded ? (events ?? recorded).mtimeMs : 0;
}

function checkStep(run: RunFile, step: string | undefined): void {
    const names = run.steps.map(({ name }) => name);
    if (step !== undefined && !names.includes(step)) {
        const near = nearest(step, names);
        throw new CommandError(
            `run ${run.runId} has no step ${step}${near ? `; did you mean ${near}?` : ""}; it has ${names.join(", ")}`,
            EXIT.badInput,
        );
    }
}

function runDir(id: string): string {
    return runDirOf(path.join(process.cwd(), STATE_DIR), id);
}

function render({ step, text }: LogLine): string {
    return step ? `${step} | ${text}` : text;
}
