import { RunnerStream } from "../stream";
import type { FollowItem } from "../follower";
import { LineSplitter } from "../lines";
import type { Piece } from "./demux";
import type { Position } from "./position";

const LINE_FEED = 10;

/** Makes items of what a container prints. Bookmarks stand where both streams are at the end of a line. */
export class LogReader {
    private readonly runner: RunnerStream;
    private readonly errors = new LineSplitter();
    private readonly pending = { stdout: 0, stderr: 0 };
    private items: FollowItem[] = [];

    constructor(
        options: { readonly nonce: string; readonly attempt: number },
        private readonly position: Position,
    ) {
        this.runner = new RunnerStream(options);
    }

    /** Takes in what is new in a piece. */
    take(piece: Piece): void {
        const bytes = this.position.fresh(piece);
        const end = bytes.lastIndexOf(LINE_FEED) + 1;
        this.pending[piece.stream] = end > 0 ? bytes.length - end : this.pending[piece.stream] + bytes.length;
        const items =
            piece.stream === "stdout" ? this.runner.push(bytes) : this.said(this.errors.push(bytes));
        const last = items.pop();
        if (last) {
            this.items.push(...items, { ...last, bookmark: this.position.bookmark(this.pending) });
        }
    }

    /** The first item that was not passed on yet; it stays the first one until `passed` is called. */
    get next(): FollowItem | undefined {
        return this.items[0];
    }

    passed(): void {
        this.items.shift();
    }

    /** The log is read from its beginning again: what is pending of a line has been had. */
    rewind(): void {
        this.position.rewind();
    }

    /** Last lines without an end, when nothing more will come. */
    end(): void {
        this.items.push(...this.runner.end(), ...this.said(this.errors.rest()));
    }

    // What a container prints on stderr is said by the launcher and the runner: a step's stderr goes into its log.
    private said(lines: readonly string[]): FollowItem[] {
        return lines.length > 0 ? [{ type: "log", lines: lines.map((text) => ({ step: "", text })) }] : [];
    }
}
