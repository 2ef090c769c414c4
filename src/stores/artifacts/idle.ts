/** A connection that is there, and over which nothing comes. */
class Stalled extends Error {
    readonly code = "ETIMEDOUT";
}

/**
 * Does `work`, and stops it through `until` when nothing has moved for `idleMs`, or when `signal` is aborted.
 * `work` calls `moved` for everything that goes over.
 */
export async function whileMoving<T>(
    idleMs: number,
    signal: AbortSignal | undefined,
    work: (moved: () => void, until: AbortSignal) => Promise<T>,
): Promise<T> {
    const idle = new AbortController();
    const timer = setTimeout(() => idle.abort(), idleMs);
    const until = signal ? AbortSignal.any([signal, idle.signal]) : idle.signal;
    try {
        return await work(() => void timer.refresh(), until);
    } catch (error) {
        if (idle.signal.aborted && !signal?.aborted) {
            throw new Stalled(`nothing has moved for ${idleMs / 1000} s`, { cause: error });
        }
        throw error;
    } finally {
        clearTimeout(timer);
    }
}
