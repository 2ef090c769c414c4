import { StoreError } from "../../stores/artifacts/errors";
import { gcsHope } from "../../stores/artifacts/gcsErrors";
import { CloudError } from "./cloud";
import type { Clock } from "./clock";

/** As long as the store or the cloud may be away before following ends; the run goes on all the same. */
const PATIENCE_MS = 10 * 60_000;
const LONGEST_PAUSE_MS = 10_000;

/** Errors that pass, and how long they may last. */
export class Trouble {
    private since?: number;
    private pause = 1_000;

    constructor(private readonly clock: Clock) {}

    /** How long to wait before the next try. @throws what does not pass, or has lasted too long */
    pauseAfter(error: unknown): number {
        const now = this.clock.now();
        this.since ??= now;
        if (!passes(error) || now - this.since > PATIENCE_MS) {
            throw error;
        }
        this.pause = Math.min(this.pause * 2, LONGEST_PAUSE_MS);
        return this.pause;
    }

    over(): void {
        this.since = undefined;
        this.pause = 1_000;
    }
}

function passes(error: unknown): boolean {
    return error instanceof CloudError
        ? error.passing
        : error instanceof StoreError && error.cause !== undefined && gcsHope(error.cause) !== undefined;
}
