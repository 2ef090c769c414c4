import { RUNNER_EXIT, type FinalState } from "../events";
import {
    ANNOTATION,
    CHECK_CONTAINER,
    conditionOf,
    FETCH_CONTAINER,
    runContainer,
    type Job,
    type Pod,
} from "./objects";

/** How an attempt has ended. */
export interface End {
    readonly state: FinalState;
    readonly reason: string;
    readonly message: string;
    readonly exitCode?: number;
}

/** A pod's end that the Job controller answers with another pod, as long as it may. */
export interface Interruption {
    readonly interrupted: string;
}

const lost = (reason: string, message: string, exitCode?: number): End => ({
    state: "Lost",
    reason,
    message,
    exitCode,
});
const failed = (reason: string, message: string, exitCode?: number): End => ({
    state: "Failed",
    reason,
    message,
    exitCode,
});

/** What somebody has written to the Job when they ended it: a cancel, or a wait that could not end well. */
export function writtenEnd(job: Job): End | undefined {
    const text = job.metadata.annotations?.[ANNOTATION.end];
    if (!text) {
        return undefined;
    }
    try {
        const { state, reason, message } = JSON.parse(text) as End;
        return { state, reason, message };
    } catch {
        return { state: "Cancelled", reason: "Cancelled", message: "the run was cancelled" };
    }
}

/** What a pod's end means, when its runner did not say it. `pod` is as it was last seen; `gone`: it was deleted meanwhile. */
export function podEnd(pod: Pod, gone: boolean): End | Interruption {
    const disruption = conditionOf(pod, "DisruptionTarget");
    const before = checkFailure(pod) ?? fetchFailure(pod);
    if (before) {
        return before;
    }
    const terminated = runContainer(pod)?.state?.terminated;
    if (terminated?.reason === "OOMKilled") {
        return failed(
            "OutOfMemory",
            "the container was ended for want of memory: raise `memory`, or use less",
            terminated.exitCode,
        );
    }
    if (disruption) {
        return { interrupted: `${cause(disruption.reason)} (pod ${pod.metadata.name})` };
    }
    if (pod.status?.reason === "Evicted") {
        return { interrupted: `the pod ${pod.metadata.name} was evicted: ${pod.status.message ?? ""}` };
    }
    if (terminated && !(gone && terminated.exitCode === 137)) {
        return exitEnd(terminated, pod);
    }
    if (gone || pod.metadata.deletionTimestamp) {
        return { interrupted: `the pod ${pod.metadata.name} was deleted` };
    }
    return { interrupted: `the pod ${pod.metadata.name} ended without a word` };
}

function exitEnd(
    { exitCode, reason, message }: { exitCode: number; reason?: string; message?: string },
    pod: Pod,
): End | Interruption {
    const said = lastWords(message);
    switch (exitCode) {
        case RUNNER_EXIT.succeeded:
            return { state: "Succeeded", reason: "", message: "the container has ended well", exitCode };
        case RUNNER_EXIT.stepFailed:
            return failed("StepFailed", `a step has failed; ${said}`, exitCode);
        case RUNNER_EXIT.unusable:
            return failed("ImageUnusable", `the image can't run the pipeline: ${said}`, exitCode);
        case RUNNER_EXIT.recordFailed:
            return failed("RecordFailed", `the run directory could not be written: ${said}`, exitCode);
        case RUNNER_EXIT.timedOut:
            return {
                state: "TimedOut",
                reason: "DeadlineExceeded",
                message: `the run took too long; ${said}`,
                exitCode,
            };
        case RUNNER_EXIT.cancelled:
            return { state: "Cancelled", reason: "Cancelled", message: "the run was cancelled", exitCode };
        case RUNNER_EXIT.interrupted:
        case 143:
            return { interrupted: `the pod ${pod.metadata.name} was told to end` };
        case RUNNER_EXIT.storeFailed:
            return failed(
                "ArtifactStoreFailed",
                `what a step has left is not in the artifact store; ${said}`,
                exitCode,
            );
        case 126:
        case 127:
        case 128:
            return failed(
                "ImageUnusable",
                `the container can't be started (${reason ?? `exit code ${exitCode}`}): ${said}. The image needs /bin/sh.`,
                exitCode,
            );
        case 137:
            return lost("RunnerKilled", `the container was killed (exit code 137); ${said}`, exitCode);
        default:
            return { interrupted: `the container ended with exit code ${exitCode}; ${said}` };
    }
}

function lastWords(message: string | undefined): string {
    const words = (message ?? "")
        .split("\n")
        .map((line) => line.trim())
        .filter((line) => line && !line.startsWith("\x1e"))
        .slice(-3)
        .join("; ");
    return words || "it said nothing";
}

function cause(reason: string | undefined): string {
    switch (reason) {
        case "PreemptionByScheduler":
        case "PreemptionByKubeScheduler":
            return "a pod of higher priority has taken the place";
        case "DeletionByTaintManager":
            return "the node was tainted or lost";
        case "EvictionByEvictionAPI":
            return "the pod was evicted";
        case "DeletionByPodGC":
            return "the node was lost";
        case "TerminationByKubelet":
            return "the node ended the pod (shutdown, or want of resources)";
        default:
            return `the platform took the pod (${reason ?? "no reason given"})`;
    }
}

/** The metadata store can't be reached from inside the cluster: no step has run. */
function checkFailure(pod: Pod): End | undefined {
    const check = pod.status?.initContainerStatuses?.find(({ name }) => name === CHECK_CONTAINER);
    const terminated = check?.state?.terminated;
    switch (terminated?.exitCode) {
        case RUNNER_EXIT.unusable:
            return failed(
                "MetadataStoreUnreachable",
                lastWords(terminated.message).replace(/^stackrun: /, ""),
                terminated.exitCode,
            );
        case 126:
        case 127:
        case 128:
            return failed(
                "ImageUnusable",
                `the check of the metadata store can't be started: ${lastWords(terminated.message)}; give \`metadataStore.checkImage\``,
                terminated.exitCode,
            );
        default:
            return undefined;
    }
}

/** Code or finished steps could not be brought into the pod: no step has run in it. */
function fetchFailure(pod: Pod): End | undefined {
    const fetch = pod.status?.initContainerStatuses?.find(({ name }) => name === FETCH_CONTAINER);
    const { exitCode, message, reason } = fetch?.state?.terminated ?? {};
    const said = lastWords(message).replace(/^stackrun: /, "");
    if (reason === "OOMKilled") {
        return failed(
            "OutOfMemory",
            "what fetches the code was ended for want of memory: raise `transfer.resources.memory`",
            exitCode,
        );
    }
    switch (exitCode) {
        case RUNNER_EXIT.codeMissing:
            return failed("BundleFetchFailed", said, exitCode);
        case RUNNER_EXIT.storeFailed:
            return failed("ArtifactStoreFailed", said, exitCode);
        case RUNNER_EXIT.recordFailed:
            return failed("RecordFailed", said, exitCode);
        case RUNNER_EXIT.unusable:
        case 126:
        case 127:
        case 128:
            return failed(
                "ImageUnusable",
                `what fetches the code can't be started: ${said}; correct \`transfer.image\``,
                exitCode,
            );
        default:
            return undefined;
    }
}

/** How a Job has ended, by its conditions; and by the last of its pods where those leave that open. */
export function jobEnd(job: Job, pods: readonly Pod[]): End | undefined {
    if (conditionOf(job, "Complete")) {
        return { state: "Succeeded", reason: "", message: "the Job has completed", exitCode: 0 };
    }
    const condition = conditionOf(job, "Failed");
    if (!condition) {
        return undefined;
    }
    const last = [...pods].sort(byAge).at(-1);
    const end = last && podEnd(last, false);
    switch (condition.reason) {
        case "DeadlineExceeded":
            return {
                state: "TimedOut",
                reason: "DeadlineExceeded",
                message:
                    "the run took longer than its timeout, with the time that it waited and was brought back",
            };
        case "BackoffLimitExceeded":
            return end && "state" in end && end.state !== "Succeeded" ? end : PREEMPTION_LIMIT;
        default:
            return end && "state" in end && end.state !== "Succeeded"
                ? end
                : lost(
                      condition.reason ?? "JobFailed",
                      `the Job has failed: ${condition.message ?? "no reason given"}`,
                  );
    }
}

export const PREEMPTION_LIMIT: End = lost(
    "PreemptionLimit",
    "the platform took the pod more often than `maxRecoveries` allows",
);

export function jobDeleted(name: string): End {
    return lost("JobDeleted", `the Job ${name} was deleted, and nobody has seen how it ended`);
}

export function byAge(left: Pod, right: Pod): number {
    const [a, b] = [left.metadata.creationTimestamp ?? "", right.metadata.creationTimestamp ?? ""];
    return a < b ? -1 : a > b ? 1 : left.metadata.name < right.metadata.name ? -1 : 1;
}
