import type { RunnerEvent } from "./events";
import type { FollowItem, LogLine } from "./follower";
import { LineSplitter, toLogLine } from "./lines";

/** Which events are the runner's own. */
export interface StreamOptions {
    /** What every event of the attempt carries. */
    readonly nonce: string;
    readonly attempt: number;
}

const RECORD_SEPARATOR = "\u001e";

/**
 * Reads what a runner says on its standard output, where only that can be read: RFC 7464 records for events
 * (https://www.rfc-editor.org/rfc/rfc7464), `step<TAB>text` for lines. What only looks like an event is a line.
 */
export class RunnerStream {
    private readonly splitter = new LineSplitter();

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
            const event = this.event(line);
            if (!event) {
                log.push(toLogLine(line));
                continue;
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

    private event(line: string): RunnerEvent | undefined {
        if (!line.startsWith(RECORD_SEPARATOR)) {
            return undefined;
        }
        try {
            const event = JSON.parse(line.slice(1)) as RunnerEvent;
            const { nonce, attempt } = this.options;
            return event.nonce === nonce && event.attempt === attempt ? event : undefined;
        } catch {
            return undefined;
        }
    }
}
