import { execFileSync } from "node:child_process";
import * as fs from "node:fs";

/** Unmounts all that is mounted below a folder, also what is busy. */
export function unmountBelow(dir: string): void {
    const mounts = fs
        .readFileSync("/proc/self/mountinfo", "utf8")
        .split("\n")
        .map((line) => line.split(" ")[4] ?? "")
        .filter((mount) => mount.startsWith(`${dir}/`));
    for (const mount of mounts.reverse()) {
        execFileSync("umount", ["-l", mount]);
    }
}
