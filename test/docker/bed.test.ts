import { execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { DockerBed } from "../support/docker/bed";
import { describeDocker } from "../support/docker/lane";
import { followProgress } from "../support/docker/progress";
import { isAlive } from "../support/identity";
import { commandLineOf } from "../support/processes";
import { REPO, until } from "../support/project";

describeDocker("the Docker test bed", (bed) => {
    afterEach(() => removeContainers(bed));

    test("runs an image that is in no registry, as a user of the image", async () => {
        const image = await bed.image("busybox");
        expect(await output(bed, image, ["id", "-un"], { User: "nobody" })).toBe("nobody\n");
        expect(await output(bed, image, ["/usr/bin/env", "sh", "-c", "touch /tmp/x && ls /tmp"])).toBe("x\n");
    });

    test("has an image without a shell", async () => {
        const image = await bed.image("nosh");
        expect(await output(bed, image, ["/bin/echo", "hello"])).toBe("hello\n");
        await expect(output(bed, image, ["/bin/sh", "-c", "echo"])).rejects.toThrow(/no such file/);
    });

    test("has an image with Debian and Python", async () => {
        const image = await bed.image("debian");
        expect(await output(bed, image, ["python3", "-c", "print(6 * 7)"])).toBe("42\n");
        expect(await output(bed, image, ["stat", "-c", "%U:%G %a", "/etc/shadow", "/tmp"])).toBe(
            "root:shadow 640\nroot:root 1777\n",
        );
    });

    test("lets containers live while the daemon restarts or crashes", async () => {
        const id = await start(bed, await bed.image("busybox"), [
            "sh",
            "-c",
            "sleep 2; echo alive; exec sleep 60",
        ]);
        const pid = await pidOf(bed, id);
        await bed.restartDaemon();
        expect(await pidOf(bed, id)).toBe(pid);
        await bed.killDaemon();
        await bed.startDaemon();
        expect(await pidOf(bed, id)).toBe(pid);
        await until(
            async () => (await logs(bed, id)) === "alive\n",
            10_000,
            () => "the line that was written in between",
        );
    });

    test("says a container's end by a signal", async () => {
        const id = await start(bed, await bed.image("nosh"), ["/bin/sleep", "60"]);
        const ended = bed.ended(id);
        await bed.kill(id);
        expect(await ended).toBe(137);
    });

    test("limits memory", async () => {
        const eat = ["sh", "-c", "dd if=/dev/zero of=/dev/null bs=200M count=1"];
        const limit = { Memory: 32 * 1024 * 1024, MemorySwap: 32 * 1024 * 1024 };
        const id = await start(bed, await bed.image("busybox"), eat, { HostConfig: limit });
        await bed.ended(id);
        expect((await bed.docker.getContainer(id).inspect()).State.OOMKilled).toBe(true);
    });

    test("lets a container reach the host, and takes networks from its own addresses", async () => {
        const network = await bed.docker.createNetwork({ Name: "own" });
        try {
            const { IPAM } = (await network.inspect()) as { IPAM: { Config: { Subnet: string }[] } };
            const prefix = bed.gateway.split(".").slice(0, 2).join(".");
            expect(IPAM.Config[0]?.Subnet.startsWith(`${prefix}.`)).toBe(true);
            const image = await bed.image("busybox");
            expect(await output(bed, image, ["ping", "-c", "1", "-W", "2", bed.gateway])).toContain(
                " 0% packet loss",
            );
        } finally {
            await network.remove();
        }
    });

    test("has a registry that takes and gives images for a password only", async () => {
        const registry = await bed.registry();
        const name = `${registry.address}/some/image`;
        try {
            await bed.docker.getImage(await bed.image("nosh")).tag({ repo: name, tag: "1" });
            const { username, password } = registry;
            const serveraddress = registry.address;
            await expect(
                push(bed, `${name}:1`, { username, password: "wrong", serveraddress }),
            ).rejects.toThrow(/unauthorized|no basic auth/);
            await push(bed, `${name}:1`, { username, password, serveraddress });
            expect(await registry.repositories()).toEqual(["some/image"]);
            expect(await registry.digestOf("some/image", "1")).toMatch(/^sha256:[0-9a-f]{64}$/);
            expect(await registry.digestOf("some/image", "2")).toBeUndefined();
        } finally {
            await bed.docker.getImage(`${name}:1`).remove();
            await registry.stop();
        }
    });
});

describeDocker("the end of a Docker test bed", () => {
    test("is complete also when its owner is killed", async () => {
        const owner = await startOwner();
        const started = processesOf(owner.dir);
        // The daemon, containerd, a shim, the watchdog.
        expect(started.length).toBeGreaterThanOrEqual(4);
        expect(isAlive(owner.container)).toBe(true);
        process.kill(owner.pid, "SIGKILL");
        await until(
            () => !fs.existsSync(owner.dir) && processesOf(owner.dir).length === 0,
            30_000,
            () => `the watchdog to remove ${owner.dir}`,
        );
        expect(isAlive(owner.container)).toBe(false);
        expect(fs.readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(owner.dir);
        expect(execFileSync("ip", ["link"], { encoding: "utf8" })).not.toContain(owner.bridge);
        expect(execFileSync("iptables-save", { encoding: "utf8" })).not.toContain(owner.subnet);
        expect(fs.existsSync(path.join("/sys/fs/cgroup/memory", path.basename(owner.dir)))).toBe(false);
    });
});

interface Owner {
    readonly pid: number;
    readonly dir: string;
    readonly bridge: string;
    readonly subnet: string;
    readonly container: string;
}

/** A process with a bed of its own, in which a container runs. */
function startOwner(): Promise<Owner> {
    const script = `
        require(${JSON.stringify(path.join(REPO, "test/support/swcRegister.js"))});
        const { startDockerBed } = require(${JSON.stringify(path.join(REPO, "test/support/docker/bed.ts"))});
        const { identityOf } = require(${JSON.stringify(path.join(REPO, "test/support/identity.ts"))});
        (async () => {
            const bed = await startDockerBed();
            const container = await bed.docker.createContainer({ Image: await bed.image("nosh"), Cmd: ["/bin/sleep", "600"] });
            await container.start();
            const pid = (await container.inspect()).State.Pid;
            const { bridge, second } = JSON.parse(require("fs").readFileSync(bed.dir + "/network.json"));
            console.log(JSON.stringify({ pid: process.pid, dir: bed.dir, bridge, subnet: "10." + second + ".0.0/16", container: identityOf(pid) }));
            setInterval(() => {}, 1000);
        })();
    `;
    const child = spawn(process.execPath, ["-e", script], {
        stdio: ["ignore", "pipe", "inherit"],
        cwd: os.tmpdir(),
    });
    return new Promise((resolve, reject) => {
        child.once("exit", () => reject(new Error("the owner has ended")));
        child.stdout.once("data", (line: Buffer) => resolve(JSON.parse(line.toString("utf8")) as Owner));
    });
}

function processesOf(dir: string): number[] {
    return fs
        .readdirSync("/proc")
        .map(Number)
        .filter((pid) => pid > 0 && commandLineOf(pid).includes(dir));
}

async function start(bed: DockerBed, image: string, command: string[], more: object = {}): Promise<string> {
    const container = await bed.docker.createContainer({ Image: image, Cmd: command, ...more });
    await container.start();
    return container.id;
}

async function output(bed: DockerBed, image: string, command: string[], more: object = {}): Promise<string> {
    const id = await start(bed, image, command, more);
    await bed.ended(id);
    return logs(bed, id);
}

/** The standard output; each piece of it stands behind a head of eight bytes. */
async function logs(bed: DockerBed, id: string): Promise<string> {
    const stream = await bed.docker.getContainer(id).logs({ stdout: true, follow: false });
    let text = "";
    for (let at = 0; at < stream.length; at += 8 + stream.readUInt32BE(at + 4)) {
        text += stream.subarray(at + 8, at + 8 + stream.readUInt32BE(at + 4)).toString("utf8");
    }
    return text;
}

async function pidOf(bed: DockerBed, id: string): Promise<number> {
    return (await bed.docker.getContainer(id).inspect()).State.Pid;
}

async function push(bed: DockerBed, name: string, authconfig: object): Promise<void> {
    const stream = await bed.docker.getImage(name).push({ authconfig });
    await followProgress(bed.docker, stream);
}

async function removeContainers(bed: DockerBed): Promise<void> {
    for (const { Id: id } of await bed.docker.listContainers({ all: true })) {
        await bed.docker.getContainer(id).remove({ force: true, v: true });
    }
}
