import { setTimeout as sleep } from "node:timers/promises";

/** How long to go on trying. */
export interface Patience {
    /** After so long without any progress it is given up. */
    readonly busyMs: number;
    /** The same where nothing answers at all: an address that is wrong does not become right by waiting. */
    readonly unreachedMs: number;
    /** The first pause; each one is twice as long as the one before. */
    readonly firstPauseMs: number;
    readonly longestPauseMs: number;
    /**
     * A transfer of which nothing has gone over for so long counts as broken. Not every client tells that a connection broke
     * in the middle of an answer.
     */
    readonly idleMs: number;
}

export const PATIENCE: Patience = {
    busyMs: 180_000,
    unreachedMs: 15_000,
    firstPauseMs: 500,
    longestPauseMs: 30_000,
    idleMs: 30_000,
};

/** What an error says of trying again: the store is there, nothing answers, or (`undefined`) it would be in vain. */
export type Hope = "busy" | "unreached" | undefined;

export interface Retrying {
    readonly patience: Patience;
    readonly hopeOf: (error: unknown) => Hope;
    readonly signal?: AbortSignal;
}

/**
 * Does `work` until it succeeds, as long as there is hope. `work` calls what it is given whenever something has gone over:
 * pauses and patience then begin anew. When the signal is aborted, what `work` still does is not waited for.
 */
export async function retrying<T>(
    { patience, hopeOf, signal }: Retrying,
    work: (progressed: () => void) => Promise<T>,
): Promise<T> {
    let since = Date.now();
    let pause = patience.firstPauseMs;
    const progressed = () => {
        since = Date.now();
        pause = patience.firstPauseMs;
    };
    for (;;) {
        signal?.throwIfAborted();
        try {
            return await abortable(work(progressed), signal);
        } catch (error) {
            signal?.throwIfAborted();
            const hope = hopeOf(error);
            const left = { busy: patience.busyMs, unreached: patience.unreachedMs };
            if (hope === undefined || Date.now() + pause - since > left[hope]) {
                throw error;
            }
        }
        // Not all at the same time: many may have been turned away together.
        await sleep(pause * (0.5 + Math.random() / 2), undefined, { signal });
        pause = Math.min(pause * 2, patience.longestPauseMs);
    }
}

async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    if (!signal) {
        return work;
    }
    let onAbort = () => {};
    const aborted = new Promise<never>((_resolve, reject) => {
        onAbort = () => reject(signal.reason as Error);
        signal.addEventListener("abort", onAbort, { once: true });
    });
    try {
        return await Promise.race([work, aborted]);
    } finally {
        signal.removeEventListener("abort", onAbort);
    }
}
