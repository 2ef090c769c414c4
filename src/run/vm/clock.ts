import { setTimeout as delay } from "node:timers/promises";

/** Time as it passes here: never compared with what a machine or a cloud says. */
export interface Clock {
    /** Milliseconds since whenever. */
    now(): number;
    /** Ends early when the signal is aborted. */
    sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const realClock: Clock = {
    now: () => performance.now(),
    sleep: (ms, signal) => delay(ms, undefined, { signal }).catch(() => undefined),
};
