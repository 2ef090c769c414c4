import { randomBytes } from "node:crypto";
import { drain } from "../../run/drain";
import type { Follower, FollowerSpec, Outcome, RunRef } from "../../run/follower";
import { prepareRunDir, runDirOf } from "../../run/record";
import { loadFollower } from "../../run/registry";
import type {
    CheckFailure,
    CheckRequest,
    CreateRequest,
    DeleteRequest,
    Diff,
    DiffRequest,
    ResourceHandler,
    UpdateRequest,
} from "../handler";
import { ProviderError } from "../handler";
import { readRest } from "./restOfLog";
import {
    deepEqual,
    hasUnknown,
    isUnknown,
    secret,
    unknown,
    type Decoded,
    type Properties,
    type Value,
} from "../values";

/** What makes a run another one when it changes. `secrets` are names: a new password is no reason to run again. */
export const FINGERPRINT = [
    "pipeline",
    "orchestrator",
    "code",
    "steps",
    "params",
    "env",
    "secrets",
    "image",
    "trigger",
    "extra",
] as const;

/** Decides whether there is a new run, a further attempt of the last one, or nothing to do; and names it. */
export const runIdHandler: ResourceHandler = {
    check({ inputs }: CheckRequest): CheckFailure[] {
        const failures: CheckFailure[] = [];
        for (const path of inputs.secrets) {
            if (/^(params|env)([.[]|$)/.test(path)) {
                const reason = `is secret, and is written to the plan and to the record; pass it in "secrets" instead`;
                failures.push({ property: path, reason });
            }
        }
        return failures;
    },

    async diff(request: DiffRequest): Promise<Diff> {
        const changes = changedParts(request.oldInputs, request.inputs);
        const { outcome } = await lookUp(request.inputs, request.oldInputs, request.oldOutputs);
        if (changes.length > 0) {
            refuseWhileRunning(outcome, request.inputs, request.oldOutputs, changes);
            return { changes };
        }
        return needsAttempt(outcome) ? { changes: [], force: true } : { changes: [] };
    },

    async create({ inputs, preview }: CreateRequest) {
        const { value } = inputs;
        if (preview) {
            return { id: "", outputs: { runId: unknown, attempt: 1, nonce: unknown, ...configOf(inputs) } };
        }
        const runId = newRunId(String(value.pipeline));
        await prepareRunDir(runDirOf(String(value.stateDir), runId));
        const outputs = { runId, attempt: 1, nonce: newNonce(), ...configOf(inputs) };
        return { id: String(value.pipeline), outputs };
    },

    async update({ inputs, oldInputs, oldOutputs, preview, log, signal }: UpdateRequest) {
        const { value } = inputs;
        const changes = changedParts(oldInputs, value);
        if (changes.length === 0) {
            const last = await lookUp(value, oldInputs, oldOutputs);
            const { outcome } = last;
            const attempt = Number(oldOutputs.attempt) + (needsAttempt(outcome) ? 1 : 0);
            if (outcome.kind === "Finished" && needsAttempt(outcome)) {
                log.info(
                    `attempt ${attempt} of ${String(oldOutputs.runId)}: attempt ${attempt - 1} was ${outcome.state} (${outcome.message})`,
                );
            }
            if (attempt === oldOutputs.attempt) {
                return { outputs: { ...oldOutputs, ...configOf(inputs, oldOutputs) } };
            }
            const nonce = preview ? unknown : newNonce();
            await (preview ? undefined : keepLog(last, { log, signal }));
            return { outputs: { runId: oldOutputs.runId, attempt, nonce, ...configOf(inputs) } };
        }
        if (preview) {
            return { outputs: { runId: unknown, attempt: 1, nonce: unknown, ...configOf(inputs) } };
        }
        // Also where the state has no Run that could be deleted first: its creation was killed, and the run goes on.
        const last = await lookUp(value, oldInputs, oldOutputs);
        refuseWhileRunning(last.outcome, value, oldOutputs, changes);
        await cancelRunning(last, "replaced by a new run");
        await keepLog(last, { log, signal });
        const runId = newRunId(String(value.pipeline));
        await prepareRunDir(runDirOf(String(value.stateDir), runId));
        return { outputs: { runId, attempt: 1, nonce: newNonce(), ...configOf(inputs) } };
    },

    read: ({ outputs }) => Promise.resolve({ outputs }),

    // The record of a run is its history, not a resource of the stack: it stays. A run whose creation was killed has no
    // Run in the state: it is ended here.
    async delete({ oldInputs, outputs, log }: DeleteRequest) {
        const last = await lookUp(oldInputs.value, oldInputs.value, outputs);
        if (last.outcome.kind === "Running") {
            log.info(`run ${last.run.runId} is still running: it is cancelled`);
        }
        await cancelRunning(last, "the run was deleted from its stack");
    },
};

function changedParts(olds: Properties, news: Properties): string[] {
    return FINGERPRINT.flatMap((part) => changedPaths(part, olds[part], news[part]));
}

// One level deep, so that preview names the parameter and the step.
function changedPaths(part: string, left: Value | undefined, right: Value | undefined): string[] {
    if (deepEqual(left, right) && !hasUnknown(right)) {
        return [];
    }
    if (!isMap(left) || !isMap(right)) {
        return [part];
    }
    const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])];
    return keys
        .filter((key) => !deepEqual(left[key], right[key]) || hasUnknown(right[key]))
        .map((key) =>
            /^[A-Za-z_$][\w$]*$/.test(key) ? `${part}.${key}` : `${part}[${JSON.stringify(key)}]`,
        );
}

function isMap(value: Value | undefined): value is Properties {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

interface LastRun {
    readonly run: RunRef;
    readonly outcome: Outcome;
    readonly follower?: Follower;
}

// By what follows runs now; and, if that knows nothing of the last run, by what followed it then.
async function lookUp(inputs: Properties, oldInputs: Properties, olds: Properties): Promise<LastRun> {
    const last = await lookUpWith(inputs, olds);
    const same = deepEqual([inputs.follower, inputs.stateDir], [oldInputs.follower, oldInputs.stateDir]);
    return last.outcome.kind === "NoRecord" && !same ? lookUpWith(oldInputs, olds) : last;
}

async function lookUpWith(inputs: Properties, olds: Properties): Promise<LastRun> {
    const runId = String(olds.runId);
    const run = { runId, attempt: Number(olds.attempt), runDir: runDirOf(String(inputs.stateDir), runId) };
    if (hasUnknown(inputs.follower) || isUnknown(inputs.stateDir)) {
        return { run, outcome: { kind: "NoRecord", message: "what follows the run is not known yet" } };
    }
    try {
        const follower = await loadFollower(inputs.follower as unknown as FollowerSpec);
        return { run, follower, outcome: await follower.lastOutcome(run) };
    } catch (error) {
        throw new ProviderError(
            `the outcome of run ${runId} can't be looked up: ${(error as Error).message}. ` +
                "Nothing was run, because it might be a second time; try again when it can be reached.",
        );
    }
}

async function cancelRunning({ run, outcome, follower }: LastRun, reason: string): Promise<void> {
    if (outcome.kind === "Running") {
        await follower?.cancel(run, reason);
    }
}

// Its target is about to be deleted, and its log with it.
async function keepLog(
    { run, outcome, follower }: LastRun,
    how: Pick<UpdateRequest, "log" | "signal">,
): Promise<void> {
    if (follower && outcome.kind !== "NoRecord" && outcome.kind !== "NotStarted") {
        await readRest(run.runId, how, (stop) => drain(follower, run, stop));
    }
}

function needsAttempt(outcome: Outcome): boolean {
    return outcome.kind === "Finished" && outcome.state !== "Succeeded";
}

function refuseWhileRunning(
    outcome: Outcome,
    inputs: Properties,
    olds: Properties,
    changes: readonly string[],
): void {
    if (outcome.kind === "Running" && inputs.whileRunning !== "replace") {
        throw new ProviderError(
            `run ${String(olds.runId)} is still running, and ${changes.join(", ")} changed. ` +
                'Wait for its end (`pulumi refresh` tells), or set whileRunning: "replace" to cancel it first.',
        );
    }
}

// What the target of an attempt is declared with; secrets in it stay secret.
function configOf({ value, secrets }: Decoded, { config } = value): { config?: Value } {
    const hidden = [...secrets].some((path) => /^config([.[]|$)/.test(path));
    return config === undefined ? {} : { config: hidden ? secret(config) : config };
}

function newNonce(): string {
    return randomBytes(16).toString("hex");
}

/** `weather-20261122-143012-k3x9`: at most 40 characters, a DNS label, sorted by time. */
export function newRunId(pipeline: string, now = new Date()): string {
    const slug = pipeline
        .normalize("NFKD")
        .replaceAll(/\p{M}/gu, "")
        .toLowerCase()
        .replaceAll(/[^a-z0-9]+/g, "-")
        .replaceAll(/^[^a-z]+|-+$/g, "")
        .slice(0, 19)
        .replace(/-+$/, "");
    const time = now.toISOString().replaceAll(/[-:]/g, "").replace("T", "-").slice(0, 15);
    const random = [...randomBytes(4)].map((byte) => "abcdefghijkmnpqrstuvwxyz23456789"[byte % 32]).join("");
    return `${slug || "run"}-${time}-${random}`;
}
