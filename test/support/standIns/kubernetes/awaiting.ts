import { setTimeout as sleep } from "node:timers/promises";
import { ApiError, type KubeObject, type KubernetesApi } from "./api";
import { hasAnnotation, metadataOf } from "./objects";

/** The object is there, but it did not become what it should: it stays in the state, as failed. */
export class NotReady extends Error {
    override readonly name = "NotReady";
    constructor(
        message: string,
        readonly live: KubeObject,
    ) {
        super(message);
    }
}

interface Condition {
    readonly type: string;
    readonly status: string;
    readonly reason?: string;
    readonly message?: string;
}

export interface Waiting {
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
    status(message: string): void;
}

const LOOK_EVERY_MS = 250;
export const DEFAULT_TIMEOUT_MS = 600_000;

/** Waits as long as the real provider does for an object of this kind, and returns what it is then. */
export async function untilReady(
    api: KubernetesApi,
    path: string,
    made: KubeObject,
    waiting: Waiting,
): Promise<KubeObject> {
    const judge = JUDGES[String(made.kind)];
    if (!judge || hasAnnotation(made, "skipAwait")) {
        return made;
    }
    const deadline = Date.now() + waiting.timeoutMs;
    for (let live = made; ; live = await api.request("GET", path)) {
        const { ready, failed, message } = judge(live);
        if (ready) {
            return live;
        }
        if (failed || Date.now() > deadline || waiting.signal.aborted) {
            const why = failed ? message : waiting.signal.aborted ? "cancelled" : `timed out: ${message}`;
            throw new NotReady(why, live);
        }
        waiting.status(message);
        await sleep(LOOK_EVERY_MS);
    }
}

type Verdict = { ready?: boolean; failed?: boolean; message: string };

const JUDGES: Readonly<Record<string, (live: KubeObject) => Verdict>> = {
    // A Job that its podFailurePolicy has failed is waited for until the time-out: the real provider knows only these.
    Job: (live) => {
        const conditions = ((live.status as { conditions?: Condition[] } | undefined)?.conditions ??
            []) as Condition[];
        const holds = conditions.filter(({ status }) => status === "True");
        const failed = holds.find(
            ({ type, reason }) =>
                type === "Failed" && ["BackoffLimitExceeded", "DeadlineExceeded"].includes(reason ?? ""),
        );
        return {
            ready: holds.some(({ type }) => type === "Complete"),
            failed: failed !== undefined,
            message: failed
                ? `[${failed.reason}] ${failed.message}`
                : `Waiting for Job "${metadataOf(live).name}" to succeed`,
        };
    },
    PersistentVolumeClaim: (live) => {
        const { phase } = (live.status ?? {}) as { phase?: string };
        return { ready: phase === "Bound", message: `PVC "${metadataOf(live).name}" is ${phase}` };
    },
};

/** Kinds whose deletion is not waited for either, with skipAwait: the real provider's list, as far as it goes here. */
const NOT_AWAITED = ["v1/Namespace", "v1/Pod", "v1/ReplicationController", "batch/v1/Job"];

export function awaitsDeletion(inputs: KubeObject): boolean {
    return !(
        hasAnnotation(inputs, "skipAwait") && NOT_AWAITED.includes(`${inputs.apiVersion}/${inputs.kind}`)
    );
}

export async function untilGone(api: KubernetesApi, path: string, waiting: Waiting): Promise<void> {
    const deadline = Date.now() + waiting.timeoutMs;
    for (;;) {
        let live: KubeObject;
        try {
            live = await api.request("GET", path);
        } catch (error) {
            if (error instanceof ApiError && error.status === 404) {
                return;
            }
            throw error;
        }
        if (Date.now() > deadline || waiting.signal.aborted) {
            throw new NotReady(
                `timed out waiting for the deletion of ${live.kind} "${metadataOf(live).name}"`,
                live,
            );
        }
        waiting.status("waiting for its deletion");
        await sleep(LOOK_EVERY_MS);
    }
}
