import * as fs from "node:fs/promises";
import * as path from "node:path";
import type { RunRef } from "../follower";

/** What is noted on this machine before an attempt's container is started. */
export interface StartMark {
    readonly container: string;
    /** The daemon's own id: another daemon knows nothing of the container, and that proves nothing. */
    readonly daemon: string;
    readonly address: string;
}

export async function writeStartMark(run: RunRef, mark: StartMark): Promise<void> {
    const file = fileOf(run);
    await fs.mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    const temporary = `${file}.${process.pid}.tmp`;
    await fs.writeFile(temporary, JSON.stringify(mark), { mode: 0o600 });
    await fs.rename(temporary, file);
}

export async function readStartMark(run: RunRef): Promise<StartMark | undefined> {
    try {
        return JSON.parse(await fs.readFile(fileOf(run), "utf8")) as StartMark;
    } catch {
        return undefined;
    }
}

function fileOf({ runDir, attempt }: RunRef): string {
    return path.join(runDir, "attempts", `${attempt}.docker.json`);
}
