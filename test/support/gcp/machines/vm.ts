import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { ensurePackages, MissingPackages } from "../../aptPackages";
import { cacheDir } from "../../images/cache";
import { until } from "../../project";
import type { Backend, Machine, PowerOn } from "./machine";
import { Qemu } from "./qemu";
import type { Monitor } from "./qmp";
import { build, ensureRoot, hashOf } from "./root";

const NEEDED = {
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "mkfs.ext4": "e2fsprogs",
    busybox: "busybox-static",
    depmod: "kmod",
    lz4: "lz4",
    zstd: "zstd",
    socat: "socat",
    flock: "util-linux",
};

/** Instances are virtual machines: QEMU by software alone, with a kernel of their own, ACPI and a disk. */
export const vmBackend: Backend = {
    async prepare() {
        ensurePackages(NEEDED);
        if (process.getuid?.() !== 0) {
            throw new MissingPackages(["root"]);
        }
        await ensureSnapshot();
    },

    createDisk(folder) {
        overlay(path.join(filesDir(), "snapshot.qcow2"), path.join(folder, "disk.qcow2"));
        fs.writeFileSync(path.join(folder, "new"), "");
        return Promise.resolve();
    },

    // The first boot goes on where the snapshot was taken: before the guest agent starts. All others are whole ones.
    async powerOn(options: PowerOn) {
        const mark = path.join(options.disk, "new");
        const first = fs.existsSync(mark);
        fs.rmSync(mark, { force: true });
        const qemu = new Qemu({
            folder: options.folder,
            boot: filesDir(),
            disk: path.join(options.disk, "disk.qcow2"),
            metadataPort: await options.metadata.listen(),
            console: options.console,
            ...(first && { memory: path.join(filesDir(), "memory.zst") }),
        });
        if (first) {
            await resume(qemu);
        }
        return machineOf(qemu);
    },
};

function machineOf(qemu: Qemu): Machine {
    return {
        off: qemu.off,
        pressPowerButton: () => void qemu.command("system_powerdown").catch(() => undefined),
        cutPower() {
            qemu.signal("SIGKILL");
            return qemu.off;
        },
        freeze: () => qemu.signal("SIGSTOP"),
        thaw: () => qemu.signal("SIGCONT"),
        // Its network has all ports of this machine's loopback.
        expose: () => Promise.resolve(),
    };
}

// Changes with everything that the files are made of.
function filesDir(): string {
    const names = ["root.sh", "root", "vm.sh", "vm.ts", "qemu.ts"];
    return path.join(cacheDir("gcp"), `vm-${hashOf(names.map((name) => path.join(__dirname, name)))}`);
}

async function ensureSnapshot(): Promise<void> {
    const folder = filesDir();
    if (!fs.existsSync(path.join(folder, "base.qcow2"))) {
        build("vm.sh", [path.join(ensureRoot(), "root"), folder]);
    }
    if (!fs.existsSync(path.join(folder, "memory.zst"))) {
        await takeSnapshot(folder);
    }
}

// Beside its final place and then renamed: what is there is whole.
async function takeSnapshot(folder: string): Promise<void> {
    process.stderr.write("gcp bed: booting a virtual machine, to keep its memory (a minute) …\n");
    const work = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-vm-"));
    const disk = path.join(folder, `snapshot.${path.basename(work)}.qcow2`);
    const memory = path.join(work, "memory.zst");
    let output = "";
    overlay(path.join(folder, "base.qcow2"), disk);
    const qemu = new Qemu({
        folder: work,
        boot: folder,
        disk,
        // Nobody is there: the guest waits at its gate.
        metadataPort: 1,
        append: "stackrun.gate",
        console: (chunk) => (output += chunk.toString("utf8")),
    });
    try {
        await until(
            () => output.includes("gate: waiting"),
            600_000,
            () => `the machine to reach its gate:\n${output.slice(-3000)}`,
        );
        await save(await qemu.monitor(), memory);
        qemu.signal("SIGKILL");
        await qemu.off;
        fs.renameSync(disk, path.join(folder, "snapshot.qcow2"));
        fs.copyFileSync(memory, path.join(folder, "memory.part"));
        fs.renameSync(path.join(folder, "memory.part"), path.join(folder, "memory.zst"));
    } finally {
        qemu.signal("SIGKILL");
        fs.rmSync(disk, { force: true });
        fs.rmSync(work, { recursive: true, force: true });
    }
}

async function save(monitor: Monitor, file: string): Promise<void> {
    await monitor.run("stop");
    await monitor.run("migrate-set-parameters", { "max-bandwidth": 1e10 });
    await monitor.run("migrate", { uri: `exec:zstd -q -1 -f -o ${file}` });
    let state = "";
    await until(
        async () => {
            state = ((await monitor.run("query-migrate")) as { status?: string }).status ?? "";
            return state === "completed" || state === "failed";
        },
        120_000,
        () => "the memory to be saved",
    );
    monitor.close();
    if (state === "failed") {
        throw new Error("QEMU can't save the machine's memory");
    }
}

async function resume(qemu: Qemu): Promise<void> {
    const monitor = await qemu.monitor();
    const status = async () => ((await monitor.run("query-status")) as { status: string }).status;
    await until(
        async () => (await status()) !== "inmigrate",
        120_000,
        () => "the machine's memory to be loaded",
    );
    await monitor.run("cont");
    monitor.close();
}

function overlay(base: string, file: string): void {
    execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", base, file]);
}
