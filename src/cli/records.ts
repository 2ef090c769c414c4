import * as fs from "node:fs/promises";
import * as path from "node:path";
import { lookAt } from "../run/followRun";
import type { LogLine } from "../run/follower";
import { readRunFile, RECORD, runDirOf, type RunFile } from "../run/record";
import { loadFollower } from "../run/registry";
import { isFinal } from "../run/snapshot";
import { Tail, toLogLine } from "../run/tail";
import { nearest } from "../pipeline/words";
import { CommandError, EXIT } from "./exit";
import { exitCodeOf, showRun } from "./summary";
import type { Terminal } from "./terminal";
import { STATE_DIR } from "./workspace";

const POLL_MS = 200;

/** `stackrun status`: how a run stands, from its record. */
export async function status(id: string | undefined, json: boolean, terminal: Terminal): Promise<number> {
    const run = await current(await findRun(id));
    if (json) {
        const { definition: _, ...shown } = run;
        terminal.line(JSON.stringify(shown, null, 2));
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
export async function logs(id: string | undefined, options: LogsOptions, terminal: Terminal): Promise<number> {
    const run = await findRun(id);
    checkStep(run, options.step);
    const log = new Tail(path.join(runDir(run.runId), RECORD.log), 0);
    const show = (lines: readonly string[]) => {
        const wanted = lines.map(toLogLine).filter(({ step }) => options.step === undefined || step === options.step);
        if (wanted.length > 0) {
            terminal.lines(wanted.map((line) => (options.step === undefined ? render(line) : line.text)));
        }
    };
    for (;;) {
        const ended = !options.follow || isFinal((await current(run)).status);
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
        throw new CommandError(`there is no run in ${path.join(process.cwd(), STATE_DIR)}; try: stackrun run pipeline.yaml`, EXIT.badInput);
    }
    const run = known.includes(wanted) ? await readRunFile(runDir(wanted)) : undefined;
    if (!run) {
        const near = nearest(wanted, known);
        throw new CommandError(`there is no run ${wanted}${near ? `; did you mean ${near}?` : ""}`, EXIT.badInput);
    }
    return run;
}

// The record of a run that nobody follows at present is brought up to date.
async function current(run: RunFile): Promise<RunFile> {
    if (isFinal(run.status)) {
        return run;
    }
    const ref = { runId: run.runId, attempt: run.attempt, runDir: runDir(run.runId) };
    const follower = await loadFollower({ module: "local" });
    return lookAt({ follower, run: ref, pipeline: run.definition, params: run.params as Record<string, string> });
}

async function runIds(): Promise<string[]> {
    return (await fs.readdir(path.join(process.cwd(), STATE_DIR, "runs")).catch(() => [])).sort();
}

async function newest(ids: readonly string[]): Promise<string | undefined> {
    let best: { id: string; time: number } | undefined;
    for (const id of ids) {
        const stat = await fs.stat(path.join(runDir(id), RECORD.run)).catch(() => undefined);
        if (stat && stat.mtimeMs >= (best?.time ?? 0)) {
            best = { id, time: stat.mtimeMs };
        }
    }
    return best?.id;
}

function checkStep(run: RunFile, step: string | undefined): void {
    const names = run.steps.map(({ name }) => name);
    if (step !== undefined && !names.includes(step)) {
        const near = nearest(step, names);
        throw new CommandError(`run ${run.runId} has no step ${step}${near ? `; did you mean ${near}?` : ""}; it has ${names.join(", ")}`, EXIT.badInput);
    }
}

function runDir(id: string): string {
    return runDirOf(path.join(process.cwd(), STATE_DIR), id);
}

function render({ step, text }: LogLine): string {
    return step ? `${step} | ${text}` : text;
}
