import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import Docker from "dockerode";
import { ensurePackages, MissingPackages } from "../aptPackages";
import { identityOf, isAlive, signalProcess } from "../identity";
import { ensureImages, IMAGES, type TestImage } from "../images/ensureImages";
import { until } from "../project";
import { endProgram, identityIn, placesOf, startContainerd, startDockerd, writeConfig } from "./daemon";
import { createNetwork } from "./network";
import { followProgress } from "./progress";
import { startRegistry, type Registry } from "./registry";
import { PREFIX, wipeAbandoned, wipeBed } from "./wipe";

/** What a daemon and its registry need, with the Debian packages that have it. */
export const NEEDED = {
    dockerd: "docker.io",
    containerd: "containerd",
    runc: "runc",
    iptables: "iptables",
    ip: "iproute2",
    busybox: "busybox-static",
    "docker-registry": "docker-registry",
};

/** A real Docker daemon of the tests' own, with nothing in common with another one on the machine. */
export class DockerBed {
    readonly docker: Docker;
    /** What `DOCKER_HOST` has to be. */
    readonly host: string;

    /** For a bed that runs already: {@link startDockerBed} makes one. */
    constructor(readonly dir: string) {
        const { socket } = placesOf(dir);
        this.host = `unix://${socket}`;
        this.docker = new Docker({ socketPath: socket });
    }

    /** The host's address, as containers see it. */
    get gateway(): string {
        const { second } = JSON.parse(fs.readFileSync(placesOf(this.dir).network, "utf8")) as {
            second: number;
        };
        return `10.${second}.0.1`;
    }

    /** Makes the daemon know an image, and returns its name. */
    async image(name: TestImage): Promise<string> {
        const known = await this.docker
            .getImage(IMAGES[name])
            .inspect()
            .then(
                () => true,
                () => false,
            );
        if (!known) {
            const files = await ensureImages([name]);
            await followProgress(this.docker, await this.docker.loadImage(files[name]));
        }
        return IMAGES[name];
    }

    /** A registry with a password, on loopback or where clusters reach it. Each call starts one. */
    registry(host?: string): Promise<Registry> {
        return startRegistry(this.dir, host);
    }

    /** The containers live on. */
    async restartDaemon(): Promise<void> {
        await this.stopDaemon();
        await this.startDaemon();
    }

    /** As a crash does, or an upgrade: the containers live on. */
    async stopDaemon(): Promise<void> {
        await endProgram(this.dir, "dockerd");
    }

    /** Without a chance to write anything. */
    async killDaemon(): Promise<void> {
        const identity = identityIn(placesOf(this.dir).process("dockerd"));
        signalProcess(identity, "SIGKILL");
        await until(
            () => !isAlive(identity),
            10_000,
            () => "the end of dockerd",
        );
        fs.rmSync(path.join(this.dir, "dockerd.pid"), { force: true });
    }

    async startDaemon(): Promise<void> {
        await startDockerd(this.dir);
    }

    /** Restarts the daemon with other settings; the result restores those that it had. */
    async configure(change: Readonly<Record<string, unknown>>): Promise<() => Promise<void>> {
        const { config } = placesOf(this.dir);
        const before = fs.readFileSync(config, "utf8");
        const use = async (text: string) => {
            await this.stopDaemon();
            fs.writeFileSync(config, text);
            await this.startDaemon();
        };
        await use(JSON.stringify({ ...JSON.parse(before), ...change }));
        return () => use(before);
    }

    daemonLog(): string {
        return fs.readFileSync(placesOf(this.dir).log("dockerd"), "utf8");
    }

    /** What is in the daemon, as names: to see that something leaves nothing behind. Images by their tags. */
    async contents(): Promise<Contents> {
        const [containers, volumes, networks, images] = await Promise.all([
            this.docker.listContainers({ all: true }),
            this.docker.listVolumes(),
            this.docker.listNetworks(),
            this.docker.listImages(),
        ]);
        return {
            containers: containers.map(({ Names: names }) => (names[0] ?? "").slice(1)).sort(),
            volumes: (volumes.Volumes ?? []).map(({ Name: name }) => name).sort(),
            networks: networks
                .map(({ Name: name }) => name)
                .filter((name) => !["bridge", "host", "none"].includes(name))
                .sort(),
            images: images.flatMap(({ RepoTags: tags }) => tags ?? []).sort(),
        };
    }

    /** Sends a signal to a container's first process. */
    async kill(container: string, signal = "SIGKILL"): Promise<void> {
        await this.docker.getContainer(container).kill({ signal });
    }

    /** Resolves to the exit code when a container has ended. */
    async ended(container: string): Promise<number> {
        const { StatusCode: code } = (await this.docker.getContainer(container).wait()) as {
            StatusCode: number;
        };
        return code;
    }

    /** Ends and removes all: to be called by whoever started it. */
    async stop(): Promise<void> {
        await wipeBed(this.dir);
    }
}

export interface Contents {
    readonly containers: readonly string[];
    readonly volumes: readonly string[];
    readonly networks: readonly string[];
    readonly images: readonly string[];
}

/** Takes about two seconds. If this process ends without {@link DockerBed.stop}, a watchdog does it. */
export async function startDockerBed(): Promise<DockerBed> {
    ensurePackages(NEEDED);
    if (process.getuid?.() !== 0) {
        throw new MissingPackages(["root"]);
    }
    await wipeAbandoned();
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), PREFIX));
    fs.writeFileSync(placesOf(dir).owner, identityOf(process.pid));
    spawn(process.execPath, [path.join(__dirname, "watchdog.js"), dir], {
        stdio: "ignore",
        detached: true,
    }).unref();
    try {
        const network = createNetwork(`sr${path.basename(dir).slice(-6)}`);
        fs.writeFileSync(placesOf(dir).network, JSON.stringify(network));
        writeConfig(dir, network);
        await startContainerd(dir);
        await startDockerd(dir);
        return new DockerBed(dir);
    } catch (error) {
        await wipeBed(dir);
        throw error;
    }
}
