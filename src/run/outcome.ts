import type { RunnerEvent } from "./events";
import type { Outcome, RunRef } from "./follower";
import { readEvents } from "./record";
import { apply, isFinal, newSnapshot } from "./snapshot";

/** How the record on this machine says that the attempt ended; undefined if it doesn't. */
export async function recordedOutcome(run: RunRef): Promise<Outcome | undefined> {
    return outcomeOf(await attemptEvents(run), run);
}

/** What the record holds of this attempt. */
export async function attemptEvents(run: RunRef): Promise<RunnerEvent[]> {
    return (await readEvents(run.runDir)).filter((event) => event.attempt === run.attempt);
}

/** The end that the events of an attempt tell. */
export function outcomeOf(events: readonly RunnerEvent[], run: RunRef): Outcome | undefined {
    const last = events.at(-1)?.type;
    if (last !== "run.finished" && last !== "run.ended") {
        return undefined;
    }
    const pipeline = { name: "", params: {}, env: {}, secrets: [], parallelism: 1, steps: [] };
    const snapshot = newSnapshot(run, pipeline);
    events.forEach((event) => apply(snapshot, { type: "event", event }));
    const { status, reason, message } = snapshot;
    return isFinal(status)
        ? { kind: "Finished", state: status as (Outcome & { kind: "Finished" })["state"], reason, message }
        : undefined;
}
