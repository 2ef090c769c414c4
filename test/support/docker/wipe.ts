import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { endProcess, isAlive } from "../identity";
import { unmountBelow } from "../mounts";
import { commandLineOf } from "../processes";
import { until } from "../project";
import { endProgram, identityIn, placesOf } from "./daemon";
import { removeNetwork, type BedNetwork } from "./network";
import { foldersBelow } from "../folder";

export const PREFIX = "stackrun-docker-";

/** Ends and removes everything of a bed, whatever state it is in: containers, daemons, network, mounts, files. */
export async function wipeBed(dir: string): Promise<void> {
    const places = placesOf(dir);
    await endProgram(dir, "dockerd");
    await endContainers(places.cgroup);
    endShims(places.containerdSocket);
    await endProgram(dir, "containerd");
    // A shim that was just being started.
    endShims(places.containerdSocket);
    for (const file of fs.readdirSync(dir).filter((name) => name.endsWith(".process"))) {
        await endProcess(identityIn(path.join(dir, file)), 10_000);
    }
    if (fs.existsSync(places.network)) {
        removeNetwork(JSON.parse(fs.readFileSync(places.network, "utf8")) as BedNetwork);
    }
    unmountBelow(dir);
    await removeCgroups(places.cgroup);
    fs.rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

/** Wipes beds whose test process was killed. */
export async function wipeAbandoned(): Promise<void> {
    for (const name of fs.readdirSync(os.tmpdir())) {
        const dir = path.join(os.tmpdir(), name);
        const owner = placesOf(dir).owner;
        if (name.startsWith(PREFIX) && fs.existsSync(owner) && !isAlive(identityIn(owner))) {
            await wipeBed(dir);
        }
    }
}

// One hierarchy for each controller in version 1, and one for all in version 2.
function cgroupFolders(name: string): string[] {
    const root = "/sys/fs/cgroup";
    const hierarchies = [root, ...fs.readdirSync(root).map((entry) => path.join(root, entry))];
    return hierarchies.map((folder) => path.join(folder, name)).filter((folder) => fs.existsSync(folder));
}

async function endContainers(cgroup: string): Promise<void> {
    const processes = () =>
        cgroupFolders(cgroup)
            .flatMap(foldersBelow)
            .flatMap((folder) =>
                read(path.join(folder, "cgroup.procs")).split("\n").filter(Boolean).map(Number),
            );
    await until(
        () => {
            const pids = processes();
            pids.forEach(kill);
            return pids.length === 0;
        },
        20_000,
        () => `the end of the containers in ${cgroup}: ${processes().join(" ")}`,
    );
}

function endShims(containerdSocket: string): void {
    for (const name of fs.readdirSync("/proc")) {
        const pid = Number(name);
        if (
            pid > 0 &&
            /^\S*containerd-shim/.test(commandLineOf(pid)) &&
            commandLineOf(pid).includes(containerdSocket)
        ) {
            kill(pid);
        }
    }
}

async function removeCgroups(cgroup: string): Promise<void> {
    const remove = () => {
        for (const folder of cgroupFolders(cgroup).flatMap(foldersBelow)) {
            try {
                fs.rmdirSync(folder);
            } catch {
                // The kernel has not yet forgotten its last process.
            }
        }
        return cgroupFolders(cgroup).length === 0;
    };
    await until(remove, 10_000, () => `the end of the cgroup ${cgroup}`);
}

function read(file: string): string {
    try {
        return fs.readFileSync(file, "utf8");
    } catch {
        return "";
    }
}

function kill(pid: number): void {
    try {
        process.kill(pid, "SIGKILL");
    } catch {
        // It has ended.
    }
}
