import { spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { findCommand } from "../../aptPackages";
import { until } from "../../project";
import { HOST_FROM_INSTANCE, METADATA_ADDRESS } from "./machine";
import { Monitor } from "./qmp";
import { rememberProcess } from "./wipe";

export interface QemuOptions {
    /** For its sockets. */
    readonly folder: string;
    /** The folder of the kernel and its initrd. */
    readonly boot: string;
    readonly disk: string;
    /** Where the metadata server listens on this machine's loopback. */
    readonly metadataPort: number;
    /** More words of the kernel's command line. */
    readonly append?: string;
    /** A snapshot of the memory with which it goes on. */
    readonly memory?: string;
    console(chunk: Buffer): void;
}

/** The same for all machines, because a snapshot of the memory only fits the machine it was taken of. */
const HARDWARE = [
    ...["-M", "q35,usb=off,smbus=off", "-accel", "tcg,thread=multi,tb-size=512"],
    ...["-cpu", "qemu64,+rdrand,+ssse3,+sse4.1,+sse4.2,+popcnt,+cx16", "-smp", "2", "-m", "768"],
    ...["-nodefaults", "-no-user-config", "-display", "none"],
    ...["-device", "virtio-rng-pci"],
    ...["-smbios", "type=0,vendor=Google"],
    ...["-smbios", "type=1,manufacturer=Google,product=Google Compute Engine"],
];
const COMMAND_LINE =
    "console=ttyS0 rw quiet net.ifnames=0 mitigations=off audit=0 apparmor=0 tsc=reliable " +
    "no_timer_check nowatchdog rcupdate.rcu_expedited=1 systemd.show_status=1";

/** A QEMU that has been started. */
export class Qemu {
    readonly off: Promise<void>;
    private readonly child: ChildProcess;
    private readonly socket: string;
    private errors = "";

    constructor(options: QemuOptions) {
        this.socket = path.join(options.folder, "qmp.sock");
        const command = [findCommand("qemu-system-x86_64") as string, ...this.args(options)];
        this.child = spawn("nice", ["-n", "5", ...command], {
            stdio: ["ignore", "pipe", "pipe"],
            detached: true,
        });
        rememberProcess(options.folder, this.child.pid as number);
        this.child.stdout?.on("data", (chunk: Buffer) => options.console(chunk));
        this.child.stderr?.on("data", (chunk: Buffer) => (this.errors += chunk.toString("utf8")));
        this.off = new Promise((resolve) => this.child.once("close", () => resolve()));
    }

    async monitor(): Promise<Monitor> {
        await until(
            () => fs.existsSync(this.socket) || this.child.exitCode !== null,
            20_000,
            () => "QEMU's monitor",
        );
        if (this.child.exitCode !== null) {
            throw new Error(`QEMU ended at once: ${this.errors}`);
        }
        return Monitor.connect(this.socket);
    }

    /** One command, and no more. */
    async command(name: string): Promise<void> {
        const monitor = await this.monitor();
        try {
            await monitor.run(name);
        } finally {
            monitor.close();
        }
    }

    signal(signal: NodeJS.Signals): void {
        this.child.kill(signal);
    }

    private args({ boot, disk, metadataPort, append = "", memory, console: _ }: QemuOptions): string[] {
        const forward = `guestfwd=tcp:${METADATA_ADDRESS}:80-cmd:socat - TCP4:127.0.0.1:${metadataPort}`;
        const network = `user,id=n0,net=169.254.0.0/16,host=${HOST_FROM_INSTANCE},dns=169.254.0.3,dhcpstart=169.254.0.15,ipv6=off`;
        return [
            ...HARDWARE,
            ...[
                "-kernel",
                `${boot}/vmlinux`,
                "-initrd",
                `${boot}/initrd`,
                "-append",
                `${COMMAND_LINE} ${append}`,
            ],
            ...["-drive", `file=${disk},if=none,id=d0,format=qcow2,cache=writeback,discard=unmap`],
            ...["-device", "virtio-blk-pci,drive=d0,serial=boot0"],
            ...["-netdev", `${network},${forward}`],
            ...["-device", "virtio-net-pci,netdev=n0,romfile=,mac=42:01:0a:80:00:02"],
            ...["-chardev", "stdio,id=s0,signal=off", "-serial", "chardev:s0"],
            ...["-qmp", `unix:${this.socket},server=on,wait=off`],
            ...(memory ? ["-incoming", `exec:zstd -dc ${memory}`] : []),
        ];
    }
}
