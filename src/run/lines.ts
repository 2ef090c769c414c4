import type { LogLine } from "./follower";

/** What is shown of one line; the log itself has all of it. */
const MAX_SHOWN_BYTES = 16 * 1024;

/** Makes whole lines of pieces of bytes; memory does not grow with a line. */
export class LineSplitter {
    private pending: Buffer[] = [];
    private pendingBytes = 0;

    /** The lines that end in these bytes. */
    push(bytes: Buffer): string[] {
        const end = bytes.lastIndexOf(10);
        if (end < 0) {
            this.keep(bytes);
            return [];
        }
        const first = bytes.indexOf(10);
        const line = this.take(bytes.subarray(0, first));
        const more =
            end > first
                ? bytes
                      .toString("utf8", first + 1, end)
                      .split("\n")
                      .map(shorten)
                : [];
        this.keep(bytes.subarray(end + 1));
        return [line, ...more];
    }

    /** What stands behind the last line's end, when nothing more will come. */
    rest(): string[] {
        return this.pendingBytes > 0 ? [this.take(Buffer.alloc(0))] : [];
    }

    private keep(bytes: Buffer): void {
        const room = Math.max(
            0,
            MAX_SHOWN_BYTES + 1 - this.pending.reduce((sum, part) => sum + part.length, 0),
        );
        if (bytes.length > 0) {
            this.pending.push(Buffer.from(bytes.subarray(0, room)));
            this.pendingBytes += bytes.length;
        }
    }

    private take(last: Buffer): string {
        this.keep(last);
        const text = Buffer.concat(this.pending).toString("utf8");
        const bytes = this.pendingBytes;
        this.pending = [];
        this.pendingBytes = 0;
        return bytes > MAX_SHOWN_BYTES ? cut(text, bytes) : text;
    }
}

/** `step<TAB>text`; a line without a tab is the runner's own. */
export function toLogLine(line: string): LogLine {
    const tab = line.indexOf("\t");
    return tab < 0 ? { step: "", text: line } : { step: line.slice(0, tab), text: line.slice(tab + 1) };
}

function shorten(line: string): string {
    return line.length > MAX_SHOWN_BYTES ? cut(line, Buffer.byteLength(line)) : line;
}

function cut(text: string, bytes: number): string {
    // Not within a character of two units.
    const start = text.slice(0, MAX_SHOWN_BYTES).replace(/[\uD800-\uDBFF]$/, "");
    return `${start} … (${bytes} bytes; the whole line is in the log)`;
}
