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
    /** Recoveries after which an interrupted run is given up. */
    readonly maxRecoveries?: number;
}

/** Follows one attempt to its end, keeps its record, and returns what became of it. */
export async function followRun(options: FollowOptions): Promise<RunFile> {
    const { follower, run, sink } = options;
    const snapshot = await snapshotBefore(run, options.pipeline);
    const recorder = follower.recordsItself ? undefined : await Recorder.open(run);
    const stop = new AbortController();
    const cancelling = cancelOnAbort(options, stop);
    const detach = () => stop.abort();
    options.detach?.addEventListener("abort", detach, { once: true });
    const mask = maskItem(options.secrets ?? []);
    await conclude(options, snapshot, {});
    try {
        for await (const raw of follower.follow(run, stop.signal)) {
            const item = mask(raw);
            await recorder?.write(item);
            if (item.type === "log") {
                sink.log(item.lines);
                continue;
            }
            apply(snapshot, item);
            sink.changed(snapshot, item);
            if (item.type === "interrupted") {
                await recover(options, snapshot);
            }
            if (isFinal(snapshot.status)) {
                break;
            }
        }
        await cancelling.done();
        if (options.detach?.aborted) {
            throw new Error(`run ${run.runId} is no longer followed; it goes on`);
        }
        await endWith(snapshot, () => follower.lastOutcome(run));
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
    const artifacts = known ?? (await collectArtifacts(run.runDir, pipeline));
    for (const step of pipeline.steps) {
        const found = snapshot.steps.find((candidate) => candidate.name === step.name);
        for (const output of step.outputs) {
            const artifact = artifacts[`${step.name}/${output}`];
            if (found && artifact) {
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
async function endWith(snapshot: RunSnapshot, lookUp: () => Promise<Outcome>): Promise<void> {
    if (isFinal(snapshot.status)) {
        return;
    }
    const outcome = await lookUp();
    if (outcome.kind !== "Finished") {
        throw new Error(
            `the follower of run ${snapshot.runId} stopped following, and the run has not ended (${outcome.kind})`,
        );
    }
    apply(snapshot, { type: "lost", reason: outcome.reason, message: outcome.message });
    snapshot.status = outcome.state;
}

// Steps that an earlier attempt finished are part of this one's state.
async function snapshotBefore(run: RunRef, pipeline: Pipeline): Promise<RunSnapshot> {
    const snapshot = newSnapshot(run, pipeline);
    for (const event of await readEvents(run.runDir)) {
        if (event.attempt < run.attempt) {
            apply(snapshot, { type: "event", event });
        }
    }
    return { ...snapshot, attempt: run.attempt, status: "Pending", reason: "", message: "" };
}

async function recover(options: FollowOptions, snapshot: RunSnapshot): Promise<void> {
    const { follower, run, signal, maxRecoveries = 10 } = options;
    if (!follower.recover) {
        apply(snapshot, { type: "lost", reason: "Interrupted", message: snapshot.message });
    } else if (snapshot.interruptions > maxRecoveries) {
        const message = `the platform took the machine ${snapshot.interruptions} times`;
        apply(snapshot, { type: "lost", reason: "PreemptionLimit", message });
    } else {
        await follower.recover(run, signal);
    }
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
