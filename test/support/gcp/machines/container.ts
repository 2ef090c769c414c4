import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { ensurePackages, findCommand, MissingPackages } from "../../aptPackages";
import { ENTER_CGROUP, freezeCgroup, removeCgroup } from "./cgroup";
import { METADATA_ADDRESS, type Backend, type Machine, type PowerOn } from "./machine";
import { NetworkNamespace } from "./netns";
import { ensureRoot } from "./root";
import { uniqueName } from "./wipe";

const NEEDED = {
    "systemd-nspawn": "systemd-container",
    ip: "iproute2",
    nsenter: "util-linux",
    flock: "util-linux",
};
/** systemd-nspawn's exit code when what runs in it wants to be started anew. */
const REBOOT = 133;

/** Instances are containers of systemd-nspawn: the operating system of the virtual machines, without their kernel. */
export const containerBackend: Backend = {
    prepare() {
        ensurePackages(NEEDED);
        if (process.getuid?.() !== 0) {
            throw new MissingPackages(["root"]);
        }
        ensureRoot();
        return Promise.resolve();
    },

    // Docker's own overlays can't lie on another one: their folders are the disk's own.
    createDisk(folder) {
        for (const name of ["upper", "work", "docker", "containerd"]) {
            fs.mkdirSync(path.join(folder, name), { recursive: true });
        }
        return Promise.resolve();
    },

    async powerOn(options) {
        const machine = new Container(options);
        await machine.start();
        return machine;
    },
};

class Container implements Machine {
    readonly off: Promise<void>;
    private readonly unit: string;
    private readonly root: string;
    private readonly network: NetworkNamespace;
    private child?: ChildProcess;
    private ended: () => void = () => undefined;

    constructor(private readonly options: PowerOn) {
        this.unit = uniqueName(options.folder);
        this.root = path.join(options.folder, "root");
        this.network = NetworkNamespace.create(this.unit);
        this.off = new Promise((resolve) => (this.ended = resolve));
    }

    async start(): Promise<void> {
        const { name, disk, metadata, ports } = this.options;
        fs.mkdirSync(this.root, { recursive: true });
        const layers = `lowerdir=${path.join(ensureRoot(), "root")},upperdir=${disk}/upper,workdir=${disk}/work`;
        execFileSync("mount", ["-t", "overlay", "overlay", "-o", layers, this.root]);
        fs.writeFileSync(path.join(this.root, "etc/hostname"), `${name}\n`);
        metadata.serveOn(await this.network.listen(METADATA_ADDRESS, 80));
        await Promise.all(ports.map((port) => this.expose(port)));
        this.boot();
    }

    pressPowerButton(): void {
        this.child?.kill("SIGTERM");
    }

    async cutPower(): Promise<void> {
        await removeCgroup(this.unit);
        await this.off;
    }

    freeze(): void {
        freezeCgroup(this.unit, true);
    }

    thaw(): void {
        freezeCgroup(this.unit, false);
    }

    expose(port: number): Promise<void> {
        return this.network.expose(port);
    }

    private boot(): void {
        const { disk, console } = this.options;
        const command = [
            findCommand("systemd-nspawn") as string,
            "--quiet",
            `--directory=${this.root}`,
            "--boot",
            "--register=no",
            "--keep-unit",
            // Its signal when this one gets TERM: switch off.
            "--kill-signal=SIGRTMIN+4",
            `--network-namespace-path=${this.network.file}`,
            "--capability=all",
            "--console=read-only",
            `--bind=${disk}/docker:/var/lib/docker`,
            `--bind=${disk}/containerd:/var/lib/containerd`,
            `--machine=${this.unit}`,
            "systemd.show_status=1",
        ];
        const env = {
            ...process.env,
            SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: fs.existsSync("/sys/fs/cgroup/cgroup.controllers") ? "1" : "0",
            SYSTEMD_SECCOMP: "0",
            SYSTEMD_NSPAWN_API_VFS_WRITABLE: "1",
        };
        const child = spawn("sh", ["-c", ENTER_CGROUP, "sh", this.unit, ...command], {
            env,
            stdio: ["ignore", "pipe", "pipe"],
            detached: true,
        });
        this.child = child;
        child.stdout.on("data", console);
        child.stderr.on("data", console);
        child.once("close", (code) => void this.closed(code));
    }

    private async closed(code: number | null): Promise<void> {
        await removeCgroup(this.unit);
        if (code === REBOOT) {
            this.boot();
            return;
        }
        execFileSync("umount", [this.root]);
        this.network.remove();
        this.ended();
    }
}
