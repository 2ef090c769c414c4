import * as fs from "node:fs";

/** Processes whose working directory is this one and whose command line matches. */
export function processesIn(cwd: string, commandLine: RegExp): number[] {
    return fs.readdirSync("/proc").flatMap((name) => {
        const pid = Number(name);
        return pid > 0 && readLink(`/proc/${pid}/cwd`) === cwd && commandLine.test(commandLineOf(pid))
            ? [pid]
            : [];
    });
}

export function commandLineOf(pid: number): string {
    try {
        return fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
    } catch {
        return "";
    }
}

/** Exists, and is no zombie. */
export function isRunning(pid: number): boolean {
    try {
        return !/^\d+ \(.*\) Z/s.test(fs.readFileSync(`/proc/${pid}/stat`, "utf8"));
    } catch {
        return false;
    }
}

function readLink(file: string): string {
    try {
        return fs.readlinkSync(file);
    } catch {
        return "";
    }
}
