import type { RunnerEvent } from "./events";
import type { FollowItem, LogLine } from "./follower";
import { LineSplitter, toLogLine } from "./lines";

/** Which events are the runner's own. */
export interface StreamOptions {
    /** What every event of the attempt carries. */
    readonly nonce: string;
    readonly attempt: number;
}

/** Said now and then beside the lines, and no event: how many lines of a step's try there were so far. */
export interface LogCount {
    readonly type: "log.count";
    readonly nonce: string;
    readonly attempt: number;
    readonly step: string;
    readonly lines: number;
    /** Of the step's log file: where the try's lines begin, how many bytes they have, and the longest that comes in one piece. */
    readonly at: number;
    readonly bytes: number;
    readonly most: number;
    /** The try's output is at its end. */
    readonly last?: boolean;
}

const RECORD_SEPARATOR = "\u001e";

/**
 * Reads what a runner says on its standard output, where only that can be read: RFC 7464 records for events
 * (https://www.rfc-editor.org/rfc/rfc7464), `step<TAB>text` for lines. What only looks like an event is a line.
 */
export class RunnerStream {
    private readonly records: RecordStream;
    /** Lines of each step's present try, where its beginning was seen. */
    private readonly counts = new Map<string, number>();

    constructor(options: StreamOptions) {
        this.records = new RecordStream(options);
    }

    /** What these bytes complete. */
    push(bytes: Buffer): FollowItem[] {
        return this.told(this.records.push(bytes));
    }

    /** Whole lines, where what carries them has split them already. */
    items(lines: readonly string[]): FollowItem[] {
        return this.told(this.records.items(lines));
    }

    /** A last line without an end, when nothing more will come. */
    end(): FollowItem[] {
        return this.told(this.records.end());
    }

    // A platform may have lost some of the log: that is told, because it can't be seen.
    private told(items: readonly (FollowItem | CountItem)[]): FollowItem[] {
        return items.flatMap((item): FollowItem[] => {
            if (item.type === "count") {
                const { step, lines } = item.count;
                const missing = lines - (this.counts.get(step) ?? NaN);
                this.counts.set(step, lines);
                return missing > 0 ? [{ type: "log", lines: [missingLines(step, missing)] }] : [];
            }
            if (item.type === "log") {
                for (const { step } of item.lines) {
                    this.counts.set(step, (this.counts.get(step) ?? NaN) + 1);
                }
            } else if (item.type === "event" && item.event.type === "step.started") {
                this.counts.set(item.event.step, 0);
            }
            return [item];
        });
    }
}

/** Stands where lines are missing that can't be had any more. */
export function missingLines(step: string, number: number): LogLine {
    const what = number === 1 ? "1 line is" : `${number} lines are`;
    return { step, text: `stackrun: ${what} missing above: the platform's log has lost them` };
}

/** Where lines may be missing, and nobody knows how many. */
export function perhapsMissing(step: string): LogLine {
    return {
        step,
        text: "stackrun: lines may be missing above: the platform's log has lost how many there were",
    };
}

/** Where the runner has counted a step's lines. */
export interface CountItem {
    readonly type: "count";
    readonly count: LogCount;
}

/** What a runner says on its standard output, its counts of lines among it. */
export class RecordStream {
    private readonly splitter = new LineSplitter();

    constructor(private readonly options: StreamOptions) {}

    push(bytes: Buffer): (FollowItem | CountItem)[] {
        return this.items(this.splitter.push(bytes));
    }

    end(): (FollowItem | CountItem)[] {
        return this.items(this.splitter.rest());
    }

    items(lines: readonly string[]): (FollowItem | CountItem)[] {
        const items: (FollowItem | CountItem)[] = [];
        let log: LogLine[] = [];
        for (const line of lines) {
            const record = this.record(line);
            if (!record) {
                log.push(toLogLine(line));
                continue;
            }
            if (log.length > 0) {
                items.push({ type: "log", lines: log });
                log = [];
            }
            items.push(
                record.type === "log.count"
                    ? { type: "count", count: record }
                    : { type: "event", event: record },
            );
        }
        if (log.length > 0) {
            items.push({ type: "log", lines: log });
        }
        return items;
    }

    private record(line: string): RunnerEvent | LogCount | undefined {
        if (!line.startsWith(RECORD_SEPARATOR)) {
            return undefined;
        }
        try {
            const record = JSON.parse(line.slice(1)) as RunnerEvent | LogCount;
            const { nonce, attempt } = this.options;
            return record.nonce === nonce && record.attempt === attempt ? record : undefined;
        } catch {
            return undefined;
        }
    }
}
