import { nearest } from "../pipeline/words";
import type { RunState } from "../run/events";
import type { RunFile } from "../run/record";
import { formatSeconds, isFinal } from "../run/snapshot";
import { CommandError, EXIT } from "./exit";
import { allRuns, followerOf, refOf } from "./store";
import { colorOf } from "./summary";
import type { Terminal } from "./terminal";

/** The options of `stackrun runs`, as they were typed. */
export interface RunsOptions {
    readonly pipeline?: string;
    readonly status?: string;
    readonly limit?: string;
    readonly json?: boolean;
}

/** One line of the table. */
export interface ListedRun {
    readonly runId: string;
    readonly pipeline: string;
    readonly status: RunState;
    readonly reason: string;
    readonly attempt: number;
    readonly startedAt?: string;
    readonly finishedAt?: string;
    readonly durationSeconds?: number;
}

export const RUN_STATES: readonly RunState[] = [
    ...(["Pending", "Running", "Recovering", "Succeeded"] as const),
    ...(["Failed", "TimedOut", "Cancelled", "Lost"] as const),
];

/** `stackrun runs`: the recorded runs of this folder, newest first. */
export async function listRuns(options: RunsOptions, terminal: Terminal): Promise<number> {
    const { status, limit } = readOptions(options);
    const { runs, unreadable } = await allRuns();
    const listed = (await Promise.all(runs.map(lookUp))).sort(newestFirst);
    const wanted = listed
        .filter(({ pipeline }) => options.pipeline === undefined || pipeline === options.pipeline)
        .filter((run) => status === undefined || run.status === status)
        .slice(0, limit);
    unreadable.forEach(({ name, why }) => terminal.error(`passed over .stackrun/runs/${name}: ${why}`));
    if (options.json) {
        terminal.line(JSON.stringify(wanted, null, 2));
    } else if (wanted.length > 0) {
        terminal.lines(tableOf(wanted, terminal));
    } else {
        terminal.error(nothing(options.pipeline, listed));
    }
    return EXIT.succeeded;
}

function readOptions({ status, limit }: RunsOptions): { status?: RunState; limit?: number } {
    const mistakes: string[] = [];
    const state = RUN_STATES.find((name) => name.toLowerCase() === status?.toLowerCase());
    if (status !== undefined && !state) {
        const near = nearest(status, RUN_STATES);
        const meant = near ? `; did you mean ${near}?` : "";
        mistakes.push(
            `--status ${JSON.stringify(status)} is no state of a run; allowed: ${RUN_STATES.join(", ")}${meant}`,
        );
    }
    if (limit !== undefined && !/^[1-9][0-9]{0,8}$/.test(limit)) {
        mistakes.push(
            `--limit ${JSON.stringify(limit)} is no number of runs; allowed: a whole number from 1`,
        );
    }
    if (mistakes.length > 0) {
        throw new CommandError(mistakes.join("\n"), EXIT.badInput);
    }
    return { status: state, limit: limit === undefined ? undefined : Number(limit) };
}

// A run that nobody follows any more may have ended since. Its record stays as it is: listing changes nothing.
async function lookUp(run: RunFile): Promise<ListedRun> {
    const { runId, pipeline, reason, attempt, startedAt, finishedAt, durationSeconds } = run;
    const listed = { runId, pipeline, reason, attempt, startedAt, finishedAt, durationSeconds };
    const follower = isFinal(run.status) ? undefined : await followerOf(run);
    const outcome = await follower?.lastOutcome(refOf(run)).catch(() => undefined);
    if (outcome?.kind === "Finished") {
        return { ...listed, status: outcome.state, reason: outcome.reason };
    }
    return { ...listed, status: outcome?.kind === "Running" ? "Running" : run.status };
}

function newestFirst(a: ListedRun, b: ListedRun): number {
    const [before, after] = [a.startedAt ?? "", b.startedAt ?? ""];
    if (before !== after) {
        return before < after ? 1 : -1;
    }
    return a.runId < b.runId ? 1 : -1;
}

function tableOf(runs: readonly ListedRun[], terminal: Terminal): string[] {
    const head = ["RUN", "PIPELINE", "STATUS", "ATTEMPT", "STARTED", "DURATION"];
    const rows = runs.map((run) => [
        run.runId,
        run.pipeline,
        run.status,
        String(run.attempt),
        run.startedAt ? localTime(run.startedAt) : "-",
        durationOf(run),
    ]);
    const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column].length)));
    const line = (row: readonly string[], paint = (cell: string, _column: number) => cell) =>
        row
            .map((cell, column) => paint(cell.padEnd(widths[column]), column))
            .join("  ")
            .trimEnd();
    return [
        line(head),
        ...rows.map((row) =>
            line(row, (cell, column) => (column === 2 ? terminal.paint(colorOf(row[2]), cell) : cell)),
        ),
    ];
}

function durationOf({ status, startedAt, durationSeconds }: ListedRun): string {
    if (durationSeconds !== undefined) {
        return formatSeconds(durationSeconds);
    }
    return startedAt && !isFinal(status) ? formatSeconds((Date.now() - Date.parse(startedAt)) / 1000) : "-";
}

function localTime(time: string): string {
    const date = new Date(time);
    const two = (value: number) => String(value).padStart(2, "0");
    const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
    return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

function nothing(pipeline: string | undefined, all: readonly ListedRun[]): string {
    if (all.length === 0) {
        return "there is no recorded run in .stackrun/runs; try: stackrun run pipeline.yaml";
    }
    const names = [...new Set(all.map((run) => run.pipeline))];
    if (pipeline !== undefined && !names.includes(pipeline)) {
        const near = nearest(pipeline, names);
        return `there is no run of a pipeline ${pipeline}${near ? `; did you mean ${near}?` : ""}; there are runs of ${names.join(", ")}`;
    }
    return "there is no such run";
}
