import * as path from "node:path";
import { nearest } from "../pipeline/words";
import { readRunFile, RECORD, type RunFile } from "../run/record";
import { isFinal } from "../run/snapshot";
import { toLogLine } from "../run/lines";
import { Tail } from "../run/tail";
import type { LogLine } from "../run/follower";
import { CommandError, EXIT } from "./exit";
import { current, findRun, followerOf, refOf, runDir } from "./store";
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

async function isRunning(run: RunFile): Promise<boolean> {
    const follower = await followerOf(run);
    if (follower) {
        return (await follower.lastOutcome(refOf(run))).kind === "Running";
    }
    const latest = await readRunFile(runDir(run.runId));
    return latest !== undefined && !isFinal(latest.status);
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

function render({ step, text }: LogLine): string {
    return step ? `${step} | ${text}` : text;
}
