import type { FollowItem } from "../follower";
import { RecordStream, type StreamOptions } from "../stream";
import type { Position } from "./bookmark";
import type { AttemptObjects } from "./objects";

/** As many are asked for at once, when there are many: pieces have a MiB at most. */
const MOST_AHEAD = 8;
const NEWLINE = 10;

/** An item of the stream, and where one can go on behind it. */
export interface ReadItem {
    readonly item: FollowItem;
    readonly position: Position;
}

/**
 * The stream of one boot of the machine, in the pieces in which it comes to the store. Numbers of items are the same
 * wherever reading began: lines that a piece leaves open are known before the next one is read.
 */
export class Pieces {
    private readonly stream: RecordStream;
    private next: number;
    private ahead: Promise<Buffer | undefined>[] = [];
    private most = 1;
    private primed: boolean;
    private skip: number;

    constructor(
        private readonly objects: AttemptObjects,
        options: StreamOptions,
        private readonly from: Position,
    ) {
        this.stream = new RecordStream(options);
        this.next = Math.max(1, from.piece);
        this.skip = from.piece === 0 ? 0 : from.index;
        this.primed = this.next === 1;
    }

    /** What the next piece completes; `undefined`: it is not there yet. `fresh`: asked for anew, because all is there now. */
    async read(fresh = false): Promise<ReadItem[] | undefined> {
        if (!this.primed) {
            await this.prime();
            this.primed = true;
        }
        const bytes = await this.take(fresh);
        if (!bytes) {
            return undefined;
        }
        const piece = this.next++;
        return this.positioned(this.items(bytes), piece);
    }

    /** A last line without an end, when nothing more will come. */
    end(): ReadItem[] {
        const items = this.stream.end().filter((item) => item.type !== "count") as FollowItem[];
        return this.positioned(items, this.next);
    }

    private items(bytes: Buffer): FollowItem[] {
        // The stream is whole: what the runner counts for those whose log may lose lines needs no look.
        return this.stream.push(bytes).filter((item): item is FollowItem => item.type !== "count");
    }

    private positioned(items: readonly FollowItem[], piece: number): ReadItem[] {
        const { skip } = this;
        this.skip = 0;
        const { generation } = this.from;
        return items
            .map((item, index) => ({ item, position: { generation, piece, index: index + 1 } }))
            .slice(skip);
    }

    // A line may have begun pieces ago: they are read from the last line's end that is before this one.
    private async prime(): Promise<void> {
        const open: Buffer[] = [];
        for (let piece = this.next - 1; piece > 0; piece--) {
            const bytes = await this.objects.piece(this.from.generation, piece);
            if (!bytes) {
                break;
            }
            const end = bytes.lastIndexOf(NEWLINE);
            open.unshift(bytes.subarray(end + 1));
            if (end >= 0) {
                break;
            }
        }
        open.forEach((bytes) => this.stream.push(bytes));
    }

    private async take(fresh: boolean): Promise<Buffer | undefined> {
        if (fresh) {
            this.ahead = [];
        }
        while (this.ahead.length < this.most) {
            const read = this.objects.piece(this.from.generation, this.next + this.ahead.length);
            // Those that are not waited for any more fail unheard.
            read.catch(() => undefined);
            this.ahead.push(read);
        }
        let bytes: Buffer | undefined;
        try {
            bytes = await this.ahead.shift();
        } finally {
            if (bytes === undefined) {
                this.ahead = [];
                this.most = 1;
            } else {
                this.most = Math.min(MOST_AHEAD, this.most * 2);
            }
        }
        return bytes;
    }
}
