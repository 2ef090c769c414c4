import * as fs from "node:fs/promises";
import * as path from "node:path";
import type { Follower, FollowItem, Outcome, RunRef } from "../follower";
import { DEFAULT_MAX_RECOVERIES } from "../followRun";
import { attemptEvents, recordedOutcome } from "../outcome";
import { LAYOUT } from "../../stores/artifacts/types";
import { prepareRunDir } from "../record";
import { ApiError, Connection, type Api } from "./connection";
import type { ClusterOptions } from "./kubeconfig";
import { UnreachableError } from "./unreachable";
import { jobDeleted, jobEnd, writtenEnd, type End } from "./endings";
import { Following } from "./following";
import { attemptName, endJob, listPods, podsEnded, readJob } from "./job";
import { conditionOf, hasEnded, type Job } from "./objects";
import { readBookmark } from "./podFollower";
import { Queue } from "./queue";

/** What the component tells the follower; nothing in it depends on the run. */
export interface KubernetesFollowerOptions extends ClusterOptions {
    readonly pendingTimeoutSeconds?: number;
    readonly maxRecoveries?: number;
    /** The URL of the artifact store to which finished steps are brought. */
    readonly store?: string;
}

const PENDING_TIMEOUT_SECONDS = 600;

/** Follows the Job that was declared for an attempt: the Job starts it, and brings it back. */
export class KubernetesFollower implements Follower {
    constructor(
        private readonly options: KubernetesFollowerOptions,
        private readonly connect: (options: ClusterOptions) => Promise<Api> = (given) =>
            Connection.open(given),
    ) {}

    async lastOutcome(run: RunRef): Promise<Outcome> {
        const said = await recordedOutcome(run);
        if (said) {
            return said;
        }
        const [known, seen] = [await exists(run.runDir), await wasSeen(run)];
        try {
            const api = await this.connect(this.options);
            const job = await readJob(api, run);
            if (job) {
                await markSeen(run, job);
                return await outcomeOf(api, run, job);
            }
        } catch (error) {
            // An attempt of which nothing was ever seen: nothing can be declared in such a cluster either, and what a
            // creation that was refused has left can still be destroyed.
            if (!known || seen) {
                throw explained(error);
            }
        }
        if (seen) {
            return finished(jobDeleted(attemptName(run)));
        }
        return known
            ? { kind: "NotStarted" }
            : { kind: "NoRecord", message: `there is no Job ${attemptName(run)}, and no ${run.runDir}` };
    }

    async *follow(run: RunRef, signal: AbortSignal, from?: string): AsyncIterable<FollowItem> {
        const stop = new AbortController();
        const until = AbortSignal.any([signal, stop.signal]);
        const queue = new Queue<FollowItem>();
        const work = this.withApi(async (api) => {
            const before = from === undefined ? [] : await attemptEvents(run);
            const following = new Following(
                api,
                run,
                {
                    pendingTimeoutMs: (this.options.pendingTimeoutSeconds ?? PENDING_TIMEOUT_SECONDS) * 1000,
                    maxRecoveries: this.options.maxRecoveries ?? DEFAULT_MAX_RECOVERIES,
                    interruptions: before.filter(({ type }) => type === "run.interrupted").length,
                },
                (item) => queue.put(this.withUri(item, run)),
                until,
                readBookmark(from),
            );
            await following.follow();
        }).then(
            () => queue.end(),
            (error: unknown) => queue.end(error),
        );
        try {
            yield* queue;
        } finally {
            stop.abort();
            queue.end();
            await work;
        }
    }

    async cancel(run: RunRef, reason: string): Promise<void> {
        await this.withApi(async (api) => {
            const job = await readJob(api, run);
            if (!job || conditionOf(job, "Complete") || conditionOf(job, "Failed")) {
                return;
            }
            if (!writtenEnd(job)) {
                await endJob(api, run, { state: "Cancelled", reason: "Cancelled", message: reason });
            }
            await podsEnded(api, run);
        });
    }

    /** Nothing to do: the Job makes another pod. */
    async recover(): Promise<void> {}

    /** Where the output of a step is; the runner does not know it. */
    private withUri(item: FollowItem, { runId }: RunRef): FollowItem {
        const { store } = this.options;
        if (store === undefined || item.type !== "event" || item.event.type !== "artifact") {
            return item;
        }
        const { step, name } = item.event;
        const uri = `${store}/${LAYOUT.step(runId, step)}/outputs/${name}`;
        return { ...item, event: { ...item.event, uri } };
    }

    private async withApi<T>(work: (api: Api) => Promise<T>): Promise<T> {
        try {
            return await work(await this.connect(this.options));
        } catch (error) {
            throw explained(error);
        }
    }
}

export function createFollower(options: Readonly<Record<string, unknown>>): Follower {
    return new KubernetesFollower(options as KubernetesFollowerOptions);
}

async function outcomeOf(api: Api, run: RunRef, job: Job): Promise<Outcome> {
    const written = writtenEnd(job);
    const ended = conditionOf(job, "Complete") ?? conditionOf(job, "Failed");
    if (!written && !ended) {
        return { kind: "Running" };
    }
    const pods = await listPods(api, run);
    if (!ended && pods.some((pod) => !hasEnded(pod))) {
        return { kind: "Running" };
    }
    const end = written ?? jobEnd(job, pods);
    return end ? finished(end) : { kind: "Running" };
}

function finished({ state, reason, message }: End): Outcome {
    return { kind: "Finished", state, reason, message };
}

function seenFile(run: RunRef): string {
    return path.join(run.runDir, `job-${run.attempt}`);
}

// A Job that is gone later on has been there: its attempt is not to be taken for one that was never started.
async function markSeen(run: RunRef, job: Job): Promise<void> {
    if (!(await wasSeen(run))) {
        await prepareRunDir(run.runDir);
        await fs.writeFile(seenFile(run), `${job.metadata.uid}\n`, { mode: 0o600 });
    }
}

function wasSeen(run: RunRef): Promise<boolean> {
    return exists(seenFile(run));
}

async function exists(file: string): Promise<boolean> {
    return (await fs.stat(file).catch(() => undefined)) !== undefined;
}

function explained(error: unknown): unknown {
    if (error instanceof UnreachableError) {
        return new Error(
            `${error.message}. Look at \`kubeconfig\` and \`context\`, and whether the cluster is up`,
            {
                cause: error,
            },
        );
    }
    if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
        return new Error(
            `the cluster refuses: ${error.message}. The rights that a run needs are listed in the page on Kubernetes`,
            { cause: error },
        );
    }
    return error;
}
