import type { EngineEvent } from "@pulumi/pulumi/automation";
import type { Pipeline } from "../pipeline/types";
import { RUN_ID_TYPE, RUN_TYPE } from "../provider/tokens";
import { readRunFile, runDirOf } from "../run/record";
import type { RunInput } from "./input";
import type { Terminal } from "./terminal";

type StepMetadata = NonNullable<EngineEvent["resourcePreEvent"]>["metadata"];

/** What `stackrun run` would do. */
export interface Forecast {
    readonly action: "new run" | "next attempt" | "follow" | "nothing";
    /** Of the run that is there already. */
    readonly runId?: string;
    readonly attempt: number;
    readonly why: readonly string[];
    /** The steps that would run. */
    readonly steps: readonly string[];
}

/** Collects from a preview's events what becomes of the run. */
export class Forecaster {
    private runId?: StepMetadata;
    private run?: StepMetadata;

    readonly onEvent = ({ resourcePreEvent }: EngineEvent): void => {
        const metadata = resourcePreEvent?.metadata;
        if (metadata?.type === RUN_ID_TYPE) {
            this.runId = metadata;
        } else if (metadata?.type === RUN_TYPE && !metadata.op.startsWith("delete")) {
            this.run = metadata;
        }
    };

    async forecast({ pipeline, stateDir }: Pick<RunInput, "pipeline" | "stateDir">): Promise<Forecast> {
        const all = pipeline.steps.map(({ name }) => name);
        const old = this.runId?.old?.outputs as { runId?: string; attempt?: number } | undefined;
        if (!old?.runId) {
            return { action: "new run", attempt: 1, why: ["this stack has had no run yet"], steps: all };
        }
        const { runId, attempt = 1 } = old;
        const changes = Object.keys(this.runId?.detailedDiff ?? {});
        if (changes.length > 0) {
            return {
                action: "new run",
                runId,
                attempt: 1,
                why: changes.map((change) => describeChange(change, this.runId)),
                steps: all,
            };
        }
        const record = await readRunFile(runDirOf(stateDir, runId)).catch(() => undefined);
        const left = (record?.steps ?? [])
            .filter(({ state }) => state !== "Succeeded" && state !== "Cached")
            .map(({ name }) => name);
        if (this.runId?.op === "update") {
            const ended = record ? `${record.status}: ${record.message || record.reason}` : "not successful";
            return {
                action: "next attempt",
                runId,
                attempt: attempt + 1,
                why: [`attempt ${attempt} was ${ended}`],
                steps: record ? left : all,
            };
        }
        if (this.run && this.run.op !== "same") {
            return {
                action: "follow",
                runId,
                attempt,
                why: ["it was started before, and nothing has changed"],
                steps: left,
            };
        }
        return {
            action: "nothing",
            runId,
            attempt,
            why: ["it succeeded, and nothing has changed since"],
            steps: [],
        };
    }
}

/** A few lines for people. */
export function showForecast(
    forecast: Forecast,
    { pipeline, stack, orchestrator }: RunInput,
    terminal: Terminal,
): void {
    const { action, runId, attempt, why, steps } = forecast;
    const headline: Record<Forecast["action"], string> = {
        "new run": `there would be a new run of ${pipeline.name}`,
        "next attempt": `run ${runId} would go on with attempt ${attempt}`,
        follow: `run ${runId} would be followed to its end`,
        nothing: `nothing would run: run ${runId} stands`,
    };
    terminal.line(
        `preview    ${terminal.paint(action === "nothing" ? "green" : "yellow", headline[action])}`,
    );
    terminal.line(`where      stack ${stack}, orchestrator ${orchestrator}`);
    why.forEach((reason, index) => terminal.line(`${index === 0 ? "because" : "       "}    ${reason}`));
    steps.forEach((step, index) =>
        terminal.line(`${index === 0 ? "steps" : "     "}      ${describeStep(step, pipeline)}`),
    );
    terminal.line("Nothing was started.");
}

function describeStep(name: string, pipeline: Pipeline): string {
    const after = pipeline.steps.find((step) => step.name === name)?.after ?? [];
    return after.length > 0 ? `${name} (after ${after.join(", ")})` : name;
}

// Values are shown of what is written to the plan and the record anyway; of all else, only that it has changed.
function describeChange(change: string, metadata: StepMetadata | undefined): string {
    const [, part = change, name = ""] = /^(\w+)[.[]?"?([^"\]]*)/.exec(change) ?? [];
    const before = valueAt(metadata?.old?.inputs, part, name);
    const after = valueAt(metadata?.new?.inputs, part, name);
    const verb = before === undefined ? "is new" : after === undefined ? "is gone" : "has changed";
    switch (part) {
        case "code":
            return "the code has changed";
        case "steps":
            return name ? `step ${name} ${verb}` : "the steps have changed";
        case "params":
            return before === undefined || after === undefined
                ? `parameter ${name} ${verb}`
                : `parameter ${name}: ${show(before)} → ${show(after)}`;
        case "env":
            return `environment variable ${name} ${verb}`;
        default:
            return `${part} ${verb}`;
    }
}

function valueAt(inputs: unknown, part: string, name: string): unknown {
    const value = (inputs as Record<string, unknown> | undefined)?.[part];
    return name && value !== null && typeof value === "object"
        ? (value as Record<string, unknown>)[name]
        : value;
}

function show(value: unknown): string {
    const text = typeof value === "string" ? JSON.stringify(value) : String(value);
    return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
