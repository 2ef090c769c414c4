import type * as docker from "@pulumi/docker";
import * as pulumi from "../sdk";
import { IN_CONTAINER, LABEL } from "../../src/run/docker/names";
import type { DeclaredRun } from "../orchestrator";
import type { DockerOrchestratorArgs, DockerVolume } from "./args";
import { mebibytes } from "./sizes";

const DEFAULT_USER = "65532:65532";
/** What the container has to end in order after its steps have ended: beyond the steps' own grace. */
const STOP_MARGIN_SECONDS = 10;
/** Docker's log has to hold all of a run's output: what a daemon's default would rotate away is lost to the follower. */
const WHOLE_LOG = { "max-size": "1000p", "max-file": "1", compress: "false", mode: "blocking" };

/** What a run's container is declared with. Nothing secret: that is put into the container, not into its declaration. */
export function containerArgs(
    args: DockerOrchestratorArgs,
    run: DeclaredRun,
    image: { readonly id: pulumi.Input<string>; readonly ref: pulumi.Input<string> },
): docker.ContainerArgs {
    const { user = DEFAULT_USER, cpus, memory, gpus, shmSize, network, mountCode } = args;
    const memoryMib = memory === undefined ? undefined : mebibytes(memory);
    const declared: docker.ContainerArgs = {
        name: pulumi.interpolate`stackrun-${run.attemptName}`,
        image: image.id,
        // Started by the follower, after it has put in what it runs.
        start: false,
        mustRun: false,
        restart: "no",
        entrypoints: ["/bin/sh"],
        command: [IN_CONTAINER.launcher, IN_CONTAINER.run],
        envs: environment(args, run),
        user: user === "image" ? undefined : user,
        labels: labelsOf(args, run, image.ref),
        logDriver: "json-file",
        logOpts: WHOLE_LOG,
        stopSignal: "SIGTERM",
        stopTimeout: Math.ceil(run.graceSeconds) + STOP_MARGIN_SECONDS,
        cpus: cpus === undefined ? undefined : String(cpus),
        memory: memoryMib,
        memorySwap: memoryMib,
        gpus,
        shmSize: shmSize === undefined ? undefined : mebibytes(shmSize),
        networkMode: network,
        hosts: Object.entries(args.extraHosts ?? {}).map(([host, ip]) => ({ host, ip })),
        volumes: [
            { volumeName: pulumi.interpolate`stackrun-${run.runId}`, containerPath: IN_CONTAINER.volume },
            ...(mountCode
                ? [{ hostPath: run.codeDir, containerPath: IN_CONTAINER.mountedCode, readOnly: true }]
                : []),
            ...(args.volumes ?? []).map(mounted),
        ],
    };
    return args.transform ? args.transform(declared) : declared;
}

function environment({ user, mountCode }: DockerOrchestratorArgs, run: DeclaredRun): pulumi.Input<string>[] {
    return [
        `STACKRUN_BOOT=${IN_CONTAINER.boot}`,
        ...(mountCode
            ? []
            : [
                  `STACKRUN_CODE=${IN_CONTAINER.bundle}`,
                  pulumi.interpolate`STACKRUN_CODE_HASH=${run.codeHash}`,
              ]),
        ...(run.pipeline.secrets.length > 0 ? [`STACKRUN_SECRETS=${IN_CONTAINER.secrets}`] : []),
        // Nobody in particular has no home; many a tool wants one that it can write to.
        ...(user === "image" ? [] : [`HOME=${IN_CONTAINER.home}`]),
    ];
}

/** Of the container; those of the volume are the same, but for the attempt. */
export function labelsOf(
    { labels = {} }: DockerOrchestratorArgs,
    run: DeclaredRun,
    image?: pulumi.Input<string>,
): { label: string; value: pulumi.Input<string> }[] {
    const all: Record<string, pulumi.Input<string>> = {
        ...labels,
        [LABEL.runId]: run.runId,
        [LABEL.stack]: `${pulumi.runtime.getProject()}/${pulumi.runtime.getStack()}`,
        ...(image === undefined
            ? {}
            : {
                  [LABEL.attempt]: pulumi.interpolate`${run.attempt}`,
                  [LABEL.nonce]: run.nonce,
                  [LABEL.image]: image,
              }),
    };
    return Object.entries(all).map(([label, value]) => ({ label, value }));
}

function mounted({ hostPath, volume, containerPath, readOnly }: DockerVolume) {
    return {
        containerPath,
        readOnly: readOnly ?? false,
        ...(hostPath === undefined ? { volumeName: volume } : { hostPath }),
    };
}
