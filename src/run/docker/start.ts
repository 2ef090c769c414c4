import * as fs from "node:fs/promises";
import * as path from "node:path";
import { scanCode, writeBundle } from "../../bundle";
import { toRunPlan } from "../../pipeline/runPlan";
import { launcherScript } from "../../runner/launcher";
import { planScript } from "../../runner/planDir";
import { shQuote } from "../../runner/quote";
import { runnerScript } from "../../runner/script";
import type { RunSpec } from "../follower";
import { prepareRunDir } from "../record";
import type { Daemon } from "./client";
import { findContainer, type Found } from "./container";
import { explain } from "./errors";
import { writeStartMark } from "./mark";
import { containerName, IN_CONTAINER } from "./names";
import type { DockerFollowerOptions } from "./options";
import { ownerIn } from "./ownerIn";
import { packed, type Packed } from "./pack";

/**
 * Fills the declared container and starts it. May be called again after it was killed anywhere in between: what is in
 * the container is put there anew, and one that runs is left alone.
 */
export async function startContainer(
    daemon: Daemon,
    spec: RunSpec,
    options: DockerFollowerOptions,
    signal: AbortSignal,
): Promise<void> {
    const found = await findContainer(daemon, spec);
    const name = containerName(spec);
    if (!found) {
        throw new Error(
            `the Docker daemon at ${daemon.address} has no container ${name}, although it was declared: was it removed, or made by another daemon? Type the command again after \`pulumi refresh\``,
        );
    }
    if (found.info.State.Status !== "created") {
        return;
    }
    await prepareRunDir(spec.runDir);
    const { address } = daemon;
    try {
        await fill(found, spec, options, signal);
        const { ID } = (await daemon.docker.info()) as { ID: string };
        signal.throwIfAborted();
        await writeStartMark(spec, { container: found.info.Id, daemon: ID, address });
        await found.handle.start();
    } catch (error) {
        const { image } = labelsOf(found);
        throw explain(error, { doing: `the container ${name} of image ${image} can't be started`, address });
    }
}

async function fill(
    found: Found,
    spec: RunSpec,
    { code = "copy" }: DockerFollowerOptions,
    signal: AbortSignal,
): Promise<void> {
    const bundle = path.join(spec.runDir, `.code-${spec.attempt}.tar.gz`);
    try {
        const copied = code === "copy";
        await (copied && writeCode(spec, bundle, signal));
        const owner = await ownerIn(found);
        const archive = await packed(entriesOf(spec, copied ? bundle : undefined), owner);
        await found.handle.putArchive(
            archive as NodeJS.ReadableStream,
            {
                path: IN_CONTAINER.volume,
                abortSignal: signal,
            } as { path: string },
        );
    } finally {
        await fs.rm(bundle, { force: true });
    }
}

async function writeCode(spec: RunSpec, file: string, signal: AbortSignal): Promise<void> {
    const cacheFile = path.join(path.dirname(path.dirname(spec.runDir)), "bundle-cache.json");
    const tree = await scanCode(spec.codeDir, { cacheFile, signal });
    if (tree.hash !== spec.codeHash) {
        throw new Error(
            `the code in ${spec.codeDir} has changed since the update began: type the command again`,
        );
    }
    await writeBundle(tree, file, { signal });
}

/** Everything below the volume. The secrets come last: a torn upload has left none. */
function entriesOf(spec: RunSpec, bundle: string | undefined): Packed[] {
    const at = (place: string) => path.posix.relative(IN_CONTAINER.volume, place);
    const folder = (place: string, mode: number): Packed => ({ path: at(place), type: "folder", mode });
    const text = (place: string, mode: number, content: string): Packed => ({
        path: at(place),
        type: "text",
        mode,
        text: content,
    });
    const secrets = Object.entries(spec.secrets).map(([name, value]) => `export ${name}=${shQuote(value)}\n`);
    return [
        folder(IN_CONTAINER.run, 0o700),
        folder(IN_CONTAINER.home, 0o700),
        folder(IN_CONTAINER.boot, 0o700),
        text(IN_CONTAINER.launcher, 0o500, launcherScript()),
        text(`${IN_CONTAINER.boot}/runner.sh`, 0o500, runnerScript()),
        text(
            `${IN_CONTAINER.boot}/plan.sh`,
            0o400,
            planOf(spec, bundle ? undefined : IN_CONTAINER.mountedCode),
        ),
        folder(IN_CONTAINER.bundle, 0o700),
        ...(bundle
            ? [{ path: at(`${IN_CONTAINER.bundle}/000`), type: "file", mode: 0o400, source: bundle } as const]
            : []),
        ...(secrets.length > 0 ? [text(IN_CONTAINER.secrets, 0o400, secrets.join(""))] : []),
    ];
}

function planOf(spec: RunSpec, codeDir: string | undefined): string {
    const { runId, attempt, nonce, params, parallelism, timeoutSeconds, graceSeconds } = spec;
    return planScript(
        toRunPlan(
            { ...spec.pipeline, env: spec.env },
            {
                runId,
                attempt,
                nonce,
                stream: "stdout",
                params,
                codeDir,
                parallelism,
                timeoutSeconds,
                graceSeconds,
            },
        ),
    );
}

function labelsOf({ info }: Found): { image: string } {
    return { image: info.Config.Labels["stackrun.image"] ?? info.Config.Image };
}
