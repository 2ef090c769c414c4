import type * as docker from "@pulumi/docker";
import * as pulumi from "../sdk";
import { IN_CONTAINER, LABEL } from "../../src/run/docker/names";
import type { DeclaredRun, TargetBasis } from "../orchestrator";
import type { DockerOrchestratorArgs, DockerVolume } from "./args";
import { mebibytes } from "./sizes";

const DEFAULT_USER = "65532:65532";
/** What the container has to end in order after its steps have ended: beyond the steps' own grace. */
const STOP_MARGIN_SECONDS = 10;
/** Docker's log has to hold all of a run's output: what a daemon's default would rotate away is lost to the follower. */
const WHOLE_LOG = { "max-size": "1000p", "max-file": "1", compress: "false", mode: "blocking" };

/**
 * What a container is declared with, but for what its run adds. Nothing secret: that is put into the container, not into
 * its declaration.
 */
export function containerConfig(
    args: DockerOrchestratorArgs,
    basis: TargetBasis,
    image: { readonly id: pulumi.Input<string>; readonly ref: pulumi.Input<string> },
): docker.ContainerArgs {
    const { user = DEFAULT_USER, cpus, memory, gpus, shmSize, network, mountCode } = args;
    const memoryMib = memory === undefined ? undefined : mebibytes(memory);
    const config: docker.ContainerArgs = {
        image: image.id,
        // Started by the follower, after it has put in what it runs.
        start: false,
        mustRun: false,
        restart: "no",
        entrypoints: ["/bin/sh"],
        command: [IN_CONTAINER.launcher, IN_CONTAINER.run],
        envs: environment(args, basis),
        user: user === "image" ? undefined : user,
        labels: labelList({ ...args.labels, [LABEL.image]: image.ref }),
        logDriver: "json-file",
        logOpts: WHOLE_LOG,
        stopSignal: "SIGTERM",
        stopTimeout: Math.ceil(basis.graceSeconds) + STOP_MARGIN_SECONDS,
        cpus: cpus === undefined ? undefined : String(cpus),
        memory: memoryMib,
        memorySwap: memoryMib,
        gpus,
        shmSize: shmSize === undefined ? undefined : mebibytes(shmSize),
        networkMode: network,
        hosts: Object.entries(args.extraHosts ?? {}).map(([host, ip]) => ({ host, ip })),
        volumes: [
            ...(mountCode
                ? [{ hostPath: basis.codeDir, containerPath: IN_CONTAINER.mountedCode, readOnly: true }]
                : []),
            ...(args.volumes ?? []).map(mounted),
        ],
    };
    return args.transform ? args.transform(config) : config;
}

/** The declaration of a run's container: `config` as it is now, or as it was when the run's attempt began. */
export function containerOf(
    run: DeclaredRun,
    config: docker.ContainerArgs,
    volume: docker.Volume,
    { mountCode }: DockerOrchestratorArgs,
): docker.ContainerArgs {
    const kept = asItBegan(run, config);
    const hash = run.codeHash.apply((text) => (mountCode ? [] : [`STACKRUN_CODE_HASH=${text}`]));
    const own = { [LABEL.attempt]: pulumi.interpolate`${run.attempt}`, [LABEL.nonce]: run.nonce };
    // By the volume's own name: so the engine knows that a container has to go before its volume can.
    const mount = { volumeName: volume.name, containerPath: IN_CONTAINER.volume };
    const added: Partial<docker.ContainerArgs> = {
        name: run.attemptName.apply((name) => `stackrun-${name}`),
        envs: joined(kept.envs, hash),
        labels: joined(kept.labels, [...labelsOf(run), ...labelList(own)]),
        volumes: joined(kept.volumes, [mount]),
    };
    return new Proxy(kept, { get: (of, key: keyof docker.ContainerArgs) => added[key] ?? of[key] });
}

// Every property by itself: which of them there were when the attempt began, only the state knows. In a preview of a
// further attempt or another run, some of what it will be is not known, and the rest is shown.
function asItBegan(run: DeclaredRun, now: docker.ContainerArgs): docker.ContainerArgs {
    const began = run.config as pulumi.Output<Record<string, unknown> | undefined>;
    const read = async (key: keyof docker.ContainerArgs): Promise<unknown> =>
        pulumi.runtime.isDryRun() && !(await isKnown(began))
            ? now[key]
            : began.apply((known) => known?.[key]);
    return new Proxy({} as docker.ContainerArgs, {
        get: (_none, key: keyof docker.ContainerArgs) => pulumi.output(read(key)),
    });
}

// Internal to the SDK, and the only way to ask.
function isKnown(output: pulumi.Output<unknown>): Promise<boolean> {
    return (output as unknown as { isKnown: Promise<boolean> }).isKnown;
}

function joined<T>(list: pulumi.Input<T[] | undefined> | undefined, more: pulumi.Input<pulumi.Input<T>[]>) {
    return pulumi.all([list, more]).apply(([first, second]) => [...(first ?? []), ...second] as T[]);
}

function environment(
    { user, mountCode }: DockerOrchestratorArgs,
    { pipeline }: TargetBasis,
): pulumi.Input<string>[] {
    return [
        `STACKRUN_BOOT=${IN_CONTAINER.boot}`,
        ...(mountCode ? [] : [`STACKRUN_CODE=${IN_CONTAINER.bundle}`]),
        ...(pipeline.secrets.length > 0 ? [`STACKRUN_SECRETS=${IN_CONTAINER.secrets}`] : []),
        // Nobody in particular has no home; many a tool wants one that it can write to.
        ...(user === "image" ? [] : [`HOME=${IN_CONTAINER.home}`]),
    ];
}

/** Whose the resources are: of the container and the volume. */
export function labelsOf(run: DeclaredRun): { label: string; value: pulumi.Input<string> }[] {
    const stack = `${pulumi.runtime.getProject()}/${pulumi.runtime.getStack()}`;
    return labelList({ [LABEL.runId]: run.runId, [LABEL.stack]: stack });
}

function labelList(labels: Record<string, pulumi.Input<string>>) {
    return Object.entries(labels).map(([label, value]) => ({ label, value }));
}

function mounted({ hostPath, volume, containerPath, readOnly }: DockerVolume) {
    return {
        containerPath,
        readOnly: readOnly ?? false,
        ...(hostPath === undefined ? { volumeName: volume } : { hostPath }),
    };
}
