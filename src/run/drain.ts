import type { Follower, RunRef } from "./follower";
import { recordedOutcome } from "./outcome";
import { Recorder } from "./recorder";

/**
 * Brings what an attempt that has ended has left at its target into the record, before the target goes: nobody may have
 * followed it to its end. In what steps print, the runner has masked secret values.
 */
export async function drain(follower: Follower, run: RunRef, signal: AbortSignal): Promise<void> {
    if (follower.recordsItself || (await recordedOutcome(run))) {
        return;
    }
    const recorder = await Recorder.open(run);
    try {
        for await (const item of follower.follow(run, signal, recorder.bookmark)) {
            await recorder.write(item);
        }
    } finally {
        await recorder.close();
    }
}
