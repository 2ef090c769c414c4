import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../../../src/run/vm/clock";

/** Time that passes faster here. */
export function faster(times: number): Clock {
    return {
        now: () => performance.now() * times,
        sleep: (ms, signal) => delay(ms / times, undefined, { signal }).catch(() => undefined),
    };
}
