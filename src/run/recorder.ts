import * as fs from "node:fs/promises";
import * as path from "node:path";
import type { EventHead, FollowerEvent, RunnerEvent } from "./events";
import type { FollowItem, RunRef } from "./follower";
import { markAttempt, prepareRunDir, readEvents, RECORD, writeAtomic } from "./record";

/** How much of the record there was when the follower gave its last bookmark. */
interface Bookmark {
    readonly bookmark: string;
    readonly eventsSize: number;
    readonly logSize: number;
}

/**
 * Keeps the record of a run whose target can't write it itself. What a killed writer left behind its last bookmark is
 * cut off, and asked for again; where a follower knows no bookmarks, the attempt's part of the record is written anew.
 */
export class Recorder {
    private constructor(
        private readonly run: RunRef,
        private readonly events: fs.FileHandle,
        private readonly log: fs.FileHandle,
        private sizes: { eventsSize: number; logSize: number },
        private lastNumber: number,
        /** Where the follower has to go on; undefined: from the attempt's first item. */
        readonly bookmark: string | undefined,
    ) {}

    static async open(run: RunRef): Promise<Recorder> {
        await prepareRunDir(run.runDir);
        const mark = await markAttempt(run, 0);
        const known = await readBookmark(run);
        const sizes = known ?? { eventsSize: mark.eventsOffset, logSize: mark.logOffset };
        const events = await openAt(path.join(run.runDir, RECORD.events), sizes.eventsSize);
        const log = await openAt(path.join(run.runDir, RECORD.log), sizes.logSize);
        const last = (await readEvents(run.runDir)).at(-1)?.n ?? 0;
        const { eventsSize, logSize } = sizes;
        return new Recorder(run, events, log, { eventsSize, logSize }, last, known?.bookmark);
    }

    async write(item: FollowItem): Promise<void> {
        if (item.type === "log") {
            await this.append("log", item.lines.map(({ step, text }) => `${step}\t${text}\n`).join(""));
        } else {
            const event = this.asEvent(item);
            if (event) {
                await this.append("events", `${JSON.stringify(event)}\n`);
            }
        }
        if (item.bookmark !== undefined) {
            const text = JSON.stringify({ bookmark: item.bookmark, ...this.sizes } satisfies Bookmark);
            await writeAtomic(bookmarkPath(this.run), text);
        }
    }

    async close(): Promise<void> {
        await this.events.close();
        await this.log.close();
    }

    private async append(file: "events" | "log", text: string): Promise<void> {
        await this[file].appendFile(text);
        this.sizes[`${file}Size`] += Buffer.byteLength(text);
    }

    // Numbered here: a target that was interrupted may have begun to count anew.
    private asEvent(item: FollowItem): RunnerEvent | undefined {
        switch (item.type) {
            case "event":
                return { ...item.event, n: ++this.lastNumber };
            case "interrupted":
                return this.own({ type: "run.interrupted", message: item.message });
            case "image":
                return this.own({ type: "run.image", ref: item.ref, digest: item.digest });
            case "lost": {
                const { state = "Lost", reason, message } = item;
                return this.own({ type: "run.ended", state, reason, message });
            }
            default:
                return undefined;
        }
    }

    private own(body: FollowerEvent): RunnerEvent {
        const head: EventHead = {
            n: ++this.lastNumber,
            nonce: "",
            time: new Date().toISOString(),
            attempt: this.run.attempt,
        };
        return { ...head, ...body };
    }
}

async function openAt(file: string, size: number): Promise<fs.FileHandle> {
    const handle = await fs.open(file, "a", 0o600);
    await handle.truncate(size);
    return handle;
}

async function readBookmark(run: RunRef): Promise<Bookmark | undefined> {
    try {
        return JSON.parse(await fs.readFile(bookmarkPath(run), "utf8")) as Bookmark;
    } catch {
        return undefined;
    }
}

function bookmarkPath(run: RunRef): string {
    return path.join(run.runDir, RECORD.attempts, `${run.attempt}.bookmark.json`);
}
