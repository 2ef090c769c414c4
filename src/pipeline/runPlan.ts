import { PlanStep, RunPlan } from "../runner/plan";
import { paramEnv } from "./params";
import { ParamValue, Pipeline, Step } from "./types";

/** How long a step has between TERM and KILL, if nothing else is said: less than what a taken machine leaves. */
export const DEFAULT_GRACE_SECONDS = 10;

export interface RunPlanOptions {
    readonly runId: string;
    /** 1 for the first attempt of a run. */
    readonly attempt: number;
    /** Random text that every event of this attempt carries. */
    readonly nonce: string;
    readonly stream: RunPlan["stream"];
    /** All parameters, as `resolveParams` returns them. */
    readonly params: Readonly<Record<string, ParamValue>>;
    /** Absolute path of the steps' working directory; by default `code/` in the run directory. */
    readonly codeDir?: string;
    /** Stands above the pipeline's. */
    readonly parallelism?: number;
    /** Stands above the pipeline's. */
    readonly timeoutSeconds?: number;
    /** Environment variables whose values are masked as those of secrets are. */
    readonly masked?: readonly string[];
    /** @default DEFAULT_GRACE_SECONDS */
    readonly graceSeconds?: number;
    /** Steps are stored by ship.sh; see {@link RunPlan.shipSilenceSeconds}. */
    readonly shipSilenceSeconds?: number;
}

/** What the runner has to know to execute one attempt of a run of the pipeline. */
export function toRunPlan(pipeline: Pipeline, options: RunPlanOptions): RunPlan {
    const { runId, attempt, nonce, stream, params, codeDir, graceSeconds = DEFAULT_GRACE_SECONDS } = options;
    const timeoutSeconds = options.timeoutSeconds ?? pipeline.timeoutSeconds;
    return {
        runId,
        attempt,
        nonce,
        pipeline: pipeline.name,
        stream,
        parallelism: options.parallelism ?? pipeline.parallelism,
        ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
        graceSeconds,
        ...(options.shipSilenceSeconds === undefined
            ? {}
            : { shipSilenceSeconds: options.shipSilenceSeconds }),
        ...(codeDir === undefined ? {} : { codeDir }),
        env: { ...pipeline.env, ...paramEnv(params) },
        secrets: [...pipeline.secrets, ...(options.masked ?? [])],
        steps: pipeline.steps.map(toPlanStep),
    };
}

function toPlanStep(step: Step): PlanStep {
    const { name, run, after, inputs, outputs, env, retries, timeoutSeconds } = step;
    return {
        name,
        argv: typeof run === "string" ? ["sh", "-c", run] : run,
        after,
        inputs,
        outputs,
        env,
        retries,
        ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
    };
}
