import * as pulumi from "./sdk";
import type { Pipeline, ParamValue } from "../src/pipeline/types";
import { toRunPlan } from "../src/pipeline/runPlan";
import { planScript } from "../src/runner/planDir";
import { declaredStore, type DeclaredStore } from "./artifactStore";
import type { MadeImage } from "./image";
import type { RunId } from "./resources";
import type { Settings } from "./settings";

/** How long nothing is heard of ship.sh before the run has failed: a container that is started again may take its time. */
const SHIP_SILENCE_SECONDS = 600;

/** What is known before there is a run. */
export type TargetBasis = Pick<
    DeclaredRun,
    "pipeline" | "codeDir" | "image" | "graceSeconds" | "timeoutSeconds"
>;

/** What a target's declaration can use. */
export interface DeclaredRun {
    /** A DNS label of at most 40 characters; unknown in a preview that shows a new run. */
    readonly runId: pulumi.Output<string>;
    readonly attempt: pulumi.Output<number>;
    /** `<runId>-<attempt>`: a DNS label. */
    readonly attemptName: pulumi.Output<string>;
    /** Random text that the events of this attempt carry, so that a step's output can't forge one. */
    readonly nonce: pulumi.Output<string>;
    readonly pipeline: Pipeline;
    readonly params: pulumi.Output<Record<string, ParamValue>>;
    readonly env: pulumi.Output<Record<string, string>>;
    readonly secrets: pulumi.Output<Record<string, string>>;
    /** SHA-256 of the code's content. */
    readonly codeHash: pulumi.Output<string>;
    readonly codeDir: string;
    /** What runs: the `ref` of what `Target.image` returned. Undefined without that, or without an image. */
    readonly image: pulumi.Output<string> | undefined;
    /** The artifact store, if there is one: only for orchestrators that say that they can use it. */
    readonly store: DeclaredStore | undefined;
    /** What `Target.config` returned when this attempt began. */
    readonly config: pulumi.Output<unknown>;
    /** Absolute path of the folder for records of runs. */
    readonly stateDir: string;
    readonly timeoutSeconds?: number;
    readonly graceSeconds: number;
    /**
     * A file for the launcher: sh that writes the plan of this attempt into the runner's folder. For targets of which only
     * the standard output can be read. `codeDir` is where the code is on the target, if the launcher does not unpack it;
     * `masked` names environment variables of the target that hold something secret. With `ships`, a step counts only when
     * it is in the artifact store, to which `ship.sh` brings it.
     */
    plan(options?: {
        readonly codeDir?: string;
        readonly masked?: readonly string[];
        readonly ships?: boolean;
    }): pulumi.Output<string>;
}

/** What is known of a run before it has an id. */
export function basisOf(settings: Settings, image: MadeImage | undefined): TargetBasis {
    const { pipeline, codeDir, graceSeconds, timeoutSeconds } = settings;
    return { pipeline, codeDir, graceSeconds, timeoutSeconds, image: image?.ref };
}

/** What an orchestrator declares its target with. */
export function declaredRun(
    settings: Settings,
    id: RunId,
    code: pulumi.Output<string>,
    image: MadeImage | undefined,
): DeclaredRun {
    const { runId, attempt, nonce } = id;
    const attemptName = pulumi.interpolate`${runId}-${attempt}`;
    const { params, env, parallelism } = settings;
    const basis = basisOf(settings, image);
    const { pipeline, timeoutSeconds, graceSeconds } = basis;
    return {
        ...basis,
        runId,
        attempt,
        attemptName,
        nonce,
        params,
        env,
        secrets: settings.secrets,
        codeHash: code,
        config: id.config,
        store:
            settings.store &&
            declaredStore(settings.store, {
                codeDir: settings.codeDir,
                codeHash: code,
                stateDir: settings.stateDir,
                attempt: attemptName,
            }),
        stateDir: settings.stateDir,
        plan: ({ codeDir, ships, masked } = {}) =>
            pulumi
                .all([runId, attempt, nonce, params, env])
                .apply(([ofRun, ofAttempt, ofNonce, values, variables]) =>
                    planScript(
                        toRunPlan(
                            { ...pipeline, env: variables },
                            {
                                runId: ofRun,
                                attempt: ofAttempt,
                                nonce: ofNonce,
                                stream: "stdout",
                                params: values,
                                codeDir,
                                masked,
                                parallelism,
                                timeoutSeconds,
                                graceSeconds,
                                shipSilenceSeconds: ships ? SHIP_SILENCE_SECONDS : undefined,
                            },
                        ),
                    ),
                ),
    };
}
