import * as path from "node:path";
import { fileURLToPath } from "node:url";
import type { RunState } from "../run/events";
import type { Artifact } from "../run/record";
import { formatSeconds, isFinal, type StepSnapshot } from "../run/snapshot";
import { shQuote } from "../runner/quote";
import { EXIT } from "./exit";
import type { RunInput } from "./input";
import { backendOf } from "./login";
import type { Terminal } from "./terminal";

/** What is shown of a run: the outputs of its stack, or its record. */
export interface RunOutputs {
    readonly runId: string;
    readonly attempt: number;
    readonly status: RunState;
    readonly reason: string;
    readonly message: string;
    readonly steps: readonly StepSnapshot[];
    readonly metrics: Readonly<Record<string, Readonly<Record<string, number>>>>;
    readonly artifacts: Readonly<Record<string, Artifact>>;
    readonly logUrl: string;
}

interface SummaryOptions {
    readonly terminal: Terminal;
    readonly json: boolean;
    /** False: nothing had changed, so there was no run; or nobody waited for it. */
    readonly ran: boolean;
    readonly input: RunInput;
}

/** Prints how a run ended and where things are; returns the exit code. */
export function showSummary(run: RunOutputs, { terminal, json, ran, input }: SummaryOptions): number {
    if (json) {
        terminal.line(JSON.stringify(run, null, 2));
        return exitCodeOf(run.status);
    }
    if (ran) {
        terminal.line();
    } else if (run.status === "Succeeded") {
        terminal.line(
            `Nothing has changed since run ${run.runId}, which succeeded: there was nothing to run.`,
        );
        terminal.line();
    }
    showRun(run, terminal, path.dirname(input.stateDir));
    const backend = backendOf();
    terminal.line(
        row(
            "state",
            backend.kind === "own" ? input.stateDir : `${backend.url}; records in ${input.stateDir}`,
        ),
    );
    terminal.line();
    nextCommands(run, input.file).forEach((line) => terminal.line(line));
    return exitCodeOf(run.status);
}

/** Status, steps, metrics, and where the log and the artifacts are. */
export function showRun(run: RunOutputs, terminal: Terminal, folder: string): void {
    const reason = run.reason ? ` (${run.reason})` : "";
    terminal.line(row("run", `${run.runId}, attempt ${run.attempt}`));
    terminal.line(
        row(
            "status",
            `${terminal.paint(colorOf(run.status), run.status)}${reason}${run.message ? `: ${run.message}` : ""}`,
        ),
    );
    run.steps.forEach((step, index) => terminal.line(row(index === 0 ? "steps" : "", describeStep(step))));
    Object.entries(run.metrics).forEach(([step, metrics], index) => {
        const values = Object.entries(metrics).map(([name, value]) => `${name}=${value}`);
        terminal.line(row(index === 0 ? "metrics" : "", `${step}: ${values.join("  ")}`));
    });
    Object.entries(run.artifacts).forEach(([, { uri, size }], index) =>
        terminal.line(
            row(
                index === 0 ? "artifacts" : "",
                `${shorten(uri, folder)} (${size.toLocaleString("en")} bytes)`,
            ),
        ),
    );
    terminal.line(
        row("log", shorten(run.logUrl.startsWith("file:") ? fileURLToPath(run.logUrl) : run.logUrl, folder)),
    );
}

export function exitCodeOf(status: RunState): number {
    switch (status) {
        case "Succeeded":
        case "Running":
        case "Pending":
        case "Recovering":
            return EXIT.succeeded;
        case "Cancelled":
            return EXIT.cancelled;
        default:
            return EXIT.failed;
    }
}

function describeStep(step: StepSnapshot): string {
    const seconds = step.durationSeconds === undefined ? "" : ` in ${formatSeconds(step.durationSeconds)}`;
    const tries = step.attempts > 1 ? `, ${step.attempts} tries` : "";
    const reason = step.reason ? ` (${step.reason})` : "";
    return `${step.name}: ${step.state}${reason}${seconds}${tries}`;
}

function nextCommands(run: RunOutputs, file: string): string[] {
    const command = `stackrun run${file === "pipeline.yaml" ? "" : ` ${shellWord(file)}`}`;
    const next: Record<string, string> = {};
    if (!isFinal(run.status)) {
        next[`stackrun logs --follow ${run.runId}`] = "its log, until its end";
        next[`stackrun status ${run.runId}`] = "how it stands";
    } else {
        next[`stackrun logs ${run.runId}`] = "the whole log";
    }
    if (run.status === "Succeeded") {
        next[`${command} --again`] = "run again although nothing changed";
    } else {
        next[command] = isFinal(run.status) ? "go on from the last finished step" : "follow it to its end";
    }
    const width = Math.max(...Object.keys(next).map((one) => one.length));
    return [
        "next:",
        ...Object.entries(next).map(([one, what]) => `  ${localBackend()}npx ${one.padEnd(width)}   ${what}`),
    ];
}

// `npm start` keeps its state here even if the user is logged in elsewhere; what it proposes has to do so too.
function localBackend(): string {
    const otherwise = backendOf({ ...process.env, STACKRUN_BACKEND: undefined });
    return backendOf().kind === otherwise.kind ? "" : "STACKRUN_BACKEND=local ";
}

function shellWord(text: string): string {
    return /^[\w./@%+=:,-]+$/.test(text) ? text : shQuote(text);
}

/** The colour of a run's state. */
export function colorOf(status: string): "green" | "yellow" | "red" {
    if (status === "Succeeded") {
        return "green";
    }
    return isFinal(status) ? "red" : "yellow";
}

function row(label: string, text: string): string {
    return `${label.padEnd(10)} ${text}`;
}

function shorten(file: string, folder: string): string {
    const relative = path.relative(folder, file);
    return relative && !relative.startsWith("..") ? relative : file;
}
