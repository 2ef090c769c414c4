import * as fs from "node:fs/promises";
import * as path from "node:path";
import { lookAt } from "../run/followRun";
import type { Follower, RunRef } from "../run/follower";
import { readRunFile, RECORD, runDirOf, type RunFile } from "../run/record";
import { loadFollower } from "../run/registry";
import { isFinal } from "../run/snapshot";
import type { ParamValue } from "../pipeline/types";
import { nearest } from "../pipeline/words";
import { CommandError, EXIT } from "./exit";
import { STATE_DIR } from "./folder";

/** A folder among the records that can't be read as one. */
export interface Unreadable {
    readonly name: string;
    readonly why: string;
}

/** The record of a run by its id; of the newest one without. */
export async function findRun(id: string | undefined): Promise<RunFile> {
    const known = await runIds();
    const wanted = id ?? (await newest(known));
    if (wanted === undefined) {
        throw new CommandError(
            `there is no run in ${path.join(process.cwd(), STATE_DIR)}; try: stackrun run pipeline.yaml`,
            EXIT.badInput,
        );
    }
    if (!known.includes(wanted)) {
        throw await unknownRun(wanted, known);
    }
    const run = await readRun(wanted);
    if ("why" in run) {
        throw run.missing
            ? await unknownRun(wanted, known)
            : new CommandError(`the record of run ${wanted} can't be read: ${run.why}`, EXIT.notReady);
    }
    return run;
}

/** All records, in no order, and what lies among them that is none. */
export async function allRuns(): Promise<{ runs: RunFile[]; unreadable: Unreadable[] }> {
    const read = await Promise.all((await runIds()).map(readRun));
    return {
        runs: read.filter((run): run is RunFile => !("why" in run)),
        unreadable: read.filter((run) => "why" in run),
    };
}

/** The record of a run that nobody follows at present is brought up to date. */
export async function current(run: RunFile): Promise<RunFile> {
    const follower = isFinal(run.status) ? undefined : await followerOf(run);
    if (!follower) {
        return run;
    }
    const params = run.params as Record<string, ParamValue>;
    return lookAt({ follower, run: refOf(run), pipeline: run.definition, params });
}

/** Where a run of this machine takes place can be looked up; of all others, there is what their follower recorded. */
export async function followerOf(run: RunFile): Promise<Follower | undefined> {
    const isLocal = await fs.stat(path.join(runDir(run.runId), "runner.sh")).then(
        () => true,
        () => false,
    );
    return isLocal ? loadFollower({ module: "local" }) : undefined;
}

export function refOf({ runId, attempt }: Pick<RunFile, "runId" | "attempt">): RunRef {
    return { runId, attempt, runDir: runDir(runId) };
}

export function runDir(id: string): string {
    return runDirOf(path.join(process.cwd(), STATE_DIR), id);
}

async function unknownRun(wanted: string, known: readonly string[]): Promise<CommandError> {
    const near = nearest(wanted, known);
    const last = await newest(known);
    const hint = near && near !== wanted ? `; did you mean ${near}?` : last ? `; the newest is ${last}` : "";
    return new CommandError(`there is no run ${wanted}${hint}`, EXIT.badInput);
}

async function readRun(name: string): Promise<RunFile | (Unreadable & { readonly missing: boolean })> {
    try {
        const run = await readRunFile(runDir(name));
        const why = run === undefined ? "it has no run.json" : faultOf(run, name);
        return why ? { name, why, missing: run === undefined } : (run as RunFile);
    } catch (error) {
        const why = error instanceof SyntaxError ? "its run.json is no JSON" : (error as Error).message;
        return { name, why, missing: (error as NodeJS.ErrnoException).code === "ENOTDIR" };
    }
}

// Only as much as listing and following it takes.
function faultOf(value: unknown, name: string): string | undefined {
    const run = value as Partial<RunFile> | null;
    const isRun =
        typeof run?.runId === "string" &&
        typeof run.attempt === "number" &&
        typeof run.status === "string" &&
        typeof run.pipeline === "string" &&
        Array.isArray(run.steps) &&
        Array.isArray(run.definition?.steps);
    if (!isRun) {
        return "its run.json is not about a run";
    }
    return run.runId === name ? undefined : `its run.json is about another run, ${run.runId}`;
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
