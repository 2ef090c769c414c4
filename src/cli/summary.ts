import * as path from "node:path";
import { fileURLToPath } from "node:url";
import type { RunState } from "../run/events";
import type { Artifact } from "../run/record";
import { formatSeconds, type StepSnapshot } from "../run/snapshot";
import { EXIT } from "./exit";
import type { Terminal } from "./terminal";
import { STATE_DIR } from "./workspace";

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
    readonly folder: string;
    /** False: nothing had changed, so there was no run. */
    readonly ran: boolean;
    readonly file: string;
}

/** Prints how a run ended and where things are; returns the exit code. */
export function showSummary(run: RunOutputs, options: SummaryOptions): number {
    const { terminal } = options;
    if (options.json) {
        terminal.line(JSON.stringify(run, null, 2));
        return exitCodeOf(run.status);
    }
    terminal.line();
    if (!options.ran && run.status === "Succeeded") {
        terminal.line(`Nothing has changed since run ${run.runId}, which succeeded: there was nothing to run.`);
        terminal.line();
    }
    showRun(run, terminal, options.folder);
    terminal.line(row("state", path.join(options.folder, STATE_DIR)));
    terminal.line();
    nextCommands(run, options.file).forEach((line) => terminal.line(line));
    return exitCodeOf(run.status);
}

/** Status, steps, metrics, and where the log and the artifacts are. */
export function showRun(run: RunOutputs, terminal: Terminal, folder: string): void {
    const color = run.status === "Succeeded" ? "green" : run.status === "Running" || run.status === "Pending" ? "yellow" : "red";
    const reason = run.reason ? ` (${run.reason})` : "";
    terminal.line(row("run", `${run.runId}, attempt ${run.attempt}`));
    terminal.line(row("status", `${terminal.paint(color, run.status)}${reason}${run.message ? `: ${run.message}` : ""}`));
    run.steps.forEach((step, index) => terminal.line(row(index === 0 ? "steps" : "", describeStep(step))));
    Object.entries(run.metrics).forEach(([step, metrics], index) => {
        const values = Object.entries(metrics).map(([name, value]) => `${name}=${value}`);
        terminal.line(row(index === 0 ? "metrics" : "", `${step}: ${values.join("  ")}`));
    });
    Object.entries(run.artifacts).forEach(([, { uri, size }], index) =>
        terminal.line(row(index === 0 ? "artifacts" : "", `${shorten(uri, folder)} (${size.toLocaleString("en")} bytes)`)),
    );
    terminal.line(row("log", shorten(run.logUrl.startsWith("file:") ? fileURLToPath(run.logUrl) : run.logUrl, folder)));
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
    const again = run.status === "Succeeded" ? "run again although nothing changed" : "go on from the last finished step";
    const command = run.status === "Succeeded" ? `stackrun run ${file} --again` : `stackrun run ${file}`;
    return [
        "next:",
        `  npx stackrun logs ${run.runId}   the whole log`,
        `  npx ${command}   ${again}`,
    ];
}

function row(label: string, text: string): string {
    return `${label.padEnd(10)} ${text}`;
}

function shorten(file: string, folder: string): string {
    const relative = path.relative(folder, file);
    return relative && !relative.startsWith("..") ? relative : file;
}
