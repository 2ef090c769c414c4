import * as path from "node:path";
import { pathToFileURL } from "node:url";
import type { Pipeline, ParamValue } from "../pipeline/types";
import type { Follower, FollowItem, LogLine, Outcome, RunRef } from "./follower";
import { collectArtifacts, readEvents, RECORD, writeRunFile, type Artifact, type RunFile } from "./record";
import { maskItem } from "./mask";
import { Recorder } from "./recorder";
import { apply, isFinal, newSnapshot, type RunSnapshot } from "./snapshot";

/** Who is told what happens while a run is being followed. */
export interface FollowSink {
    log(lines: readonly LogLine[]): void;
    /** After each change of the run's state. */
    changed(run: RunSnapshot, item: FollowItem): void;
}

export interface FollowOptions {
    readonly follower: Follower;
    readonly run: RunRef;
    readonly pipeline: Pipeline;
    readonly params: Readonly<Record<string, ParamValue>>;
    readonly sink: FollowSink;
    /** Aborted: the run is cancelled, and followed to its end. */
    readonly signal: AbortSignal;
    /** Aborted: nobody wants to know any more; the run goes on. */
    readonly detach?: AbortSignal;
    /** Values that must get neither into the record nor to the sink, whoever wrote the line. */
    readonly secrets?: readonly string[];
    /**
     * Recoveries after which an interrupted run is given up.
     * @default DEFAULT_MAX_RECOVERIES
     */
    readonly maxRecoveries?: number;
}

/** Recoveries after which an interrupted run is given up, if nothing else is said. */
export const DEFAULT_MAX_RECOVERIES = 10;

/** Follows one attempt to its end, keeps its record, and returns what became of it. */
export async function followRun(options: FollowOptions): Promise<RunFile> {
    const { follower, run, sink } = options;
    const recorder = follower.recordsItself ? undefined : await Recorder.open(run);
    const snapshot = await snapshotBefore(run, options.pipeline, recorder?.bookmark !== undefined);
    const stop = new AbortController();
    const cancelling = cancelOnAbort(options, stop);
    const detach = () => stop.abort();
    options.detach?.addEventListener("abort", detach, { once: true });
    const mask = maskItem(options.secrets ?? []);
    await conclude(options, snapshot, {});
    try {
        // A follower that was killed right after it had written the end.
        const items = isFinal(snapshot.status) ? [] : follower.follow(run, stop.signal, recorder?.bookmark);
        for await (const raw of items) {
            const item = mask(raw);
            await recorder?.write(item);
            if (item.type === "log") {
                sink.log(item.lines);
                continue;
            }
            apply(snapshot, item);
            sink.changed(snapshot, item);
            if (item.type === "interrupted") {
                const given = await recover(options, snapshot);
                await (given && recorder?.write(given));
            }
            if (isFinal(snapshot.status)) {
                break;
            }
        }
        await cancelling.done();
        if (options.detach?.aborted) {
            throw new Error(`run ${run.runId} is no longer followed; it goes on`);
        }
        const item = await endWith(snapshot, () => follower.lastOutcome(run));
        await (item && recorder?.write(mask(item)));
    } finally {
        cancelling.dispose();
        options.detach?.removeEventListener("abort", detach);
        await recorder?.close();
    }
    return conclude(options, snapshot);
}

/** What the record says of an attempt now, without waiting. */
export async function lookAt(options: Omit<FollowOptions, "sink" | "signal">): Promise<RunFile> {
    const { follower, run, pipeline } = options;
    const snapshot = newSnapshot(run, pipeline);
    for (const event of await readEvents(run.runDir)) {
        if (event.attempt <= run.attempt) {
            apply(snapshot, { type: "event", event });
        }
    }
    const outcome = await follower.lastOutcome(run);
    if (outcome.kind === "NoRecord") {
        throw new Error(outcome.message);
    }
    if (outcome.kind === "Finished" && !follower.recordsItself) {
        // Its end is not in the record yet: only following tells it whole.
        const sink = { log: () => undefined, changed: () => undefined };
        return followRun({ ...options, sink, signal: new AbortController().signal });
    }
    if (outcome.kind === "Running" && !isFinal(snapshot.status)) {
        snapshot.status = "Running";
    }
    if (outcome.kind === "Finished") {
        await endWith(snapshot, () => Promise.resolve(outcome));
    }
    return conclude(options, snapshot);
}

async function conclude(
    options: Pick<FollowOptions, "run" | "pipeline" | "params">,
    snapshot: RunSnapshot,
    known?: Record<string, Artifact>,
): Promise<RunFile> {
    const { run, pipeline, params } = options;
    const artifacts = { ...snapshot.artifacts, ...(known ?? (await collectArtifacts(run.runDir, pipeline))) };
    for (const step of pipeline.steps) {
        const found = snapshot.steps.find((candidate) => candidate.name === step.name);
        for (const output of step.outputs) {
            const artifact = artifacts[`${step.name}/${output}`];
            if (found && artifact?.uri) {
                found.outputs[output] = artifact.uri;
            }
        }
    }
    const file: RunFile = {
        ...snapshot,
        pipeline: pipeline.name,
        params: { ...params },
        artifacts,
        logUrl: pathToFileURL(path.join(run.runDir, RECORD.log)).href,
        definition: pipeline,
    };
    await writeRunFile(run.runDir, file);
    return file;
}

// What was followed ended without saying how: the outcome does.
async function endWith(
    snapshot: RunSnapshot,
    lookUp: () => Promise<Outcome>,
): Promise<FollowItem | undefined> {
    if (isFinal(snapshot.status)) {
        return undefined;
    }
    const outcome = await lookUp();
    if (outcome.kind !== "Finished") {
        throw new Error(
            `the follower of run ${snapshot.runId} stopped following, and the run has not ended (${outcome.kind})`,
        );
    }
    const { state, reason, message } = outcome;
    const item: FollowItem = { type: "lost", state, reason, message };
    apply(snapshot, item);
    return item;
}

// Steps that an earlier attempt finished are part of this one's state; and, where following goes on behind a bookmark,
// all that this one's record holds up to there.
async function snapshotBefore(run: RunRef, pipeline: Pipeline, goesOn: boolean): Promise<RunSnapshot> {
    const snapshot = newSnapshot(run, pipeline);
    let own = false;
    for (const event of await readEvents(run.runDir)) {
        if (event.attempt < run.attempt || (goesOn && event.attempt === run.attempt)) {
            if (!own && event.attempt === run.attempt) {
                own = true;
                beginAttempt(snapshot, run);
            }
            apply(snapshot, { type: "event", event });
        }
    }
    if (!own) {
        beginAttempt(snapshot, run);
    }
    return snapshot;
}

function beginAttempt(snapshot: RunSnapshot, { attempt }: RunRef): void {
    Object.assign(snapshot, { attempt, status: "Pending", reason: "", message: "", interruptions: 0 });
}

// Returns the end, if the run is given up.
async function recover(options: FollowOptions, snapshot: RunSnapshot): Promise<FollowItem | undefined> {
    const { follower, run, signal, maxRecoveries = DEFAULT_MAX_RECOVERIES } = options;
    if (follower.recover && snapshot.interruptions <= maxRecoveries) {
        await follower.recover(run, signal);
        return undefined;
    }
    const message = `the platform took the machine ${snapshot.interruptions} times`;
    const end = follower.recover
        ? ({ type: "lost", state: "Lost", reason: "PreemptionLimit", message } as const)
        : ({ type: "lost", reason: "Interrupted", message: snapshot.message } as const);
    apply(snapshot, end);
    return end;
}

// A cancel that fails ends the following: `done` then says why.
function cancelOnAbort({ follower, run, signal }: FollowOptions, stop: AbortController) {
    let cancelled: Promise<void> = Promise.resolve();
    const cancel = () => {
        cancelled = follower.cancel(run, "cancelled by the user");
        cancelled.catch(() => stop.abort());
    };
    if (signal.aborted) {
        cancel();
    }
    signal.addEventListener("abort", cancel, { once: true });
    return { done: () => cancelled, dispose: () => signal.removeEventListener("abort", cancel) };
}
