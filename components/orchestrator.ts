import * as pulumi from "./sdk";
import type { Pipeline, ParamValue } from "../src/pipeline/types";
import { stepHashes } from "../src/pipeline/fingerprint";
import type { RunState } from "../src/run/events";
import type { FollowerSpec } from "../src/run/follower";
import type { Artifact } from "../src/run/record";
import { RUN_OUTPUTS } from "../src/provider/tokens";
import { isFinal, type StepSnapshot } from "../src/run/snapshot";
import { placeOf, type ArtifactStore } from "./artifactStore";
import { codeHash } from "./codeBundle";
import { basisOf, declaredRun, type DeclaredRun, type TargetBasis } from "./declaredRun";
import { RunFailedError } from "./errors";
import { isMade, type ImageSource, type MadeImage } from "./image";
import { Run, RunId } from "./resources";
import { resolveSettings, type Abilities, type OwnMistakes, type Settings } from "./settings";
import { withoutTraces } from "./traces";

export type { DeclaredRun, TargetBasis } from "./declaredRun";

/** What every orchestrator takes. */
export interface OrchestratorArgs {
    /** The pipeline: the path of a `pipeline.yaml` (relative to the working directory), or what `definePipeline` returned. */
    pipeline: string | Pipeline;
    /**
     * The folder that holds the steps' code.
     * @default - the folder of the pipeline's file, else the working directory
     */
    code?: string;
    /**
     * Values of the pipeline's parameters. A change of one is a new run.
     * @default - the parameters' own defaults
     */
    params?: Record<string, pulumi.Input<ParamValue>>;
    /**
     * Environment variables for all steps, beside the pipeline's own.
     * @default - none
     */
    env?: Record<string, pulumi.Input<string>>;
    /**
     * Values of the secrets that the pipeline names. Kept encrypted in the state, masked in the log.
     * @default - none
     */
    secrets?: Record<string, pulumi.Input<string>>;
    /**
     * The image in which the steps run; stands above the pipeline's: its name, how to build it, or a `PipelineImage`. The
     * local orchestrator uses none.
     * @default - the pipeline's image
     */
    image?: ImageSource;
    /**
     * Where the code bundle and what steps make are kept, on targets that can use it: `gs://bucket/prefix`, the path of a
     * folder, or an `ArtifactStore`. The bucket has to be there.
     * @default - the target's own place
     */
    artifactStore?: pulumi.Input<string> | ArtifactStore;
    /**
     * Any change of it is a new run: a date, a commit, a hash of the data.
     * @default - none
     */
    trigger?: pulumi.Input<unknown>;
    /**
     * How long the run may take, as `"2h"`, `"90s"` or a number of seconds; stands above the pipeline's.
     * @default - the pipeline's timeout
     */
    timeout?: string | number;
    /**
     * How many steps may run side by side; stands above the pipeline's.
     * @default - the pipeline's, which is 1: one after the other
     */
    parallelism?: number;
    /**
     * How long a step has between TERM and KILL when it is stopped, as a duration.
     * @default "10s"
     */
    grace?: string | number;
    /**
     * `false`: the update ends as soon as the run has started; `pulumi refresh` brings the outputs up to date.
     * @default true
     */
    wait?: boolean;
    /**
     * `"fail"`: a run that does not succeed fails the update, after its outputs were recorded. `"record"`: outputs only.
     * @default "fail"
     */
    onFailure?: "fail" | "record";
    /**
     * When something changed while the last run is still running: refuse, or cancel that run and start a new one.
     * @default "refuse"
     */
    whileRunning?: "refuse" | "replace";
    /**
     * The folder for records of runs.
     * @default - `.stackrun` in the root folder of the Pulumi project
     */
    stateDir?: string;
}

/** What an orchestrator's subclass says about its target. */
export interface Target {
    /** Which follower watches the target. It is looked up before the target is declared: its options can't depend on the run. */
    readonly follower: pulumi.Input<FollowerSpec>;
    /** Declares what the run needs, named by the run, with `this` as parent. */
    readonly declare?: (run: DeclaredRun) => readonly pulumi.Resource[];
    /**
     * The URL of the artifact store, where the `artifactStore` argument is not given: of a bucket that the target makes.
     * @default - none
     */
    readonly store?: pulumi.Input<string>;
    /**
     * The steps use the code folder where it is: nothing is uploaded, and its size has no limit.
     * @default false
     */
    readonly inPlace?: boolean;
    /** What else makes a new run when it changes. */
    readonly fingerprint?: pulumi.Input<unknown>;
    /** Builds the image, or finds out what its name stands for. Left out by targets that use no image. */
    readonly image?: (image: ImageSource) => MadeImage;
    /**
     * What the target is declared with beside the run itself (resources, network, …). A change of it alone makes no new
     * run; `declare` gets it as it was when the attempt began, so that the target of a run that is running or done stays
     * as it is, and a further attempt has what was changed.
     */
    readonly config?: (basis: TargetBasis) => pulumi.Input<unknown>;
    /**
     * How often the run is brought back after the platform took its machine.
     * @default 10
     */
    readonly maxRecoveries?: number;
}

/**
 * Where a pipeline runs. Subclasses call {@link Orchestrator.declareRun} once, at the end of their constructor;
 * the orchestrators of this package use nothing that one of your own can't.
 *
 * @example
 * class QueueOrchestrator extends Orchestrator {
 *     constructor(name: string, args: OrchestratorArgs & { queue: string }, opts?: pulumi.ComponentResourceOptions) {
 *         super("acme:index:QueueOrchestrator", name, args, opts);
 *         this.declareRun({ follower: { module: require.resolve("./queueFollower"), options: { queue: args.queue } } });
 *     }
 * }
 */
export abstract class Orchestrator extends pulumi.ComponentResource {
    declare readonly runId: pulumi.Output<string>;
    /** 1 for the first attempt of a run. */
    declare readonly attempt: pulumi.Output<number>;
    declare readonly status: pulumi.Output<RunState>;
    /** Machine-readable; empty after a success. */
    declare readonly reason: pulumi.Output<string>;
    /** A sentence for people. */
    declare readonly message: pulumi.Output<string>;
    declare readonly steps: pulumi.Output<StepSnapshot[]>;
    declare readonly startedAt: pulumi.Output<string | undefined>;
    declare readonly finishedAt: pulumi.Output<string | undefined>;
    declare readonly durationSeconds: pulumi.Output<number | undefined>;
    /** How often the platform took the machine. */
    declare readonly interruptions: pulumi.Output<number>;
    /** Of the step that failed, else of the runner. */
    declare readonly exitCode: pulumi.Output<number | undefined>;
    /** The last 64 KiB of the log. */
    declare readonly logs: pulumi.Output<string>;
    /** Where the whole log is. */
    declare readonly logUrl: pulumi.Output<string>;
    /** `step/output` -> where it is, its size in bytes and its SHA-256. */
    declare readonly artifacts: pulumi.Output<Record<string, Artifact>>;
    /** Step -> metric -> value. */
    declare readonly metrics: pulumi.Output<Record<string, Record<string, number>>>;

    declare private ended: { resolve(): void; reject(error: Error): void };
    private readonly settings: Settings;
    private readonly typeToken: string;
    private readonly childName: string;
    private readonly where: string;

    /**
     * `mistakes` tells what is wrong with arguments that only the subclass has; the pipeline is undefined if it can't be read.
     * `abilities` says which common arguments it can use; the others are refused.
     * @throws BadInputError with all mistakes in the pipeline and the arguments, before anything is declared.
     */
    protected constructor(
        typeToken: string,
        name: string,
        args: OrchestratorArgs,
        opts?: pulumi.ComponentResourceOptions,
        mistakes?: OwnMistakes,
        abilities?: Abilities,
    ) {
        // Before `super`, which declares the component: what is refused leaves nothing in the state.
        const where = `${typeToken.split(":").pop()} "${name}"`;
        const settings = resolveSettings(args, where, mistakes, abilities);
        super(typeToken, name, {}, opts);
        this.typeToken = typeToken;
        this.childName = name;
        this.where = where;
        this.settings = settings;
    }

    /** The URL of the artifact store, complete, if there is one: what the target may depend on. */
    protected get storeUrl(): pulumi.Output<string> | undefined {
        return this.settings.store?.apply(({ url }) => url);
    }

    /**
     * Settled when the run has ended. The SDK waits for it before it declares what depends on this component: after a
     * run that has failed, nothing of that is declared.
     */
    protected override initialize(): Promise<void> {
        // Called by `super`, before this class's own fields are there.
        return new Promise((resolve, reject) => (this.ended = { resolve, reject }));
    }

    /** Declares the run: its id, its target, and the resource that follows it. */
    protected declareRun(target: Target): void {
        const { settings } = this;
        const code = codeHash(this, { ...settings, inPlace: target.inPlace ?? false });
        const image = settings.image === undefined ? undefined : target.image?.(settings.image);
        const idArgs = this.runIdArgs(target, code, image);
        const id = withoutTraces(() => new RunId(`${this.childName}-id`, idArgs, { parent: this }));
        const declared = target.declare?.(declaredRun(this.withStore(target), id, code, image));
        const runArgs = this.runArgs(id, target, code);
        const dependsOn = [...(declared ?? [])];
        const run = withoutTraces(() => new Run(this.childName, runArgs, { parent: this, dependsOn }));
        const outputs = outputsOf(id, run);
        Object.assign(this, outputs);
        this.registerOutputs(outputs);
        this.settleWith(run);
    }

    private withStore({ store }: Target): Settings {
        const { settings, where } = this;
        return settings.store || store === undefined
            ? settings
            : { ...settings, store: placeOf(store, where, undefined, "store") };
    }

    private settleWith(run: Run): void {
        // Without dependents nobody else looks at it.
        this.getData().catch(() => undefined);
        if (pulumi.runtime.isDryRun()) {
            this.ended.resolve();
            return;
        }
        const { onFailure } = this.settings;
        pulumi
            .all([run.runId, run.status, run.reason, run.message, run.logUrl])
            .apply(([runId, status, reason, message, logUrl]) => {
                if (onFailure === "fail" && isFinal(status) && status !== "Succeeded") {
                    const sentence = `run ${runId}: ${status} (${reason}): ${message}; log: ${logUrl}`;
                    const error = new RunFailedError(sentence, this, status, reason);
                    this.ended.reject(error);
                    // Thrown beside the outputs, not in them: they are recorded although the update fails.
                    throw error;
                }
                this.ended.resolve();
            });
    }

    private runIdArgs(target: Target, code: pulumi.Output<string>, image?: MadeImage): pulumi.Inputs {
        const { settings } = this;
        return {
            pipeline: settings.pipeline.name,
            orchestrator: this.typeToken,
            code,
            steps: stepHashes(settings.pipeline),
            params: settings.params,
            env: settings.env,
            secrets: [...settings.pipeline.secrets],
            image: image ? image.contentTag : nameOf(settings.image),
            trigger: settings.trigger,
            extra: target.fingerprint,
            whileRunning: settings.whileRunning,
            follower: target.follower,
            stateDir: settings.stateDir,
            config: target.config?.(basisOf(settings, image)),
        };
    }

    private runArgs(id: RunId, target: Target, code: pulumi.Output<string>): pulumi.Inputs {
        const { settings } = this;
        return {
            runId: id.runId,
            attempt: id.attempt,
            nonce: id.nonce,
            pipeline: settings.pipeline,
            params: settings.params,
            env: settings.env,
            secrets: settings.secrets,
            codeDir: settings.codeDir,
            codeHash: code,
            parallelism: settings.parallelism,
            timeoutSeconds: settings.timeoutSeconds,
            graceSeconds: settings.graceSeconds,
            wait: settings.wait,
            maxRecoveries: target.maxRecoveries,
            follower: target.follower,
            stateDir: settings.stateDir,
        };
    }
}

// Of an image that nothing is made of here.
function nameOf(image: ImageSource | undefined): unknown {
    return image !== undefined && isMade(image) ? image.contentTag : image;
}

function outputsOf({ runId, attempt }: RunId, run: Run) {
    return { runId, attempt, ...Object.fromEntries(RUN_OUTPUTS.map((name) => [name, run[name]])) };
}
