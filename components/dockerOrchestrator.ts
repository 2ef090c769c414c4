import * as docker from "@pulumi/docker";
import * as pulumi from "./sdk";
import { volumeName } from "../src/run/docker/names";
import type { FollowerSpec } from "../src/run/follower";
import type { DockerOrchestratorArgs } from "./docker/args";
import { dockerMistakes, imageMistakes } from "./docker/check";
import { containerConfig, containerOf, labelsOf } from "./docker/container";
import { idOfPresent, pinned, type Asking } from "./docker/pullPolicy";
import { Orchestrator, type DeclaredRun, type TargetBasis } from "./orchestrator";
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
        const where = `DockerOrchestrator "${name}"`;
        super("stackrun:index:DockerOrchestrator", name, args, opts, (known) => [
            ...imageMistakes(known, where),
            ...dockerMistakes(args, where, opts),
        ]);
        const own = this.ownProvider(name, args);
        const options = own ? { parent: this, provider: own } : { parent: this };
        let config: docker.ContainerArgs | undefined;
        this.declareRun({
            follower: this.follower(args, own),
            inPlace: args.mountCode ?? false,
            image: (image) => madeImage(name, image, where, args, options),
            config: (basis) => (config = configOf(name, args, where, basis, options)),
            declare: (run) => declareContainer(name, run, config as docker.ContainerArgs, args, options),
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
            // Whoever has made the provider need not have said that it is one.
            key: theirs?.keyMaterial.apply((key) => (key === undefined ? key : pulumi.secret(key))),
            code: mountCode ? "mount" : "copy",
        };
        return {
            module: "docker",
            options: Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
        };
    }
}

function madeImage(
    name: string,
    image: ImageSource,
    where: string,
    { pullPolicy }: DockerOrchestratorArgs,
    options: Asking,
): MadeImage {
    if (isMade(image)) {
        return image;
    }
    if (isToBuild(image)) {
        return new PipelineImage(`${name}-image`, image, options);
    }
    const ref = pulumi.output(image);
    const used = pullPolicy === "Always" ? ref.apply((name) => pinned(name, where, options)) : ref;
    return { ref: used, contentTag: used };
}

// A container is declared with its image's id: by a name, the provider would replace it at each update.
function configOf(
    name: string,
    args: DockerOrchestratorArgs,
    where: string,
    basis: TargetBasis,
    options: Asking,
): docker.ContainerArgs {
    const ref = basis.image as pulumi.Output<string>;
    const id =
        args.pullPolicy === "Never"
            ? ref.apply((image) => idOfPresent(image, where, options))
            : new docker.RemoteImage(`${name}-pull`, { name: ref, keepLocally: true }, options).imageId;
    return containerConfig(args, basis, { id, ref });
}

function declareContainer(
    name: string,
    run: DeclaredRun,
    config: docker.ContainerArgs,
    args: DockerOrchestratorArgs,
    child: Asking,
): pulumi.Resource[] {
    const options = { ...child, deleteBeforeReplace: true };
    const volumeArgs = { name: run.runId.apply(volumeName), labels: labelsOf(run) };
    const volume = new docker.Volume(`${name}-volume`, volumeArgs, options);
    const container = new docker.Container(
        `${name}-container`,
        containerOf(run, config, volume, args),
        options,
    );
    return [volume, container];
}
