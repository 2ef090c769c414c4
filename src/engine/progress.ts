/** Says what is going on, at once and then every few seconds with the time it has taken, until `work` is done. */
export async function withProgress<T>(
    what: string,
    { log, everyMs }: { log: (line: string) => void; everyMs: number },
    work: () => Promise<T>,
): Promise<T> {
    const start = Date.now();
    log(`${what} …`);
    const timer = setInterval(() => log(`${what} … ${elapsed(start)}`), everyMs);
    try {
        return await work();
    } finally {
        clearInterval(timer);
    }
}

/** "35 s", "2 min 5 s". */
export function elapsed(start: number, now = Date.now()): string {
    const seconds = Math.max(0, Math.round((now - start) / 1000));
    return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
