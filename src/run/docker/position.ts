import type { Piece } from "./demux";

/**
 * How many bytes of each stream have been had. The daemon gives a container's log from its beginning, byte for byte the
 * same: skipping what was had loses nothing and doubles nothing, which times (`since`) can't promise.
 */
export class Position {
    private readonly had = { stdout: 0, stderr: 0 };
    private readonly skipping = { stdout: 0, stderr: 0 };

    /** @throws Error if the text is no bookmark of this follower. */
    static parse(bookmark: string | undefined): Position {
        const position = new Position();
        if (bookmark !== undefined) {
            const match = /^(\d+)\+(\d+)$/.exec(bookmark);
            if (!match) {
                throw new Error(`the bookmark ${JSON.stringify(bookmark)} is none of the docker follower`);
            }
            position.had.stdout = Number(match[1]);
            position.had.stderr = Number(match[2]);
        }
        return position;
    }

    /** The log is read from its beginning again. */
    rewind(): void {
        this.skipping.stdout = this.had.stdout;
        this.skipping.stderr = this.had.stderr;
    }

    /** What of a piece is new. */
    fresh({ stream, bytes }: Piece): Buffer {
        const skipped = Math.min(this.skipping[stream], bytes.length);
        this.skipping[stream] -= skipped;
        this.had[stream] += bytes.length - skipped;
        return bytes.subarray(skipped);
    }

    /** Right behind all whole lines, if these numbers of bytes are pending behind them. */
    bookmark(pending: { stdout: number; stderr: number }): string {
        return `${this.had.stdout - pending.stdout}+${this.had.stderr - pending.stderr}`;
    }
}
