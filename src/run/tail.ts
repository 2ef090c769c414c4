import * as fs from "node:fs/promises";
import type { LogLine } from "./follower";

const CHUNK_BYTES = 1 << 20;
/** What is shown of one line; the log itself has all of it. */
const MAX_SHOWN_BYTES = 16 * 1024;

/** Reads what is appended to a file, in whole lines; memory does not grow with the file or with a line. */
export class Tail {
    private pending: Buffer[] = [];
    private pendingBytes = 0;
    private readonly chunk = Buffer.allocUnsafe(CHUNK_BYTES);

    constructor(
        private readonly file: string,
        private offset: number,
    ) {}

    /** The next lines, at most about one chunk of them; none at the file's present end. */
    async next(): Promise<string[]> {
        const handle = await fs.open(this.file).catch(() => undefined);
        if (!handle) {
            return [];
        }
        try {
            for (;;) {
                const { bytesRead } = await handle.read(this.chunk, 0, CHUNK_BYTES, this.offset);
                if (bytesRead === 0) {
                    return [];
                }
                this.offset += bytesRead;
                const lines = this.split(this.chunk.subarray(0, bytesRead));
                if (lines.length > 0) {
                    return lines;
                }
            }
        } finally {
            await handle.close();
        }
    }

    /** What stands behind the last line's end, when nothing more will be written. */
    rest(): string[] {
        return this.pendingBytes > 0 ? [this.take(Buffer.alloc(0))] : [];
    }

    private split(bytes: Buffer): string[] {
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
