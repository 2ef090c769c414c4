import { execFileSync } from "node:child_process";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { parseProcessStat, type ProcessStat } from "../../processStat";

/** A process, told from a later one of the same number by its start time (field 22 of `/proc/PID/stat`; 0: not known). */
export interface ProcessMark {
    readonly pid: number;
    readonly startTime: string;
}

/** Reads `PID STARTTIME`, as the runner writes it. */
export async function readProcessMark(file: string): Promise<ProcessMark | undefined> {
    const text = await fs.readFile(file, "utf8").catch(gone);
    const [pid, startTime] = text.trim().split(/\s+/);
    return pid && Number(pid) > 1 ? { pid: Number(pid), startTime: startTime ?? "0" } : undefined;
}

export async function isAlive(mark: ProcessMark): Promise<boolean> {
    if (!exists(mark.pid)) {
        return false;
    }
    const stat = await readStat(mark.pid);
    if (!stat) {
        return !(await isZombieElsewhere(mark.pid));
    }
    return stat.state !== "Z" && (mark.startTime === "0" || stat.startTime === mark.startTime);
}

/** Ends the process groups that steps of a killed runner left behind. */
export async function killOrphans(stepsDir: string): Promise<void> {
    for (const step of await fs.readdir(stepsDir).catch(() => [])) {
        const file = path.join(stepsDir, step, "pid");
        const mark = await readProcessMark(file);
        if (mark && (await mayKillGroup(mark))) {
            signal(-mark.pid, "SIGKILL");
        }
        if (mark) {
            await fs.rm(file, { force: true });
        }
    }
}

export function signal(pid: number, name: NodeJS.Signals): void {
    try {
        process.kill(pid, name);
    } catch {
        // It has ended in the meantime.
    }
}

// The group's leader may be gone while its children live on: then its number can't have been given away again,
// because a process number isn't reused while a group of that number exists.
async function mayKillGroup(mark: ProcessMark): Promise<boolean> {
    return (
        exists(-mark.pid) &&
        (!exists(mark.pid) || (await isAlive(mark)) || (await readStat(mark.pid))?.state === "Z")
    );
}

function exists(pid: number): boolean {
    try {
        process.kill(pid, 0);
        return true;
    } catch (error) {
        return (error as NodeJS.ErrnoException).code === "EPERM";
    }
}

async function readStat(pid: number): Promise<ProcessStat | undefined> {
    const text = await fs.readFile(`/proc/${pid}/stat`, "utf8").catch(gone);
    return text ? parseProcessStat(text) : undefined;
}

// Without /proc (macOS): a process that has ended and was not waited for still exists.
async function isZombieElsewhere(pid: number): Promise<boolean> {
    try {
        return execFileSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).startsWith("Z");
    } catch {
        return true;
    }
}

// Anything else than "there is no such file" (too many open ones, for example) must not pass for an end.
function gone(error: NodeJS.ErrnoException): string {
    if (error.code === "ENOENT" || error.code === "ESRCH") {
        return "";
    }
    throw error;
}
