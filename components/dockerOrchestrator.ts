import * as docker from "@pulumi/docker";
import * as pulumi from "./sdk";
import { volumeName } from "../src/run/docker/names";
import type { FollowerSpec } from "../src/run/follower";
import type { DockerOrchestratorArgs } from "./docker/args";
import { checkDockerArgs } from "./docker/check";
import { containerArgs, labelsOf } from "./docker/container";
import { Orchestrator, type DeclaredRun } from "./orchestrator";
import { isMade, isToBuild, type ImageSource, type MadeImage } from "./image";
import { PipelineImage } from "./pipelineImage";

/**
 * Runs the pipeline in a container of the local Docker daemon, or of another one (`dockerHost`, DOCKER_HOST), with an
 * image of your choice that needs no more than `/bin/sh` and POSIX tools. The container goes on when `pulumi` is killed,
 * and the next `up` follows it to its end. A volume keeps the run's directory, so that a further attempt goes on from the
 * last finished step.
 *
 * @example
 * const weather = new DockerOrchestrator("weather", { pipeline: "pipeline.yaml", image: "node:22-slim", memory: "2Gi" });
 * export const { status, metrics } = weather;
 */
export class DockerOrchestrator extends Orchestrator {
    /**
     * @throws BadInputError with all mistakes in the pipeline and the arguments, before anything is declared.
     */
    constructor(name: string, args: DockerOrchestratorArgs, opts?: pulumi.ComponentResourceOptions) {
        const checked = checkDockerArgs(args, `DockerOrchestrator "${name}"`, opts);
        super("stackrun:docker:DockerOrchestrator", name, checked, opts);
        const own = this.ownProvider(name, args);
        this.declareRun({
            follower: this.follower(args, own),
            inPlace: args.mountCode ?? false,
            image: (image) => this.madeImage(name, image, args, own),
            declare: (run) => this.declareContainer(name, args, run, own),
        });
    }

    private ownProvider(name: string, { dockerHost, registries }: DockerOrchestratorArgs) {
        if (dockerHost === undefined && registries === undefined) {
            return undefined;
        }
        const registryAuth = registries?.map(({ address, username, password }) => ({
            address,
            username,
            password: pulumi.secret(password),
        }));
        return new docker.Provider(`${name}-docker`, { host: dockerHost, registryAuth }, { parent: this });
    }

    private follower(
        { dockerHost, mountCode }: DockerOrchestratorArgs,
        own?: docker.Provider,
    ): pulumi.Input<FollowerSpec> {
        const given = own ?? this.getProvider("docker:index/container:Container");
        const theirs = docker.Provider.isInstance(given) ? given : undefined;
        const options = {
            host: dockerHost ?? theirs?.host,
            certPath: theirs?.certPath,
            ca: theirs?.caMaterial,
            cert: theirs?.certMaterial,
            key: theirs?.keyMaterial,
            code: mountCode ? "mount" : "copy",
        };
        return {
            module: "docker",
            options: Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
        };
    }

    private madeImage(
        name: string,
        image: ImageSource,
        { pullPolicy }: DockerOrchestratorArgs,
        provider?: docker.Provider,
    ): MadeImage {
        if (isMade(image)) {
            return image;
        }
        if (isToBuild(image)) {
            return new PipelineImage(`${name}-image`, image, this.childOptions(provider));
        }
        const ref = pulumi.output(image);
        if (pullPolicy !== "Always") {
            return { ref, contentTag: ref };
        }
        const { sha256Digest } = docker.getRegistryImageOutput({ name: ref }, this.childOptions(provider));
        const pinned = pulumi.interpolate`${ref.apply(withoutTag)}@${sha256Digest}`;
        return { ref: pinned, contentTag: pinned };
    }

    private declareContainer(
        name: string,
        args: DockerOrchestratorArgs,
        run: DeclaredRun,
        provider?: docker.Provider,
    ): pulumi.Resource[] {
        const options = { ...this.childOptions(provider), deleteBeforeReplace: true };
        const ref = run.image as pulumi.Output<string>;
        const volume = new docker.Volume(
            `${name}-volume`,
            { name: run.runId.apply(volumeName), labels: labelsOf(args, run) },
            options,
        );
        const pulled =
            args.pullPolicy === "Never"
                ? undefined
                : new docker.RemoteImage(
                      `${name}-pull`,
                      { name: ref, keepLocally: true },
                      this.childOptions(provider),
                  );
        const container = new docker.Container(
            `${name}-container`,
            containerArgs(args, run, { id: pulled?.imageId ?? ref, ref }),
            { ...options, dependsOn: [volume] },
        );
        return [volume, container];
    }

    private childOptions(provider?: docker.Provider) {
        return provider ? { parent: this, provider } : { parent: this };
    }
}

function withoutTag(ref: string): string {
    return ref.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
}
