import type { FollowItem, RunRef } from "../follower";
import { Collection } from "./collection";
import { ApiError, type Api } from "./connection";
import {
    byAge,
    jobDeleted,
    jobEnd,
    podEnd,
    PREEMPTION_LIMIT,
    writtenEnd,
    type End,
    type Interruption,
} from "./endings";
import { attemptName, endJob, jobsPath, podSelector, podsPath, readJob } from "./job";
import { ANNOTATION, hasEnded, runContainer, type Job, type KubeEvent, type Pod } from "./objects";
import { News } from "./news";
import { pendingJob, pendingPod, PENDING_REMEDY, type Pending } from "./pending";
import { PodFollower, type Bookmark } from "./podFollower";

export interface FollowingOptions {
    readonly pendingTimeoutMs: number;
    readonly maxRecoveries: number;
    /** How often the attempt was interrupted before it is followed from here. */
    readonly interruptions: number;
}

/** One attempt, followed from pod to pod: what it waits for, its log, and its end. */
export class Following {
    private readonly jobs: Collection<Job>;
    private readonly pods: Collection<Pod>;
    private events?: { readonly uid: string; readonly list: Collection<KubeEvent>; stop(): void };
    private readonly done = new Set<string>();
    private shown = "";
    private stuckSince?: number;
    private readonly news: News;
    private interruptions: number;
    private nonce = "";

    constructor(
        private readonly api: Api,
        private readonly run: RunRef,
        private readonly options: FollowingOptions,
        private readonly emit: (item: FollowItem) => Promise<void>,
        private readonly signal: AbortSignal,
        private readonly from?: Bookmark,
    ) {
        this.interruptions = options.interruptions;
        this.news = new News(signal);
        const changed = () => this.news.come();
        const fieldSelector = `metadata.name=${attemptName(run)}`;
        this.jobs = new Collection(api, { path: jobsPath(api), fieldSelector }, changed, signal);
        const labelSelector = podSelector(run);
        this.pods = new Collection(api, { path: podsPath(api), labelSelector }, changed, signal);
    }

    /** Ends with the attempt, or when the signal is aborted. */
    async follow(): Promise<void> {
        await this.jobs.start();
        await this.pods.start();
        try {
            for (;;) {
                const end = await this.step();
                if (this.signal.aborted || end === "said") {
                    return;
                }
                if (end) {
                    const { state, reason, message } = end;
                    await this.emit({ type: "lost", state, reason, message });
                    return;
                }
            }
        } finally {
            this.events?.stop();
        }
    }

    private async step(): Promise<End | "said" | undefined> {
        const job = this.jobs.items[0];
        this.nonce = job?.metadata.annotations?.[ANNOTATION.nonce] ?? this.nonce;
        const pod = this.nextPod();
        if (pod) {
            return this.followPod(pod);
        }
        if (!job) {
            return jobDeleted(attemptName(this.run));
        }
        const end = writtenEnd(job) ?? jobEnd(job, this.pods.items);
        if (end) {
            return end;
        }
        return this.wait(pendingJob(job, await this.eventsOf(job.metadata.uid)));
    }

    // Those before the one at which an earlier follower stood were read by it.
    private nextPod(): Pod | undefined {
        const { from } = this;
        return [...this.pods.items]
            .sort(byAge)
            .find(
                ({ metadata }) =>
                    !this.done.has(metadata.uid) &&
                    (!from ||
                        metadata.uid === from.pod ||
                        (metadata.creationTimestamp ?? "") >= from.created),
            );
    }

    private async followPod(first: Pod): Promise<End | "said" | undefined> {
        const { uid } = first.metadata;
        const pod = new WatchedPod(first, this.pods);
        const waited = await this.untilItRuns(pod);
        let interrupted: string | undefined;
        if (waited === "runs") {
            const follower = new PodFollower({
                api: this.api,
                pod,
                runId: this.run.runId,
                nonce: this.nonce,
                attempt: this.run.attempt,
                emit: (item) => this.emit(item),
                change: () => this.news.wait(),
                signal: this.signal,
                from: this.from?.pod === uid ? this.from : undefined,
            });
            const said = await follower.follow();
            if (said === "finished") {
                return "said";
            }
            interrupted = said;
        } else if (waited) {
            return waited;
        }
        this.done.add(uid);
        if (this.signal.aborted) {
            return undefined;
        }
        return this.afterPod(podEnd(pod.now, pod.gone), interrupted);
    }

    private async afterPod(end: End | Interruption, runnerSaid?: string): Promise<End | undefined> {
        // Asked for anew: that somebody has ended the run may not have been heard of yet.
        const job = await readJob(this.api, this.run).catch(() => this.jobs.items[0]);
        const written = job && writtenEnd(job);
        if (written) {
            return written;
        }
        if ("state" in end && runnerSaid === undefined) {
            return end;
        }
        this.interruptions++;
        const over = this.interruptions > this.options.maxRecoveries;
        if (over) {
            // Before it is told: whoever hears of it looks no further.
            await endJob(this.api, this.run, PREEMPTION_LIMIT);
        }
        const message = "interrupted" in end ? end.interrupted : `${end.message} (${runnerSaid})`;
        await this.emit({ type: "interrupted", message });
        this.shown = "";
        return over ? PREEMPTION_LIMIT : undefined;
    }

    private async untilItRuns(pod: WatchedPod): Promise<"runs" | End | undefined> {
        while (!this.signal.aborted) {
            const state = runContainer(pod.now)?.state;
            if (state?.running || state?.terminated) {
                this.events?.stop();
                this.stuckSince = undefined;
                return "runs";
            }
            if (pod.gone || hasEnded(pod.now)) {
                return undefined;
            }
            const end = await this.wait(pendingPod(pod.now, await this.eventsOf(pod.now.metadata.uid)));
            if (end) {
                return end;
            }
        }
        return undefined;
    }

    /** Shows what is waited for, and ends the run when that can't end well. */
    private async wait(pending: Pending): Promise<End | undefined> {
        const trouble = this.jobs.trouble ?? this.pods.trouble;
        const text = trouble ? `${trouble.message}; waiting for it` : pending.text;
        if (text !== this.shown) {
            this.shown = text;
            await this.emit({ type: "status", text });
        }
        const job = this.jobs.items[0];
        if (pending.reason && !trouble && !(job && writtenEnd(job))) {
            this.stuckSince ??= Date.now();
            const over = Date.now() - this.stuckSince >= this.options.pendingTimeoutMs;
            if (pending.hopeless || over) {
                const message = `${pending.text}. ${pending.remedy ?? PENDING_REMEDY[pending.reason]}`;
                const end: End = { state: "Failed", reason: pending.reason, message };
                await endJob(this.api, this.run, end);
                return end;
            }
        } else {
            this.stuckSince = undefined;
        }
        await this.news.wait();
        return undefined;
    }

    // Only while something is waited for; without the right to read events less is known, and that is all.
    private async eventsOf(uid: string): Promise<readonly KubeEvent[]> {
        if (this.events?.uid !== uid) {
            this.events?.stop();
            const stop = new AbortController();
            const signal = AbortSignal.any([this.signal, stop.signal]);
            const path = `/api/v1/namespaces/${this.api.namespace}/events`;
            const selection = { path, fieldSelector: `involvedObject.uid=${uid}` };
            const list = new Collection<KubeEvent>(this.api, selection, () => this.news.come(), signal);
            this.events = { uid, list, stop: () => stop.abort() };
            await list.start().catch((error: unknown) => {
                if (!(error instanceof ApiError)) {
                    this.events = undefined;
                }
            });
        }
        return this.events?.list.items ?? [];
    }
}

/** A pod as it is now; as it last was, when it is gone. */
export class WatchedPod {
    private last: Pod;

    constructor(
        pod: Pod,
        private readonly pods: Pick<Collection<Pod>, "get" | "last">,
    ) {
        this.last = pod;
    }

    get now(): Pod {
        const { uid } = this.last.metadata;
        this.last = this.pods.get(uid) ?? this.pods.last(uid) ?? this.last;
        return this.last;
    }

    get gone(): boolean {
        return this.pods.get(this.last.metadata.uid) === undefined;
    }
}
