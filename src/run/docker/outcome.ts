import { RUNNER_EXIT, type FinalState, type RunnerEvent } from "../events";
import type { Outcome } from "../follower";
import type { CancelMark } from "./mark";

/** What the daemon says of a container: part of its inspection. */
export interface ContainerState {
    readonly Status: string;
    readonly ExitCode: number;
    readonly OOMKilled: boolean;
    readonly Error: string;
}

/** An attempt's end. */
export type Finished = Outcome & { kind: "Finished" };

type End = Omit<Finished, "kind">;

/** What a container's state tells, where the runner's own word is not to be had. */
export function outcomeOfContainer(state: ContainerState): Outcome {
    switch (state.Status) {
        case "created":
            return { kind: "NotStarted" };
        case "running":
        case "paused":
        case "restarting":
            return { kind: "Running" };
        default:
            return { kind: "Finished", ...endOf(state) };
    }
}

const BY_EXIT_CODE: ReadonlyMap<number, End> = new Map<number, End>([
    [RUNNER_EXIT.succeeded, end("Succeeded", "", "all steps have succeeded")],
    [RUNNER_EXIT.stepFailed, end("Failed", "StepFailed", "a step failed")],
    [RUNNER_EXIT.unusable, end("Failed", "ImageUnusable", "the runner can't work in the image")],
    [RUNNER_EXIT.recordFailed, end("Failed", "RecordFailed", "the run directory could not be written")],
    [RUNNER_EXIT.timedOut, end("TimedOut", "DeadlineExceeded", "the run took longer than its timeout")],
    [RUNNER_EXIT.cancelled, end("Cancelled", "Cancelled", "the run was cancelled")],
    [
        RUNNER_EXIT.interrupted,
        end("Lost", "Interrupted", "the runner was told to end (TERM) and nobody had cancelled the run"),
    ],
    [126, end("Failed", "ImageUnusable", "the image's /bin/sh can't be run; choose an image with a shell")],
    [127, end("Failed", "ImageUnusable", "the image has no /bin/sh; choose an image with a shell")],
]);

function end(state: FinalState, reason: string, message: string): End {
    return { state, reason, message };
}

/** How a container's end reads, whose runner said nothing of it (or whose words nobody has read yet). */
export function endOf({ ExitCode, OOMKilled, Error: error }: ContainerState): End {
    const known = BY_EXIT_CODE.get(ExitCode);
    if (known) {
        return known;
    }
    if (OOMKilled) {
        const message = "the container was ended for want of memory: give it more `memory`";
        return end("Failed", "OutOfMemory", message);
    }
    const how = error ? `: ${error}` : "";
    return end(
        "Lost",
        "ContainerKilled",
        `the container ended with exit code ${ExitCode} without a word of the runner${how}: it was killed, or the daemon's machine went down`,
    );
}

/** The record says that the attempt was started, and its container is nowhere. */
export const CONTAINER_GONE: Finished = {
    kind: "Finished",
    ...end(
        "Lost",
        "ContainerGone",
        "the container was removed from outside: `pulumi refresh` and `pulumi up` go on from the last finished step",
    ),
};

/** A run that was ended on request is cancelled, also where its runner had no time to learn of the request. */
export function withCancel(outcome: Outcome, cancel: CancelMark | undefined): Outcome {
    return cancel && outcome.kind === "Finished" && outcome.state === "Lost"
        ? { ...outcome, state: "Cancelled", reason: "Cancelled", message: cancel.reason }
        : outcome;
}

/** The same for the runner's own word, if it took the request for the end of its machine. */
export function asCancelled<E extends RunnerEvent>(event: E, cancel: CancelMark | undefined): E {
    return cancel && event.type === "run.finished" && event.state === "Interrupted"
        ? { ...event, state: "Cancelled", reason: "Cancelled", message: cancel.reason }
        : event;
}
