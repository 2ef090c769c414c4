import * as path from "node:path";
import * as docker from "@pulumi/docker";
import { addressFault, withoutPassword } from "../../src/run/docker/address";
import type * as pulumi from "../sdk";
import { isToBuild } from "../image";
import { buildMistakes } from "../pipelineImage";
import type { OwnMistakes } from "../settings";
import type { DockerOrchestratorArgs, DockerVolume } from "./args";
import { mebibytes, SIZE_ALLOWED } from "./sizes";

/** Docker refuses containers with less. */
const SMALLEST_MEMORY_MIB = 6;
const RESERVED_PATHS = ["/stackrun", "/stackrun-code"];

/** What is wrong with the image, if the pipeline could be read. */
export function imageMistakes(
    { pipeline, image }: Parameters<OwnMistakes>[0],
    where: string,
): readonly string[] {
    if (image === undefined) {
        return pipeline
            ? [`${where}: image is missing: neither the arguments nor the pipeline name one`]
            : [];
    }
    return isToBuild(image) ? buildMistakes(image, where) : [];
}

/** What is wrong with the arguments that only the Docker orchestrator has. */
export function dockerMistakes(
    args: DockerOrchestratorArgs,
    where: string,
    opts: pulumi.ComponentResourceOptions = {},
): string[] {
    const mistakes: string[] = [];
    const wrong = (key: string, value: unknown, allowed: string) =>
        mistakes.push(`${where}: ${key} is ${JSON.stringify(value)}; allowed: ${allowed}`);
    const { user, cpus, memory, shmSize, gpus, pullPolicy, dockerHost, mountCode } = args;
    const hostFault = typeof dockerHost === "string" ? addressFault(dockerHost) : undefined;
    if (hostFault) {
        mistakes.push(`${where}: ${hostFault}`);
    } else if (
        typeof dockerHost === "string" &&
        !/^(unix:\/\/\/|(tcp|ssh|https?):\/\/[^/\s])/.test(dockerHost)
    ) {
        wrong("dockerHost", withoutPassword(dockerHost), "unix:///…, tcp://…, http://…, https://…, ssh://…");
    }
    if (user !== undefined && !/^[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$/.test(user)) {
        wrong("user", user, '"image", "uid", "uid:gid", or the name of a user of the image');
    }
    if (cpus !== undefined && !(Number.isFinite(cpus) && cpus > 0)) {
        wrong("cpus", cpus, "a number above 0");
    }
    for (const [key, size, least] of [
        ["memory", memory, SMALLEST_MEMORY_MIB],
        ["shmSize", shmSize, 1],
    ] as const) {
        if (size !== undefined && !((mebibytes(String(size)) ?? 0) >= least)) {
            wrong(key, size, `${SIZE_ALLOWED}, at least ${least}Mi`);
        }
    }
    if (gpus !== undefined && !/^(all|device=[\w-]+(,[\w-]+)*)$/.test(gpus)) {
        wrong("gpus", gpus, '"all", or "device=0,2"');
    }
    if (pullPolicy !== undefined && !["Always", "IfNotPresent", "Never"].includes(pullPolicy)) {
        wrong("pullPolicy", pullPolicy, '"Always", "IfNotPresent", "Never"');
    }
    if (mountCode !== undefined && typeof mountCode !== "boolean") {
        wrong("mountCode", mountCode, "true, false");
    }
    if (mountCode && typeof dockerHost === "string" && !dockerHost.startsWith("unix:")) {
        wrong("mountCode", mountCode, "false, because the daemon of dockerHost is on another machine");
    }
    if ((dockerHost !== undefined || args.registries !== undefined) && hasProvider(opts)) {
        const key = dockerHost === undefined ? "registries" : "dockerHost";
        mistakes.push(`${where}: ${key} can't stand beside a provider of your own: give it to that provider`);
    }
    mistakes.push(
        ...(args.volumes ?? []).flatMap((one, index) => volumeMistakes(one, `${where}: volumes[${index}]`)),
    );
    mistakes.push(...labelMistakes(Object.keys(args.labels ?? {}), where));
    return mistakes;
}

function hasProvider({ provider, providers }: pulumi.ComponentResourceOptions): boolean {
    const given = [provider, ...(Array.isArray(providers) ? providers : Object.values(providers ?? {}))];
    return given.some((one) => docker.Provider.isInstance(one));
}

function volumeMistakes({ hostPath, volume, containerPath }: DockerVolume, where: string): string[] {
    const mistakes: string[] = [];
    if ((hostPath === undefined) === (volume === undefined)) {
        mistakes.push(
            `${where} names ${hostPath === undefined ? "neither" : "both"}; allowed: either hostPath or volume`,
        );
    }
    if (hostPath !== undefined && !path.posix.isAbsolute(hostPath)) {
        mistakes.push(
            `${where}.hostPath is ${JSON.stringify(hostPath)}; allowed: an absolute path of the daemon's machine`,
        );
    }
    if (
        !path.posix.isAbsolute(containerPath ?? "") ||
        RESERVED_PATHS.some((own) => isIn(containerPath, own))
    ) {
        mistakes.push(
            `${where}.containerPath is ${JSON.stringify(containerPath)}; allowed: an absolute path outside of ${RESERVED_PATHS.join(" and ")}`,
        );
    }
    return mistakes;
}

function isIn(file: string, folder: string): boolean {
    const clean = path.posix.normalize(file);
    return clean === folder || clean === "/" || clean.startsWith(`${folder}/`);
}

function labelMistakes(names: readonly string[], where: string): string[] {
    return names
        .filter((name) => name.startsWith("stackrun.") || name.trim() === "")
        .map(
            (name) =>
                `${where}: labels: ${JSON.stringify(name)} can't be set; allowed: names that don't start with "stackrun."`,
        );
}
