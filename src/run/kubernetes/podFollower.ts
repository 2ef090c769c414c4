import { setTimeout as delay } from "node:timers/promises";
import type { FollowItem } from "../follower";
import { RecordStream } from "../stream";
import { CompleteLog } from "./completeLog";
import type { LogState } from "./heldItems";
import { ApiError, type Api } from "./connection";
import { podsPath } from "./job";
import { hasEnded, RUN_CONTAINER, runContainer, WORK_DIR, type Pod } from "./objects";
import { PodLogReader, sinceTime, type LogPart, type LogPosition } from "./podLog";
import { podRecord } from "./podRecord";

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;
/** A dropped stream is nothing to tell of; one that stays away is. */
const TELL_AFTER_MS = 5_000;
/** The log of a pod that has ended may have been thrown away, although the pod is still there. */
const GIVE_UP_AFTER_MS = 60_000;

/** Where the following of an attempt stands: in which pod's log, and how far. */
export interface Bookmark extends LogPosition {
    readonly pod: string;
    readonly created: string;
    /** What had been read of it there. */
    readonly log?: LogState;
}

export function readBookmark(text: string | undefined): Bookmark | undefined {
    return text ? (JSON.parse(text) as Bookmark) : undefined;
}

export interface PodFollowerOptions {
    readonly api: Api;
    /** As the watch sees it. */
    readonly pod: { readonly now: Pod; readonly gone: boolean };
    readonly runId: string;
    readonly nonce: string;
    readonly attempt: number;
    readonly emit: (item: FollowItem) => Promise<void>;
    /** Resolves when something may have changed. */
    readonly change: () => Promise<void>;
    readonly signal: AbortSignal;
    readonly from?: Bookmark;
}

/** Reads one pod's log to its end, over dropped connections, and tells what the runner said in it. */
export class PodFollower {
    private readonly reader: PodLogReader;
    private readonly stream: RecordStream;
    private readonly log: CompleteLog;
    /** The runner's last words, when it did not end by itself. */
    private interrupted?: string;
    private finished = false;
    /** The runner has said its last word. */
    private over = false;
    private read = false;
    private troubleSince?: number;

    constructor(private readonly options: PodFollowerOptions) {
        const { api, pod, runId, from, nonce, attempt } = options;
        this.reader = new PodLogReader(from && { time: from.time, count: from.count });
        this.stream = new RecordStream({ nonce, attempt });
        this.log = new CompleteLog({
            record: podRecord(api, pod.now.metadata.name, `${WORK_DIR}/${runId}`),
            emit: (item) => this.pass(item),
            from: from?.log,
        });
    }

    /** `"finished"`: the runner has ended the run; else what it said of being told to end, once the pod has ended. */
    async follow(): Promise<"finished" | string | undefined> {
        await this.tellImage();
        try {
            await this.readLog();
            await this.log.take(this.stream.end(), 0);
        } finally {
            await this.log.end();
        }
        if (this.finished) {
            return "finished";
        }
        while (!this.ended && !this.options.signal.aborted) {
            await this.options.change();
        }
        return this.interrupted;
    }

    private get ended(): boolean {
        const { now, gone } = this.options.pod;
        return gone || hasEnded(now) || runContainer(now)?.state?.terminated !== undefined;
    }

    private async readLog(): Promise<void> {
        let pause = FIRST_PAUSE_MS;
        while (!this.options.signal.aborted) {
            // What is asked for after its end, and answered to the end, is the whole of it.
            const { ended } = this;
            const begun = Date.now();
            try {
                await this.readOnce(!ended);
                this.troubleSince = undefined;
                if (ended || this.over) {
                    return;
                }
            } catch (error) {
                if (this.options.signal.aborted || (await this.isOver(error as Error))) {
                    return;
                }
            }
            pause =
                Date.now() - begun > LONGEST_PAUSE_MS
                    ? FIRST_PAUSE_MS
                    : Math.min(2 * pause, LONGEST_PAUSE_MS);
            await Promise.race([
                delay(pause, undefined, { signal: this.options.signal }).catch(() => undefined),
                ...(this.troubleSince === undefined ? [this.options.change()] : []),
            ]);
        }
    }

    private async readOnce(follow: boolean): Promise<void> {
        const { api, pod, signal } = this.options;
        this.reader.restart();
        const position = this.reader.at;
        const stream = await api.stream(
            {
                path: `${podsPath(api)}/${pod.now.metadata.name}/log`,
                query: {
                    container: RUN_CONTAINER,
                    timestamps: true,
                    follow,
                    sinceTime: position && sinceTime(position),
                },
            },
            signal,
        );
        for await (const chunk of stream) {
            this.troubleSince = undefined;
            await this.take(this.reader.push(chunk));
            if (this.over) {
                return;
            }
        }
        await this.take(this.reader.flush());
    }

    private async take({ bytes, position, gap }: LogPart): Promise<void> {
        if (gap) {
            await this.tell("lines may be missing here: the cluster has rotated the log before it was read");
        }
        if (bytes.length > 0) {
            this.read = true;
            const items = this.stream.push(bytes);
            this.over ||= items.some((item) => item.type === "event" && item.event.type === "run.finished");
            await this.log.take(
                items,
                bytes.length,
                position && ((log) => this.bookmark({ ...position, log })),
            );
        }
    }

    private bookmark(at: Omit<Bookmark, "pod" | "created">): string {
        const { uid, creationTimestamp } = this.options.pod.now.metadata;
        const mark: Bookmark = { pod: uid, created: creationTimestamp ?? "", ...at };
        return JSON.stringify(mark);
    }

    private async pass(item: FollowItem): Promise<void> {
        if (item.type === "event" && item.event.type === "run.finished") {
            if (item.event.state === "Interrupted") {
                // Not the run's end: who took the pod is told by the cluster.
                this.interrupted = item.event.message;
                return;
            }
            this.finished = true;
        }
        await this.options.emit(item);
    }

    // Whether nothing more can be read; else the connection was dropped, or the node does not answer just now.
    private async isOver(error: Error): Promise<boolean> {
        const status = error instanceof ApiError ? error.status : undefined;
        this.troubleSince ??= Date.now();
        if ((status === 404 || status === 400) && (await this.isGone())) {
            if (!this.over) {
                const what = this.read ? "the end of its log" : "its log";
                await this.tell(`the pod ${this.options.pod.now.metadata.name} is gone, and ${what} with it`);
            }
            return true;
        }
        if (status === 401 || status === 403) {
            throw new ApiError(
                status,
                `the pod's log can't be read: ${error.message}. Give the right to get pods/log (see the page on Kubernetes).`,
            );
        }
        if (Date.now() - this.troubleSince > TELL_AFTER_MS) {
            await this.options.emit({
                type: "status",
                text: `the pod's log can't be read just now: ${error.message}`,
            });
        }
        return false;
    }

    // A kubelet that has just started does not know its pods yet, and says the same as when one is gone.
    private async isGone(): Promise<boolean> {
        const { api, pod } = this.options;
        const { name, uid } = pod.now.metadata;
        if (this.ended && Date.now() - (this.troubleSince ?? 0) > GIVE_UP_AFTER_MS) {
            return true;
        }
        try {
            return (await api.json<Pod>({ path: `${podsPath(api)}/${name}` })).metadata.uid !== uid;
        } catch (error) {
            return error instanceof ApiError && error.status === 404;
        }
    }

    private tell(text: string): Promise<void> {
        // Behind what was read before.
        return this.log.take([{ type: "log", lines: [{ step: "", text: `stackrun: ${text}` }] }], 0);
    }

    private async tellImage(): Promise<void> {
        const container = runContainer(this.options.pod.now);
        const digest = /sha256:[0-9a-f]{64}/.exec(container?.imageID ?? "")?.[0];
        if (container?.image && digest) {
            await this.options.emit({ type: "image", ref: container.image, digest });
        }
    }
}
