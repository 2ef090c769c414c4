import * as fs from "node:fs/promises";
import * as path from "node:path";
import type { RunnerEvent } from "../events";
import type { RunRef } from "../follower";
import { RECORD } from "../record";
import type { Found } from "./container";
import { isNotFound } from "./errors";
import { IN_CONTAINER } from "./names";
import { unpack } from "./unpack";

/** Brings a step's outputs to this machine, before its end is told: they are found where a local run leaves them. */
export async function copyOutputsOf(event: RunnerEvent, { handle }: Found, run: RunRef): Promise<void> {
    if (event.type === "artifact") {
        await copy(handle, run, path.posix.join(event.step, "outputs", event.name));
    } else if (event.type === "step.reused") {
        // Of an attempt that may never have been followed.
        const outputs = path.join(event.step, "outputs");
        if (!(await exists(path.join(run.runDir, RECORD.steps, outputs)))) {
            await copy(handle, run, outputs);
        }
    }
}

async function copy(container: Found["handle"], run: RunRef, name: string): Promise<void> {
    const steps = path.join(run.runDir, RECORD.steps);
    const target = path.join(steps, name);
    await fs.mkdir(path.dirname(target), { recursive: true, mode: 0o700 });
    const fresh = await fs.mkdtemp(path.join(steps, ".copy-"));
    try {
        const archive = await container.getArchive({ path: `${IN_CONTAINER.run}/steps/${name}` });
        await unpack(archive, fresh);
        await fs.rm(target, { recursive: true, force: true });
        await fs.rename(path.join(fresh, path.basename(name)), target);
    } catch (error) {
        // A later step may have removed it; and a link that leads elsewhere is no file here.
        if (!isNotFound(error) && (error as NodeJS.ErrnoException).code !== "ENOENT") {
            throw error;
        }
    } finally {
        await fs.rm(fresh, { recursive: true, force: true });
    }
}

async function exists(file: string): Promise<boolean> {
    return (await fs.stat(file).catch(() => undefined)) !== undefined;
}
