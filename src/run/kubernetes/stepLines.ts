import { LineSplitter } from "../lines";
import type { LogCount } from "../stream";

/** How far a step's try was read: behind `since` lines after the place at which the runner had counted `lines`. */
export interface StepPosition {
    readonly lines: number;
    /** Of the try, up to that place; undefined: it is the try's beginning. */
    readonly bytes?: number;
    readonly since: number;
    /** Where the try's lines begin in the log file, if that is known. */
    readonly at?: number;
    /** All of the try was counted. */
    readonly closed?: boolean;
    /** Some of those were passed on before anybody knew whether they were all. */
    readonly unsure?: boolean;
}

/** More than that is not kept in order to be compared. */
const MAX_KEPT_BYTES = 16 << 20;

/** The lines of a step's try since the runner has last counted them. */
export class StepLines {
    /** Passed on, since the last count; of those before `known` the texts are not known. */
    private passedOn: string[] = [];
    private known: number;
    private number: number;
    private keptBytes = 0;

    constructor(private base: StepPosition) {
        this.known = base.since;
        this.number = base.since;
    }

    get position(): StepPosition {
        return { ...this.base, since: this.number };
    }

    /** Whether lines of this place on were passed on uncounted. */
    unsureFrom(position: StepPosition): boolean {
        return position.lines === this.base.lines && (this.base.unsure === true || this.passedOn.length > 0);
    }

    received(texts: readonly string[]): void {
        this.number += texts.length;
    }

    /** Lines that could not be held back until they were counted. */
    passed(texts: readonly string[]): void {
        for (const text of texts) {
            this.keptBytes += text.length;
            this.passedOn.push(text);
        }
        if (this.keptBytes > MAX_KEPT_BYTES) {
            this.known = NaN;
            this.passedOn = [];
            this.keptBytes = 0;
        }
    }

    /** How many of those that the runner has counted did not come. */
    missing(count: LogCount): number {
        return count.lines - this.base.lines - this.number;
    }

    get closed(): boolean {
        return this.base.closed === true;
    }

    countedTo(count: LogCount): void {
        this.base = behind(count);
        this.passedOn = [];
        this.known = 0;
        this.number = 0;
        this.keptBytes = 0;
    }

    /** Where in the step's log file the lines since the last count begin; undefined if no count has told it. */
    get rest(): number | undefined {
        const { at, bytes = 0 } = this.base;
        return at === undefined ? undefined : at + bytes;
    }

    /** Where in the step's log file the lines since the last count are. */
    rangeTo(count: LogCount): { start: number; bytes: number } {
        const from = this.base.bytes ?? 0;
        return { start: count.at + from, bytes: count.bytes - from };
    }

    /**
     * What is missing among `pieces`, all lines since the last count: `late` belongs before what was passed on already,
     * `rest` takes the place of what was held back. Undefined if that can't be told.
     */
    complete(
        pieces: readonly string[],
        held: readonly string[],
    ): { late: string[]; rest: string[] } | undefined {
        if (this.base.unsure) {
            return undefined;
        }
        const late: string[] = [];
        let at = this.known;
        for (const text of this.passedOn) {
            while (at < pieces.length && pieces[at] !== text) {
                late.push(pieces[at++] as string);
            }
            at++;
        }
        const rest = pieces.slice(at);
        return at <= pieces.length && rest.length >= held.length ? { late, rest } : undefined;
    }
}

/** The place at which the runner has counted. */
export function behind({ lines, at, bytes, last = false }: LogCount): StepPosition {
    return { lines, at, bytes, closed: last, since: 0 };
}

/** How long a piece of a line is that the runner sends, see src/runner/schedule.sh: what one write to a pipe keeps together. */
export function mostOf(step: string): number {
    return 4096 - step.length - 2;
}

/** The lines of a log file as the runner sends them: those longer than `most` bytes in pieces, none within a character. */
export function piecesOf(bytes: Buffer, most: number): string[] {
    const pieces: string[] = [];
    const splitter = new LineSplitter();
    for (let start = 0; start < bytes.length;) {
        const found = bytes.indexOf(10, start);
        const end = found < 0 ? bytes.length : found;
        for (let at = start; ;) {
            const cut = most > 0 && end - at > most ? cutWithin(bytes, at, most) : end;
            pieces.push(...splitter.push(Buffer.concat([bytes.subarray(at, cut), Buffer.from("\n")])));
            at = cut;
            if (at >= end) {
                break;
            }
        }
        start = end + 1;
    }
    return pieces;
}

function cutWithin(bytes: Buffer, at: number, most: number): number {
    let cut = at + most;
    while (cut > at + most - 4 && isInside(bytes[cut])) {
        cut--;
    }
    return cut;
}

/** Of a character in UTF-8, and not its first byte. */
function isInside(byte: number | undefined): boolean {
    return byte !== undefined && byte >= 0x80 && byte < 0xc0;
}
