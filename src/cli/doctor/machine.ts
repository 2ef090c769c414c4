import * as fs from "node:fs/promises";
import * as path from "node:path";
import { findOnPath } from "../../engine/exec";
import { ask, type Check, type Place } from "./check";

const OLDEST_NODE = 20;
const LEAST_FREE_BYTES = 100 * 1024 * 1024;
// What the runner looks for at its start.
const TOOLS = "awk cat cp date ln mkdir mkfifo mv rm rmdir sleep tail".split(" ");

export function checkPlatform(platform: string = process.platform): Check {
    const works = platform === "linux" || platform === "darwin";
    const name = `${platform} ${process.arch}`;
    return works
        ? { name: "platform", state: "ok", found: name, needed: true }
        : {
              name: "platform",
              state: "wrong",
              found: `${name}: stackrun runs on Linux and macOS`,
              remedy: platform === "win32" ? "use it within WSL 2: wsl --install" : undefined,
              needed: true,
          };
}

export function checkNode(version: string = process.versions.node): Check {
    const works = Number.parseInt(version, 10) >= OLDEST_NODE;
    return {
        name: "node",
        state: works ? "ok" : "wrong",
        found: `${version} (${process.execPath})${works ? "" : `: ${OLDEST_NODE} or newer is needed`}`,
        remedy: works ? undefined : "install a newer one: https://nodejs.org",
        needed: true,
    };
}

/** What the runner is made of: /bin/sh and a few tools. */
export async function checkShell({ env }: Place): Promise<Check> {
    const shell = await fs.realpath("/bin/sh").catch(() => undefined);
    const present = await Promise.all(TOOLS.map(async (tool) => (await findOnPath(tool, env)).length > 0));
    const lacking = TOOLS.filter((_, index) => !present[index]);
    // Other shells have job control without a terminal.
    if (shell !== undefined && /dash$/.test(shell) && (await findOnPath("setsid", env)).length === 0) {
        lacking.push("setsid");
    }
    if (shell === undefined || lacking.length > 0) {
        const what = [...(shell === undefined ? ["/bin/sh"] : []), ...lacking].join(", ");
        return {
            name: "sh",
            state: "missing",
            found: `the runner needs ${what}`,
            remedy: "install coreutils, awk and util-linux, or busybox; and look at PATH",
            needed: true,
        };
    }
    return {
        name: "sh",
        state: "ok",
        found: `/bin/sh is ${shell}, and the runner's tools are there`,
        needed: true,
    };
}

export async function checkGit(place: Place): Promise<Check> {
    const git = await ask("git", ["--version"], place);
    const found =
        git && (git.answer !== undefined ? `${git.answer} (${git.file})` : `${git.file}: ${git.fault}`);
    return {
        name: "git",
        state: git?.answer !== undefined ? "ok" : "not needed yet",
        found: found ?? "there is none on PATH; .gitignore is read without it",
        remedy: git?.answer !== undefined ? undefined : "to keep your project's history: https://git-scm.com",
        needed: false,
    };
}

export async function checkDocker(place: Place): Promise<Check> {
    const docker = await ask("docker", ["version", "--format", "{{.Server.Version}}"], place);
    const why = "no orchestrator of today uses it";
    if (docker?.answer) {
        return {
            name: "docker",
            state: "ok",
            found: `its engine ${docker.answer} answers (${docker.file}); ${why}`,
            needed: false,
        };
    }
    return {
        name: "docker",
        state: "not needed yet",
        found: `${docker ? `${docker.file}: ${docker.fault ?? "its engine does not answer"}` : "there is none on PATH"}; ${why}`,
        remedy: docker ? "start its engine" : "https://docs.docker.com/engine/install/",
        needed: false,
    };
}

export async function checkKubectl(place: Place): Promise<Check> {
    const kubectl = await ask("kubectl", ["config", "current-context"], place);
    const why = "no orchestrator of today uses it";
    if (kubectl?.answer) {
        return {
            name: "kubectl",
            state: "ok",
            found: `its context is ${kubectl.answer} (${kubectl.file}); ${why}`,
            needed: false,
        };
    }
    return {
        name: "kubectl",
        state: "not needed yet",
        found: `${kubectl ? `${kubectl.file}: ${kubectl.fault ?? "it has no context"}` : "there is none on PATH"}; ${why}`,
        remedy: kubectl ? "kubectl config use-context NAME" : "https://kubernetes.io/docs/tasks/tools/",
        needed: false,
    };
}

/** The folder for all that stackrun keeps: can it be written, and is there room? */
export async function checkDisk({ stateDir }: Place): Promise<Check> {
    const folder = await nearestFolder(stateDir);
    const disk = await fs.statfs(folder);
    const free = disk.bavail * disk.bsize;
    const writable = await fs.access(folder, fs.constants.W_OK).then(
        () => true,
        () => false,
    );
    const room = `${formatBytes(free)} free`;
    const where = folder === stateDir ? stateDir : `${stateDir} (not there yet)`;
    if (!writable) {
        const remedy = "use another folder, or get the right to write there";
        return { name: "disk", state: "wrong", found: `${folder} can't be written`, remedy, needed: true };
    }
    return free < LEAST_FREE_BYTES
        ? { name: "disk", state: "wrong", found: `${where}: ${room}`, remedy: "make room", needed: true }
        : { name: "disk", state: "ok", found: `${where}: ${room}`, needed: true };
}

async function nearestFolder(folder: string): Promise<string> {
    const stat = await fs.stat(folder).catch(() => undefined);
    return stat || path.dirname(folder) === folder ? folder : nearestFolder(path.dirname(folder));
}

function formatBytes(bytes: number): string {
    const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
    return `${(bytes / 1024 ** power).toFixed(power > 1 ? 1 : 0)} ${units[power]}`;
}
