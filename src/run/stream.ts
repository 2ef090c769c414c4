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
interface LogCount {
    readonly type: "log.count";
    readonly nonce: string;
    readonly attempt: number;
    readonly step: string;
    readonly lines: number;
}

const RECORD_SEPARATOR = "\u001e";

/**
 * Reads what a runner says on its standard output, where only that can be read: RFC 7464 records for events
 * (https://www.rfc-editor.org/rfc/rfc7464), `step<TAB>text` for lines. What only looks like an event is a line.
 */
export class RunnerStream {
    private readonly splitter = new LineSplitter();
    /** Lines of each step's present try, where its beginning was seen. */
    private readonly counts = new Map<string, number>();

    constructor(private readonly options: StreamOptions) {}

    /** What these bytes complete. */
    push(bytes: Buffer): FollowItem[] {
        return this.items(this.splitter.push(bytes));
    }

    /** Whole lines, where what carries them has split them already. */
    items(lines: readonly string[]): FollowItem[] {
        const items: FollowItem[] = [];
        let log: LogLine[] = [];
        for (const line of lines) {
            const record = this.record(line);
            if (!record) {
                const read = toLogLine(line);
                log.push(read);
                this.counts.set(read.step, (this.counts.get(read.step) ?? NaN) + 1);
                continue;
            }
            if (record.type === "log.count") {
                log.push(...this.compare(record));
                continue;
            }
            const event = record;
            if (event.type === "step.started") {
                this.counts.set(event.step, 0);
            }
            if (log.length > 0) {
                items.push({ type: "log", lines: log });
                log = [];
            }
            items.push({ type: "event", event });
        }
        if (log.length > 0) {
            items.push({ type: "log", lines: log });
        }
        return items;
    }

    /** A last line without an end, when nothing more will come. */
    end(): FollowItem[] {
        return this.items(this.splitter.rest());
    }

    // A platform may have lost some of the log: that is told, because it can't be seen.
    private compare({ step, lines }: LogCount): LogLine[] {
        const missing = lines - (this.counts.get(step) ?? NaN);
        this.counts.set(step, lines);
        const what = missing === 1 ? "1 line is" : `${missing} lines are`;
        return missing > 0
            ? [{ step, text: `stackrun: ${what} missing above: the platform's log has lost them` }]
            : [];
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
