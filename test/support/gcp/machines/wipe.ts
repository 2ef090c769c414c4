import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { endProcess, identityOf, isAlive } from "../../identity";
import { unmountBelow } from "../../mounts";
import { removeCgroup } from "./cgroup";
import { deleteNamespace } from "./netns";

const PREFIX = "stackrun-gcp-";

/** A new bed's folder. When this process ends without {@link wipeBed}, a watchdog does it. */
export function claimFolder(): string {
    wipeAbandoned();
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), PREFIX));
    fs.writeFileSync(ownerFile(dir), identityOf(process.pid));
    watch(dir);
    return dir;
}

/** What a machine's cgroup and network namespace are called; `folder` lies in the bed's. */
export function uniqueName(folder: string): string {
    return `${namesOf(folder)}${path.basename(folder).slice(-8)}`;
}

/** A process that has to end with the bed, if not before. */
export function rememberProcess(folder: string, pid: number): void {
    fs.writeFileSync(path.join(folder, `${pid}.process`), identityOf(pid));
}

/** Ends and removes everything of a bed, whatever state it is in. */
export async function wipeBed(dir: string): Promise<void> {
    const ours = namesOf(dir);
    for (const file of processFiles(dir)) {
        await endProcess(fs.readFileSync(file, "utf8"), 0);
    }
    for (const name of new Set(cgroups().filter((one) => one.startsWith(ours)))) {
        await removeCgroup(name);
    }
    unmountBelow(dir);
    for (const name of list("/run/netns").filter((one) => one.startsWith(ours))) {
        deleteNamespace(name);
    }
    fs.rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

/** For the watchdog: whose end is the bed's. */
export function ownerFile(dir: string): string {
    return path.join(dir, "owner");
}

// Of the bed's folder, which is the first below the folder for temporary files.
function namesOf(folder: string): string {
    const bed = path.relative(os.tmpdir(), folder).split(path.sep)[0] as string;
    return `sr${createHash("sha256").update(bed).digest("hex").slice(0, 8)}-`;
}

function watch(dir: string): void {
    const script = path.join(__dirname, "watchdog.js");
    spawn(process.execPath, [script, dir], { stdio: "ignore", detached: true }).unref();
}

/** Wipes beds whose owners were killed, and their watchdogs with them. */
export function wipeAbandoned(): void {
    for (const name of fs.readdirSync(os.tmpdir())) {
        const dir = path.join(os.tmpdir(), name);
        const owner = ownerFile(dir);
        if (name.startsWith(PREFIX) && fs.existsSync(owner) && !isAlive(fs.readFileSync(owner, "utf8"))) {
            watch(dir);
        }
    }
}

function processFiles(dir: string): string[] {
    return list(path.join(dir, "boots"))
        .flatMap((boot) =>
            list(path.join(dir, "boots", boot)).map((name) => path.join(dir, "boots", boot, name)),
        )
        .filter((file) => file.endsWith(".process"));
}

function cgroups(): string[] {
    const root = "/sys/fs/cgroup";
    return [root, ...list(root).map((name) => path.join(root, name))].flatMap(list);
}

function list(folder: string): string[] {
    try {
        return fs.readdirSync(folder);
    } catch {
        return [];
    }
}
