import type { Pipeline } from "../pipeline/types";
import type { RunnerEvent, RunState, StepFinished, StepState } from "./events";
import type { FollowItem, RunRef } from "./follower";
import type { Artifact } from "./record";

/** The state of a step; its times are those of its last try. */
export interface StepSnapshot {
    name: string;
    state: StepState;
    /** Tries so far, over all attempts of the run. */
    attempts: number;
    reason: string;
    startedAt?: string;
    finishedAt?: string;
    durationSeconds?: number;
    exitCode?: number;
    /** Declared output -> where it is. */
    outputs: Record<string, string>;
}

/** The state of a run, as far as its events tell. */
export interface RunSnapshot {
    runId: string;
    attempt: number;
    status: RunState;
    reason: string;
    message: string;
    startedAt?: string;
    finishedAt?: string;
    durationSeconds?: number;
    /** How often the platform took the machine. */
    interruptions: number;
    exitCode?: number;
    steps: StepSnapshot[];
    /** Step -> metric -> its last value. */
    metrics: Record<string, Record<string, number>>;
    /** `step/output` -> what is known of it. */
    artifacts: Record<string, Artifact>;
    /** What the name of the image stood for. */
    image?: { readonly ref: string; readonly digest: string };
}

export function newSnapshot(run: RunRef, pipeline: Pipeline): RunSnapshot {
    return {
        runId: run.runId,
        attempt: run.attempt,
        status: "Pending",
        reason: "",
        message: "",
        interruptions: 0,
        steps: pipeline.steps.map((step) => ({
            name: step.name,
            state: "Pending",
            attempts: 0,
            reason: "",
            outputs: emptyMap(),
        })),
        metrics: emptyMap(),
        artifacts: emptyMap(),
    };
}

// Without a prototype: a step, an output or a metric may be called `constructor`.
function emptyMap<T>(): Record<string, T> {
    return Object.create(null) as Record<string, T>;
}

/** Applies one item to the snapshot. Unknown events are passed over: a newer runner may say more. */
export function apply(run: RunSnapshot, item: FollowItem): void {
    switch (item.type) {
        case "event":
            applyEvent(run, item.event);
            break;
        case "interrupted":
            interrupt(run, item.message);
            break;
        case "lost":
            end(run, item.state ?? "Lost", item.reason, item.message);
            break;
        case "image":
            run.image = { ref: item.ref, digest: item.digest };
            break;
        case "log":
        case "status":
            break;
    }
}

export function isFinal(state: string): boolean {
    return ["Succeeded", "Failed", "TimedOut", "Cancelled", "Lost"].includes(state);
}

function applyEvent(run: RunSnapshot, event: RunnerEvent): void {
    switch (event.type) {
        case "run.started":
            begin(run, event);
            break;
        case "step.started":
            startStep(run, event.step, event.time);
            break;
        case "step.retrying":
            setStep(run, event.step, { state: "Pending", exitCode: event.exitCode, reason: event.reason });
            break;
        case "step.reused":
            setStep(run, event.step, { state: "Succeeded" });
            break;
        case "step.skipped":
            setStep(run, event.step, { state: "Skipped", reason: event.reason });
            break;
        case "step.finished":
            finishStep(run, event, event.time);
            break;
        case "metric":
            (run.metrics[event.step] ??= emptyMap())[event.name] = event.value;
            break;
        case "artifact": {
            const { step, name, size, sha256, uri = "" } = event;
            run.artifacts[`${step}/${name}`] = { uri, size, sha256 };
            break;
        }
        case "run.interrupted":
            interrupt(run, event.message);
            break;
        case "run.image":
            run.image = { ref: event.ref, digest: event.digest };
            break;
        case "run.ended":
            run.finishedAt ??= event.time;
            end(run, event.state, event.reason, event.message);
            break;
        case "run.stopping":
            run.message = event.reason;
            break;
        case "run.finished":
            run.finishedAt = event.time;
            finishRun(run, event);
            break;
    }
}

function interrupt(run: RunSnapshot, message: string): void {
    run.status = "Recovering";
    run.interruptions++;
    run.message = message;
}

// A further beginning of the same attempt, after an interruption, does not move the attempt's start.
function begin(run: RunSnapshot, { attempt, time, fresh }: RunnerEvent & { type: "run.started" }): void {
    const again = run.attempt === attempt && run.status === "Recovering" && run.startedAt !== undefined;
    run.attempt = attempt;
    run.status = "Running";
    run.reason = run.message = "";
    run.startedAt = again ? run.startedAt : time;
    run.finishedAt = run.durationSeconds = run.exitCode = undefined;
    for (const step of run.steps) {
        if (fresh || (step.state !== "Succeeded" && step.state !== "Cached")) {
            Object.assign(step, {
                state: "Pending",
                reason: "",
                exitCode: undefined,
                finishedAt: undefined,
                durationSeconds: undefined,
            });
        }
    }
}

function startStep(run: RunSnapshot, name: string, time: string): void {
    const step = run.steps.find((candidate) => candidate.name === name);
    if (step) {
        step.attempts++;
        Object.assign(step, {
            state: "Running",
            reason: "",
            startedAt: time,
            finishedAt: undefined,
            exitCode: undefined,
        });
        delete run.metrics[name];
        for (const artifact of Object.keys(run.artifacts)) {
            if (artifact.startsWith(`${name}/`)) {
                delete run.artifacts[artifact];
            }
        }
    }
}

function finishStep(run: RunSnapshot, event: StepFinished, time: string): void {
    const { state, exitCode, reason, durationSeconds } = event;
    setStep(run, event.step, { state, exitCode, reason, durationSeconds, finishedAt: time });
}

function setStep(run: RunSnapshot, name: string, change: Partial<StepSnapshot>): void {
    const step = run.steps.find((candidate) => candidate.name === name);
    if (step) {
        Object.assign(step, change);
    }
}

function finishRun(run: RunSnapshot, event: Extract<RunnerEvent, { type: "run.finished" }>): void {
    run.exitCode = event.exitCode;
    if (event.state === "Interrupted") {
        end(
            run,
            "Lost",
            event.reason || "Interrupted",
            "the runner was told to end (TERM) and nobody had cancelled the run",
        );
        return;
    }
    const failed = run.steps.find((step) => step.state === "Failed");
    // The step itself has ended well then: the run's own words say what has not.
    if (event.state === "Failed" && failed && failed.reason !== "ArtifactStoreFailed") {
        run.exitCode = failed.exitCode;
        end(run, "Failed", failed.reason || event.reason, describeFailure(failed));
        return;
    }
    end(run, event.state, event.reason, event.message);
}

function end(run: RunSnapshot, status: RunState, reason: string, message: string): void {
    run.status = status;
    run.reason = status === "Succeeded" ? "" : reason;
    if (run.startedAt && run.finishedAt) {
        run.durationSeconds = (Date.parse(run.finishedAt) - Date.parse(run.startedAt)) / 1000;
    }
    for (const step of run.steps) {
        if (step.state === "Running") {
            Object.assign(step, { state: "Cancelled", reason });
        } else if (step.state === "Pending" && (status === "Cancelled" || status === "TimedOut")) {
            // Where the target was ended from outside, the runner had no say in that.
            Object.assign(step, { state: "Skipped", reason: "RunEnding" });
        }
    }
    run.message = status === "Succeeded" ? describeSuccess(run) : message;
}

function describeSuccess(run: RunSnapshot): string {
    const steps = run.steps.length === 1 ? "1 step" : `${run.steps.length} steps`;
    return run.durationSeconds === undefined ? steps : `${steps} in ${formatSeconds(run.durationSeconds)}`;
}

function describeFailure(step: StepSnapshot): string {
    const tries = step.attempts > 1 ? ` at try ${step.attempts}` : "";
    switch (step.reason) {
        case "StepTimedOut":
            return `step ${step.name} ran longer than its timeout${tries}`;
        case "OutputMissing":
            return `step ${step.name} ended without making an output that it declares${tries}`;
        case "InputMissing":
            return `step ${step.name} can't start: an input of it is missing`;
        case "OutOfMemory":
            return `step ${step.name} was ended for want of memory${tries}`;
        default:
            return `step ${step.name} failed with exit code ${step.exitCode}${tries}`;
    }
}

/** `12 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatSeconds(seconds: number): string {
    if (seconds < 10) {
        return `${seconds.toFixed(1)} s`;
    }
    const whole = Math.round(seconds);
    if (whole < 60) {
        return `${whole} s`;
    }
    return whole < 3600
        ? `${Math.floor(whole / 60)} min ${whole % 60} s`
        : `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
