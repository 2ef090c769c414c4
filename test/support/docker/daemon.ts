import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import Docker from "dockerode";
import { findCommand } from "../aptPackages";
import { endProcess, identityOf, isAlive } from "../identity";
import { until } from "../project";
import type { BedNetwork } from "./network";

/** Where everything of a bed lies. */
export function placesOf(dir: string) {
    return {
        socket: path.join(dir, "docker.sock"),
        config: path.join(dir, "daemon.json"),
        containerdConfig: path.join(dir, "containerd.toml"),
        containerdSocket: path.join(dir, "containerd.sock"),
        network: path.join(dir, "network.json"),
        owner: path.join(dir, "owner"),
        process: (name: Program) => path.join(dir, `${name}.process`),
        log: (name: Program) => path.join(dir, `${name}.log`),
        /** Both the cgroup that all containers are in, and its name. */
        cgroup: path.basename(dir),
    };
}

export type Program = "dockerd" | "containerd";

/** dockerd and its containerd: nothing of them lies outside of the bed's folder. */
export function writeConfig(dir: string, { bridge, second }: BedNetwork): void {
    const places = placesOf(dir);
    const config = {
        "data-root": path.join(dir, "data"),
        "exec-root": path.join(dir, "exec"),
        pidfile: path.join(dir, "dockerd.pid"),
        hosts: [`unix://${places.socket}`],
        containerd: places.containerdSocket,
        bridge,
        iptables: false,
        // Those of loopback always are: here the tests' own, where a Kubernetes bed reaches them.
        "insecure-registries": ["10.245.0.0/16"],
        "default-address-pools": [{ base: `10.${second}.128.0/17`, size: 24 }],
        "cgroup-parent": `/${places.cgroup}`,
        "exec-opts": ["native.cgroupdriver=cgroupfs"],
        "live-restore": true,
        "oom-score-adjust": 0,
        "shutdown-timeout": 5,
    };
    fs.writeFileSync(places.config, JSON.stringify(config, undefined, 4));
    const toml = [
        "version = 2",
        "oom_score = 0",
        `root = "${path.join(dir, "containerd/root")}"`,
        `state = "${path.join(dir, "containerd/state")}"`,
        'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
        `[grpc]`,
        `address = "${places.containerdSocket}"`,
    ];
    fs.writeFileSync(places.containerdConfig, `${toml.join("\n")}\n`);
}

export async function startContainerd(dir: string): Promise<void> {
    const places = placesOf(dir);
    start(dir, "containerd", ["--config", places.containerdConfig]);
    await ready(dir, "containerd", () => fs.existsSync(places.containerdSocket));
}

export async function startDockerd(dir: string): Promise<void> {
    const places = placesOf(dir);
    start(dir, "dockerd", ["--config-file", places.config]);
    const docker = new Docker({ socketPath: places.socket });
    await ready(dir, "dockerd", () =>
        docker.ping().then(
            () => true,
            () => false,
        ),
    );
}

/** Live-restore: the containers go on. */
export async function endProgram(dir: string, program: Program): Promise<void> {
    await endProcess(identityIn(placesOf(dir).process(program)), 20_000);
}

export function identityIn(file: string): string {
    return fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
}

function start(dir: string, program: Program, args: readonly string[]): void {
    const places = placesOf(dir);
    const log = fs.openSync(places.log(program), "a");
    // Debian keeps some of what the daemons start where only root's PATH leads.
    const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin`, TMPDIR: dir };
    const command = findCommand(program) as string;
    const child = spawn(command, args, { cwd: dir, env, stdio: ["ignore", log, log], detached: true });
    child.unref();
    fs.closeSync(log);
    fs.writeFileSync(places.process(program), identityOf(child.pid as number));
}

async function ready(
    dir: string,
    program: Program,
    answers: () => boolean | Promise<boolean>,
): Promise<void> {
    const places = placesOf(dir);
    const log = () => fs.readFileSync(places.log(program), "utf8").split("\n").slice(-15).join("\n");
    await until(
        async () => {
            if (!isAlive(identityIn(places.process(program)))) {
                throw new Error(`${program} ended at once:\n${log()}`);
            }
            return answers();
        },
        60_000,
        () => `${program} to answer:\n${log()}`,
    );
}
