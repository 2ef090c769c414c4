import { setTimeout as delay } from "node:timers/promises";
import type { RunRef } from "../follower";
import { ApiError, type Api } from "./connection";
import type { End } from "./endings";
import { ANNOTATION, hasEnded, LABEL, type Job, type Pod } from "./objects";

const POLL_MS = 300;
/** Beyond the pod's own time to end. */
const MARGIN_MS = 60_000;

export function attemptName({ runId, attempt }: Pick<RunRef, "runId" | "attempt">): string {
    return `${runId}-${attempt}`;
}

export function jobsPath(api: Api): string {
    return `/apis/batch/v1/namespaces/${api.namespace}/jobs`;
}

export function podsPath(api: Api): string {
    return `/api/v1/namespaces/${api.namespace}/pods`;
}

/** Pods of one attempt, and of nothing else. */
export function podSelector({ runId, attempt }: RunRef): string {
    return `${LABEL.runId}=${runId},${LABEL.attempt}=${attempt}`;
}

export async function readJob(api: Api, run: RunRef): Promise<Job | undefined> {
    try {
        return await api.json<Job>({ path: `${jobsPath(api)}/${attemptName(run)}` });
    } catch (error) {
        if (error instanceof ApiError && error.status === 404) {
            return undefined;
        }
        throw error;
    }
}

export async function listPods(api: Api, run: RunRef): Promise<readonly Pod[]> {
    const query = { labelSelector: podSelector(run) };
    return (await api.json<{ items: Pod[] }>({ path: podsPath(api), query })).items;
}

/**
 * Ends an attempt for good: the end is written to the Job, where every process finds it, and the Job is suspended, so
 * that its pods are told to end and no others follow. The Job itself stays what Pulumi has declared.
 */
export async function endJob(api: Api, run: RunRef, end: End): Promise<void> {
    await api.json<Job>({
        method: "PATCH",
        path: `${jobsPath(api)}/${attemptName(run)}`,
        contentType: "application/merge-patch+json",
        body: {
            metadata: { annotations: { [ANNOTATION.end]: JSON.stringify(end) } },
            spec: { suspend: true },
        },
    });
}

/** Resolves when no pod of the attempt runs any more. */
export async function podsEnded(api: Api, run: RunRef): Promise<void> {
    const begun = Date.now();
    for (;;) {
        const left = (await listPods(api, run)).filter((pod) => !hasEnded(pod));
        if (left.length === 0) {
            return;
        }
        const grace = Math.max(...left.map(({ spec }) => spec?.terminationGracePeriodSeconds ?? 30));
        if (Date.now() - begun > grace * 1000 + MARGIN_MS) {
            const [{ metadata, spec }] = left;
            throw new Error(
                `the pod ${metadata.name} was told to end, and has not: does its node ${spec?.nodeName ?? ""} still answer? ` +
                    "When the node is gone for good, remove it from the cluster, and the pod ends.",
            );
        }
        await delay(POLL_MS);
    }
}
