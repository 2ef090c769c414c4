/** Where the reading of a pod's log stands: behind the `count`th line that has the time stamp `time`. */
export interface LogPosition {
    readonly time: string;
    readonly count: number;
}

export interface LogPart {
    /** The lines without their time stamps; may end within a line that is not complete yet. */
    readonly bytes: Buffer;
    /** Behind the last complete line. */
    readonly position?: LogPosition;
    /** Lines between what was read before and what follows are gone. */
    readonly gap?: boolean;
}

/** Time stamps of one log are not quite in order: two of the container's streams are written side by side. */
const DISORDER_MS = 1_000;
const MAX_HELD_BYTES = 4 << 20;
const LF = 10;
const SPACE = 32;

/**
 * Reads a pod's log with time stamps, as the kubelet sends it, from where an earlier reading stands: what is asked for
 * again (it begins at a whole second) is left out, by its place in the log and not by its time alone, so that no line is
 * lost or comes twice. Memory does not grow with a line.
 */
export class PodLogReader {
    /** Still among lines that were read before. */
    private seeking: boolean;
    private seen = 0;
    private held: Buffer[] = [];
    private heldBytes = 0;
    private heldPosition?: LogPosition;
    private head: Buffer[] = [];
    private inLine: "head" | "keep" | "hold" | "skip" = "head";
    private gap = false;
    private lineTime = "";
    /** How much of the line behind the position was handed on, by connections that were dropped within it too. */
    private handedOn = 0;
    private lineAt = 0;

    constructor(private position?: LogPosition) {
        this.seeking = position !== undefined;
    }

    /** Before the log is read again, behind the last whole line: a connection may have been dropped within the next one. */
    restart(): void {
        this.seeking = this.position !== undefined;
        this.seen = 0;
        this.held = [];
        this.heldBytes = 0;
        this.heldPosition = undefined;
        this.head = [];
        this.inLine = "head";
    }

    /** Behind the last whole line that was handed on. */
    get at(): LogPosition | undefined {
        return this.position;
    }

    push(chunk: Buffer): LogPart {
        const out: Buffer[] = [];
        let at = 0;
        while (at < chunk.length) {
            if (this.inLine === "head") {
                const space = chunk.indexOf(SPACE, at);
                if (space < 0) {
                    this.head.push(Buffer.from(chunk.subarray(at)));
                    break;
                }
                this.begin(Buffer.concat([...this.head, chunk.subarray(at, space)]).toString("latin1"), out);
                this.head = [];
                at = space + 1;
            }
            const end = chunk.indexOf(LF, at);
            const stop = end < 0 ? chunk.length : end + 1;
            this.body(chunk.subarray(at, stop), out);
            at = stop;
            if (end >= 0) {
                this.end();
            }
        }
        return this.part(out);
    }

    /** Nothing more has come for a while, or the log is at its end. */
    flush(): LogPart {
        const out: Buffer[] = [];
        if (this.seeking && this.held.length > 0) {
            this.release(out);
        }
        return this.part(out);
    }

    private begin(time: string, out: Buffer[]): void {
        this.lineTime = time;
        this.lineAt = 0;
        const from = this.position;
        if (!this.seeking || !from) {
            this.inLine = "keep";
        } else if (time === from.time) {
            this.seen++;
            this.inLine = "skip";
            if (this.seen === from.count) {
                // All before it in the log was read before, whatever its time.
                this.seeking = false;
                this.held = [];
                this.heldBytes = 0;
            }
        } else if (compareTimes(time, from.time) < 0) {
            this.inLine = "skip";
        } else if (millisBetween(from.time, time) > DISORDER_MS || this.heldBytes > MAX_HELD_BYTES) {
            this.release(out);
            this.inLine = "keep";
        } else {
            this.inLine = "hold";
        }
    }

    private body(bytes: Buffer, out: Buffer[]): void {
        if (this.inLine === "keep") {
            const known = Math.max(0, Math.min(this.handedOn - this.lineAt, bytes.length));
            this.lineAt += bytes.length;
            this.handedOn = Math.max(this.handedOn, this.lineAt);
            out.push(bytes.subarray(known));
        } else if (this.inLine === "hold") {
            this.held.push(Buffer.from(bytes));
            this.heldBytes += bytes.length;
        }
    }

    private end(): void {
        if (this.inLine === "keep") {
            this.position = after(this.position, this.lineTime);
            this.handedOn = 0;
        } else if (this.inLine === "hold") {
            this.heldPosition = after(this.heldPosition, this.lineTime);
        }
        this.inLine = "head";
    }

    private release(out: Buffer[]): void {
        this.seeking = false;
        this.gap = true;
        if (this.handedOn > 0) {
            // Its rest won't come any more.
            out.push(Buffer.from("\n"));
            this.handedOn = 0;
        }
        out.push(...this.held);
        this.position = this.heldPosition ?? this.position;
        this.held = [];
        this.heldBytes = 0;
        if (this.inLine === "hold") {
            this.inLine = "keep";
        }
    }

    private part(out: Buffer[]): LogPart {
        const { gap } = this;
        this.gap = false;
        return { bytes: Buffer.concat(out), position: this.position, ...(gap ? { gap } : {}) };
    }
}

function after(position: LogPosition | undefined, time: string): LogPosition {
    return position?.time === time ? { time, count: position.count + 1 } : { time, count: 1 };
}

/** RFC 3339 with up to nine digits behind the point, in UTC or with an offset. */
function compareTimes(left: string, right: string): number {
    const seconds = wholeSeconds(left) - wholeSeconds(right);
    return seconds || nanos(left) - nanos(right);
}

function millisBetween(earlier: string, later: string): number {
    return (wholeSeconds(later) - wholeSeconds(earlier)) * 1000 + (nanos(later) - nanos(earlier)) / 1e6;
}

function wholeSeconds(time: string): number {
    return Date.parse(time.replace(/\.\d+/, "")) / 1000;
}

function nanos(time: string): number {
    return Number((/\.(\d+)/.exec(time)?.[1] ?? "").padEnd(9, "0"));
}

/** The second from which a log is asked for again: the API knows no finer time. */
export function sinceTime({ time }: LogPosition): string {
    return new Date(wholeSeconds(time) * 1000).toISOString().replace(".000Z", "Z");
}
