import { setTimeout as delay } from "node:timers/promises";
import { ApiError, type Api } from "./connection";
import type { KubeObject } from "./objects";

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
/** The API server ends a watch by then, and it is begun anew: a connection that died unseen is found out. */
const WATCH_SECONDS = 240;

export interface Selection {
    /** `/apis/batch/v1/namespaces/x/jobs` */
    readonly path: string;
    readonly fieldSelector?: string;
    readonly labelSelector?: string;
}

interface WatchEvent<T> {
    readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
    readonly object: T & { readonly code?: number; readonly message?: string };
}

/**
 * The objects of a selection as they are now: listed once, then kept up to date by a watch, which may be dropped,
 * expire, or find no server for a while.
 */
export class Collection<T extends KubeObject> {
    private readonly objects = new Map<string, T>();
    private readonly deleted = new Map<string, T>();
    private version?: string;
    /** Why it is not up to date just now. */
    trouble?: Error;

    constructor(
        private readonly api: Api,
        private readonly selection: Selection,
        private readonly changed: () => void,
        private readonly signal: AbortSignal,
    ) {}

    /** Lists once; throws if that fails. Then keeps itself up to date until the signal is aborted. */
    async start(): Promise<this> {
        await this.list();
        void this.keep();
        return this;
    }

    get items(): readonly T[] {
        return [...this.objects.values()];
    }

    get(uid: string): T | undefined {
        return this.objects.get(uid);
    }

    /** A deleted object as it was at its end, if the watch has seen that. */
    last(uid: string): T | undefined {
        return this.deleted.get(uid);
    }

    private async list(): Promise<void> {
        const { path, fieldSelector, labelSelector } = this.selection;
        const answer = await this.api.json<{ metadata: { resourceVersion?: string }; items: T[] }>({
            path,
            query: { fieldSelector, labelSelector },
        });
        this.objects.clear();
        for (const object of answer.items) {
            this.objects.set(object.metadata.uid, object);
        }
        this.version = answer.metadata.resourceVersion;
        this.trouble = undefined;
        this.changed();
    }

    private async keep(): Promise<void> {
        let pause = FIRST_PAUSE_MS;
        while (!this.signal.aborted) {
            const begun = Date.now();
            try {
                await (this.version === undefined ? this.list() : this.watch());
                this.trouble = undefined;
            } catch (error) {
                if (error instanceof ApiError && error.status === 410) {
                    this.version = undefined;
                    continue;
                }
                this.trouble = error as Error;
                if (!this.signal.aborted) {
                    this.changed();
                }
            }
            pause =
                Date.now() - begun > LONGEST_PAUSE_MS
                    ? FIRST_PAUSE_MS
                    : Math.min(2 * pause, LONGEST_PAUSE_MS);
            if (this.trouble || Date.now() - begun < 1000) {
                await delay(pause, undefined, { signal: this.signal }).catch(() => undefined);
            }
        }
    }

    private async watch(): Promise<void> {
        const { path, fieldSelector, labelSelector } = this.selection;
        const query = {
            fieldSelector,
            labelSelector,
            watch: true,
            allowWatchBookmarks: true,
            resourceVersion: this.version,
            timeoutSeconds: WATCH_SECONDS,
        };
        // Its end is said by the server; where that has gone without a word, by the clock.
        const limit = AbortSignal.timeout((WATCH_SECONDS + 30) * 1000);
        const stream = await this.api.stream({ path, query }, AbortSignal.any([this.signal, limit]));
        this.trouble = undefined;
        for await (const line of linesOf(stream)) {
            this.take(JSON.parse(line) as WatchEvent<T>);
        }
    }

    private take({ type, object }: WatchEvent<T>): void {
        if (type === "ERROR") {
            throw new ApiError(object.code ?? 500, object.message ?? "the watch has failed");
        }
        this.version = object.metadata.resourceVersion ?? this.version;
        if (type === "DELETED") {
            this.objects.delete(object.metadata.uid);
            this.deleted.set(object.metadata.uid, object);
        } else if (type !== "BOOKMARK") {
            this.objects.set(object.metadata.uid, object);
        }
        if (type !== "BOOKMARK") {
            this.changed();
        }
    }
}

/** Whole lines only: what a dropped connection leaves of the last one is thrown away. */
async function* linesOf(stream: AsyncIterable<Buffer>): AsyncIterable<string> {
    let rest: Buffer[] = [];
    for await (const chunk of stream) {
        let start = 0;
        for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
            const line = Buffer.concat([...rest, chunk.subarray(start, end)]).toString("utf8");
            rest = [];
            start = end + 1;
            if (line) {
                yield line;
            }
        }
        rest.push(Buffer.from(chunk.subarray(start)));
    }
}
