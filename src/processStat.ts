/** What the system says of a process. */
export interface ProcessStat {
    /** `Z` is a process that has ended and was not waited for. */
    readonly state: string;
    /** When it started, in the kernel's ticks: tells it from a later one of the same number. Empty: not known. */
    readonly startTime: string;
}

/** Reads the text of `/proc/PID/stat`. */
export function parseProcessStat(text: string): ProcessStat {
    // The command's name stands in brackets and may hold anything, brackets and spaces too.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0] ?? "", startTime: fields[19] ?? "" };
}
