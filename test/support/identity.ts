import * as fs from "node:fs";
import { until } from "./project";

/** A process, told from a later one with the same number: `<pid> <start time>`. */
export function identityOf(pid: number): string {
    return `${pid} ${startOf(pid) ?? "gone"}`;
}

export function isAlive(identity: string): boolean {
    const [pid, started] = identity.trim().split(" ");
    const now = startOf(Number(pid));
    return now !== undefined && now === started;
}

/** Ends a process if it is still the one that is meant; `false` if it was not. */
export function signalProcess(identity: string, signal: NodeJS.Signals): boolean {
    if (!isAlive(identity)) {
        return false;
    }
    try {
        process.kill(Number(identity.split(" ")[0]), signal);
        return true;
    } catch {
        return false;
    }
}

/** TERM, and KILL for one that does not end. */
export async function endProcess(identity: string, graceMs: number): Promise<void> {
    if (!signalProcess(identity, "SIGTERM")) {
        return;
    }
    const gone = () => !isAlive(identity);
    await until(gone, graceMs, () => "the end").catch(() => signalProcess(identity, "SIGKILL"));
    await until(gone, 10_000, () => `the end of process ${identity}`);
}

// A zombie has ended: its parent has not looked yet.
function startOf(pid: number): string | undefined {
    try {
        const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
        const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
    } catch {
        return undefined;
    }
}
