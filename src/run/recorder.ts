import * as fs from "node:fs/promises";
import * as path from "node:path";
import type { FollowItem, RunRef } from "./follower";
import { markAttempt, prepareRunDir, RECORD } from "./record";

/** Keeps the record of a run whose target can't write it itself. Followed again from the start, it is written anew. */
export class Recorder {
    private constructor(
        private readonly events: fs.FileHandle,
        private readonly log: fs.FileHandle,
    ) {}

    static async open(run: RunRef): Promise<Recorder> {
        await prepareRunDir(run.runDir);
        const mark = await markAttempt(run, 0);
        const events = await openAt(path.join(run.runDir, RECORD.events), mark.eventsOffset);
        const log = await openAt(path.join(run.runDir, RECORD.log), mark.logOffset);
        return new Recorder(events, log);
    }

    async write(item: FollowItem): Promise<void> {
        if (item.type === "event") {
            await this.events.appendFile(`${JSON.stringify(item.event)}\n`);
        } else if (item.type === "log") {
            await this.log.appendFile(item.lines.map(({ step, text }) => `${step}\t${text}\n`).join(""));
        }
    }

    async close(): Promise<void> {
        await this.events.close();
        await this.log.close();
    }
}

async function openAt(file: string, size: number): Promise<fs.FileHandle> {
    const handle = await fs.open(file, "a", 0o600);
    await handle.truncate(size);
    return handle;
}
