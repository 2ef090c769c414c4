import type { RunnerEvent } from "../events";
import type { FollowItem } from "../follower";
import { writeBookmark, type Position } from "./bookmark";
import type { Context } from "./context";
import { cancelledEnd } from "./endings";
import { Pieces, type ReadItem } from "./pieces";

/** The attempt's stream, boot after boot of its machine. */
export class Reader {
    private pieces: Pieces;
    private pending: ReadItem[] = [];

    constructor(
        private readonly context: Pick<Context, "objects" | "signal">,
        private readonly nonce: string,
        private position: Position,
        /** Called when something has come. */
        private readonly onRead: () => void,
    ) {
        this.pieces = this.piecesFrom(position);
    }

    /** The boot that is read, or waited for. */
    get generation(): number {
        return this.position.generation;
    }

    /** Of where reading stands. */
    get bookmark(): string {
        return writeBookmark(this.position);
    }

    /** On to the machine's next boot. */
    advance(): void {
        this.position = { generation: this.generation + 1, piece: 0, index: 0 };
        this.pieces = this.piecesFrom(this.position);
    }

    /**
     * Passes on what there is. `last`: nothing more will come of this boot.
     * @returns whether the runner has said how the attempt ended
     */
    async *read(last: boolean): AsyncGenerator<FollowItem, boolean> {
        for (let fresh = last; ; fresh = false) {
            if (yield* this.passOn()) {
                return true;
            }
            const read = await this.pieces.read(fresh);
            this.pending = read ?? (last ? this.pieces.end() : []);
            if (!read || this.context.signal.aborted) {
                return yield* this.passOn();
            }
            this.onRead();
        }
    }

    // One that could not be passed on, because something failed, is the first one of the next time.
    private async *passOn(): AsyncGenerator<FollowItem, boolean> {
        for (let [next] = this.pending; next; [next] = this.pending) {
            const passed = await this.passed(next.item);
            this.pending.shift();
            this.position = next.position;
            if (passed) {
                yield { ...passed, bookmark: this.bookmark };
            }
            if (passed?.type === "event" && passed.event.type === "run.finished") {
                return true;
            }
        }
        return false;
    }

    // That the runner was told to end is the attempt's end only where somebody has cancelled it.
    private async passed(item: FollowItem): Promise<FollowItem | undefined> {
        const isInterrupted =
            item.type === "event" && item.event.type === "run.finished" && item.event.state === "Interrupted";
        if (!isInterrupted) {
            return item;
        }
        const cancel = await this.context.objects.fields("cancel");
        return cancel && { ...item, event: { ...item.event, ...cancelledEnd(cancel) } as RunnerEvent };
    }

    private piecesFrom(from: Position): Pieces {
        const { objects } = this.context;
        return new Pieces(objects, { nonce: this.nonce, attempt: objects.run.attempt }, from);
    }
}
