import type { ResourceLog } from "../engineLog";

/** As long as a target that does not answer is waited for. */
const PATIENCE_MS = 60_000;
const TELL_AFTER_MS = 3_000;

/**
 * Reads what a run has left at its target, which is about to be deleted. That it can't be had is told, and is no reason to
 * keep the target.
 */
export async function readRest(
    runId: string,
    { log, signal }: { readonly log: ResourceLog; readonly signal: AbortSignal },
    read: (stop: AbortSignal) => Promise<unknown>,
): Promise<void> {
    const late = new AbortController();
    const told = setTimeout(() => log.info(`reading the rest of the log of run ${runId} …`), TELL_AFTER_MS);
    const timer = setTimeout(() => late.abort(), PATIENCE_MS);
    const lost = (why: string) => log.info(`the rest of the log of run ${runId} can't be had: ${why}`);
    try {
        await read(AbortSignal.any([signal, late.signal]));
        if (late.signal.aborted) {
            lost(`its target has not answered within ${PATIENCE_MS / 1000} s`);
        }
    } catch (error) {
        lost((error as Error).message);
    } finally {
        clearTimeout(told);
        clearTimeout(timer);
    }
}
