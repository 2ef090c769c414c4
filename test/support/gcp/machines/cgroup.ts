import * as fs from "node:fs";
import * as path from "node:path";
import { until } from "../../project";
import { foldersBelow } from "../../folder";

const ROOT = "/sys/fs/cgroup";

/** A shell script: enters a new cgroup, its first argument, in all hierarchies, and becomes the command of the others. */
export const ENTER_CGROUP = `
name=$1
shift
for hierarchy in ${ROOT} ${ROOT}/*; do
    [ -e "$hierarchy/cgroup.procs" ] || continue
    mkdir -p "$hierarchy/$name" || exit 1
    for file in cpuset.cpus cpuset.mems; do
        # A new one has no processor until it is told.
        [ ! -e "$hierarchy/$file" ] || cat "$hierarchy/$file" >"$hierarchy/$name/$file"
    done
    echo $$ >"$hierarchy/$name/cgroup.procs" || exit 1
done
exec "$@"
`;

/** Stops all of its processes where they are, or lets them go on. */
export function freezeCgroup(name: string, frozen: boolean): void {
    const old = path.join(ROOT, "freezer", name, "freezer.state");
    const file = fs.existsSync(old) ? old : path.join(ROOT, name, "cgroup.freeze");
    fs.writeFileSync(file, file === old ? (frozen ? "FROZEN" : "THAWED") : frozen ? "1" : "0");
}

/** Kills what is in a cgroup, and removes it. */
export async function removeCgroup(name: string): Promise<void> {
    const folders = () => hierarchies(name).flatMap(foldersBelow);
    if (folders().length === 0) {
        return;
    }
    freezeCgroup(name, false);
    await until(
        () => {
            folders().flatMap(processesIn).forEach(kill);
            folders().forEach(remove);
            return folders().length === 0;
        },
        20_000,
        () => `the end of the cgroup ${name}`,
    );
}

function hierarchies(name: string): string[] {
    const roots = [ROOT, ...fs.readdirSync(ROOT).map((entry) => path.join(ROOT, entry))];
    return roots.map((folder) => path.join(folder, name)).filter((folder) => fs.existsSync(folder));
}

function processesIn(folder: string): number[] {
    try {
        return fs
            .readFileSync(path.join(folder, "cgroup.procs"), "utf8")
            .split("\n")
            .filter(Boolean)
            .map(Number);
    } catch {
        return [];
    }
}

// Number 0 is a process of another namespace.
function kill(pid: number): void {
    try {
        if (pid > 1) {
            process.kill(pid, "SIGKILL");
        }
    } catch {
        // It has ended.
    }
}

function remove(folder: string): void {
    try {
        fs.rmdirSync(folder);
    } catch {
        // The kernel has not yet forgotten its last process.
    }
}
