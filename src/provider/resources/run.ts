import type { Pipeline, ParamValue } from "../../pipeline/types";
import type { Follower, FollowerSpec, RunRef, RunSpec } from "../../run/follower";
import { attemptEvents } from "../../run/outcome";
import { followRun, lookAt, type FollowSink } from "../../run/followRun";
import { logTail, readEvents, runDirOf, type RunFile } from "../../run/record";
import { loadFollower } from "../../run/registry";
import { isFinal } from "../../run/snapshot";
import { EngineSink } from "../engineSink";
import type {
    CheckRequest,
    CheckFailure,
    CreateRequest,
    DeleteRequest,
    Diff,
    DiffRequest,
    ReadRequest,
    ResourceHandler,
    UpdateRequest,
} from "../handler";
import { ProviderError } from "../handler";
import { readRest } from "./restOfLog";
import { RUN_OUTPUTS } from "../tokens";
import { isUnknown, unknown, type Decoded, type Properties } from "../values";
import type { StepView } from "../views";

type Operation = Pick<CreateRequest, "urn" | "log" | "signal" | "closed" | "views">;

/** Shows a run to somebody else than the engine: the command, which has a terminal of its own. */
export type Observe = (run: Omit<RunSpec, "finishedSteps">) => FollowSink;

/** One attempt of a run: creating it starts and follows it, reading it looks it up, deleting it cancels what still runs. */
export const runHandler = (observe?: Observe): ResourceHandler => ({
    check({ inputs }: CheckRequest): CheckFailure[] {
        const { secrets } = inputs.value;
        const failures: CheckFailure[] = [];
        for (const [name, value] of Object.entries((secrets ?? {}) as Properties)) {
            if (typeof value !== "string") {
                failures.push({ property: `secrets.${name}`, reason: "a secret has to be text" });
            } else if (value.includes("\0")) {
                failures.push({ property: `secrets.${name}`, reason: "a secret can't hold a NUL character" });
            }
        }
        return failures;
    },

    async diff({ inputs, oldInputs, oldOutputs }: DiffRequest): Promise<Diff> {
        const changes = ["runId", "attempt"].filter(
            (key) => inputs[key] !== oldInputs[key] || isUnknown(inputs[key]),
        );
        if (changes.length > 0) {
            return { changes, replace: true };
        }
        if (oldOutputs.status === "Succeeded") {
            return { changes: [] };
        }
        // A run that was left running: its outcome is brought into the state.
        const spec = specOf({ value: inputs, secrets: new Set() });
        const outcome = await (await loadFollower(spec.follower)).lastOutcome(spec.run);
        if (outcome.kind === "NoRecord") {
            throw noRecord(spec.run.runId, outcome.message);
        }
        const behind = outcome.kind === "Running" ? inputs.wait !== false : true;
        return { changes: [], force: behind };
    },

    async create(request: CreateRequest) {
        const spec = request.preview ? undefined : specOf(request.inputs);
        const outputs = spec ? await execute(spec, request, observe) : previewOutputs(request.inputs.value);
        return {
            id: `${String(request.inputs.value.runId)}/${String(request.inputs.value.attempt)}`,
            outputs,
        };
    },

    async update(request: UpdateRequest) {
        if (request.preview) {
            return { outputs: previewOutputs(request.inputs.value) };
        }
        return { outputs: await execute(specOf(request.inputs), request, observe) };
    },

    async read(request: ReadRequest) {
        const spec = specOf(request.inputs);
        if (isFinal(String(request.outputs.status))) {
            return { outputs: request.outputs };
        }
        if (spec.wait) {
            return { outputs: await execute(spec, request, observe) };
        }
        return {
            outputs: await show(
                await lookAt({ ...spec, follower: await loadFollower(spec.follower) }),
                spec,
                request,
            ),
        };
    },

    async delete({ oldInputs, outputs, log, signal }: DeleteRequest) {
        if (isFinal(String(outputs.status))) {
            return;
        }
        const { follower: module, run, pipeline, params } = specOf(oldInputs);
        const follower = await loadFollower(module);
        const { kind } = await follower.lastOutcome(run);
        if (kind === "Running") {
            log.info(`run ${run.runId} is still running: it is cancelled`);
            await follower.cancel(run, "the run was deleted from its stack");
        }
        // Its target is deleted next: what nobody has read of a run that was not waited for would go with it.
        if (kind === "Running" || kind === "Finished") {
            const secrets = Object.values(run.secrets);
            await readRest(run.runId, { log, signal }, (detach) =>
                lookAt({ follower, run, pipeline, params, secrets, detach }),
            );
        }
    },
});

interface Spec {
    readonly run: Omit<RunSpec, "finishedSteps">;
    readonly pipeline: Pipeline;
    readonly params: Readonly<Record<string, ParamValue>>;
    readonly follower: FollowerSpec;
    readonly wait: boolean;
    readonly maxRecoveries?: number;
}

// Starts the attempt unless it was started before (then its CLI or plugin was killed), and follows it.
async function execute(spec: Spec, request: Operation, observe?: Observe): Promise<object> {
    const follower = await loadFollower(spec.follower);
    await ensureStarted(follower, spec, request);
    if (!spec.wait) {
        return show(
            await lookAt({ ...spec, follower, secrets: Object.values(spec.run.secrets) }),
            spec,
            request,
        );
    }
    const engine = new EngineSink({ log: request.log, whereLog: `${spec.run.runDir}/log` });
    const sink = observe?.(spec.run) ?? engine;
    try {
        const { run, pipeline, params } = spec;
        const secrets = Object.values(run.secrets);
        const { signal, closed } = request;
        const file = await followRun({
            follower,
            run,
            pipeline,
            params,
            sink,
            secrets,
            signal,
            detach: closed,
            maxRecoveries: spec.maxRecoveries,
        });
        return await show(file, spec, request);
    } finally {
        engine.end();
        await request.log.flush();
    }
}

async function ensureStarted(follower: Follower, { run }: Spec, { log, signal }: Operation): Promise<void> {
    const outcome = await follower.lastOutcome(run);
    switch (outcome.kind) {
        case "NoRecord":
            throw noRecord(run.runId, outcome.message);
        case "NotStarted":
            signal.throwIfAborted();
            await follower.start?.({ ...run, finishedSteps: await finishedSteps(run) }, signal);
            break;
        case "Running":
            // Where declaring the target starts it, only a record tells that it was followed before.
            if (follower.start || (await attemptEvents(run)).length > 0) {
                log.info(`run ${run.runId} was started before and is still running: it is followed on`);
            }
            break;
        case "Finished":
            log.info(`run ${run.runId} was started before and has ended`);
            break;
    }
}

async function finishedSteps(run: RunRef): Promise<string[]> {
    const events = await readEvents(run.runDir);
    return events.flatMap((event) =>
        event.type === "step.finished" && event.state === "Succeeded" ? [event.step] : [],
    );
}

async function show(run: RunFile, spec: Spec, { urn, views }: Operation): Promise<object> {
    await views.replace(run.steps.map((step) => stepView(urn, step)));
    const shown = { ...run, logs: await logTail(spec.run.runDir) };
    const { runId, attempt } = spec.run;
    return { runId, attempt, ...Object.fromEntries(RUN_OUTPUTS.map((name) => [name, shown[name]])) };
}

// Named by its run too: two runs of a stack may have steps of the same name.
function stepView(
    urn: string,
    { name, state, attempts, durationSeconds, exitCode }: RunFile["steps"][number],
): StepView {
    return {
        name: `${urn.split("::").pop()}.${name}`,
        inputs: { step: name },
        outputs: { step: name, state, attempts, durationSeconds, exitCode },
    };
}

function previewOutputs(inputs: Properties): object {
    const outputs = Object.fromEntries(RUN_OUTPUTS.map((name) => [name, unknown]));
    return { ...outputs, runId: inputs.runId, attempt: inputs.attempt };
}

function specOf({ value }: Decoded): Spec {
    const inputs = value as Properties & { pipeline: unknown; params: unknown; follower: unknown };
    const runId = String(inputs.runId);
    const pipeline = inputs.pipeline as Pipeline;
    const params = inputs.params as Record<string, ParamValue>;
    const run: Spec["run"] = {
        runId,
        attempt: Number(inputs.attempt),
        nonce: String(inputs.nonce),
        runDir: runDirOf(String(inputs.stateDir), runId),
        pipeline,
        params,
        env: (inputs.env ?? {}) as Record<string, string>,
        secrets: (inputs.secrets ?? {}) as Record<string, string>,
        codeDir: String(inputs.codeDir),
        codeHash: String(inputs.codeHash),
        parallelism: Number(inputs.parallelism ?? pipeline.parallelism),
        timeoutSeconds:
            inputs.timeoutSeconds === undefined ? pipeline.timeoutSeconds : Number(inputs.timeoutSeconds),
        graceSeconds: Number(inputs.graceSeconds ?? 10),
    };
    return {
        run,
        pipeline,
        params,
        follower: inputs.follower as FollowerSpec,
        wait: inputs.wait !== false,
        maxRecoveries: inputs.maxRecoveries === undefined ? undefined : Number(inputs.maxRecoveries),
    };
}

function noRecord(runId: string, message: string): ProviderError {
    return new ProviderError(
        `the outcome of run ${runId} can't be looked up: ${message} (was it deleted, or did the run take place on another machine?). ` +
            "Nothing was run, because it might be a second time. To run again all the same, give `trigger` a new value.",
    );
}
