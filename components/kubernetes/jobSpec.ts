import type * as pulumi from "../sdk";
import type { input as k8s } from "@pulumi/kubernetes/types";
import { RUNNER_EXIT } from "../../src/run/events";

/** Exit codes after which another pod would fail as this one did: a step's failure, an unusable image, KILL. */
const FINAL_EXIT_CODES: readonly number[] = [
    RUNNER_EXIT.stepFailed,
    RUNNER_EXIT.unusable,
    RUNNER_EXIT.recordFailed,
    RUNNER_EXIT.timedOut,
    RUNNER_EXIT.cancelled,
    RUNNER_EXIT.storeFailed,
    RUNNER_EXIT.codeMissing,
    126,
    127,
    128,
    137,
];

export interface JobParts {
    readonly labels: Record<string, pulumi.Input<string>>;
    readonly annotations: Record<string, pulumi.Input<string>>;
    readonly maxRecoveries: number;
    /** All in all, with waiting and recovering. */
    readonly deadlineSeconds?: number;
    readonly pod: k8s.core.v1.PodSpec;
    /**
     * The containers whose end decides.
     * @default - all
     */
    readonly deciding?: readonly string[];
}

/** A Job of one pod, which is made again when the platform took it, and not when a step has failed. */
export function jobSpec({
    labels,
    annotations,
    maxRecoveries,
    deadlineSeconds,
    pod,
    deciding,
}: JobParts): k8s.batch.v1.JobSpec {
    return {
        backoffLimit: maxRecoveries,
        podReplacementPolicy: "Failed",
        ...(deadlineSeconds === undefined ? {} : { activeDeadlineSeconds: deadlineSeconds }),
        podFailurePolicy: {
            rules: [
                { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
                ...(deciding ?? [undefined]).map((containerName) => ({
                    action: "FailJob",
                    onExitCodes: {
                        ...(containerName === undefined ? {} : { containerName }),
                        operator: "In",
                        values: [...FINAL_EXIT_CODES],
                    },
                })),
            ],
        },
        template: { metadata: { labels, annotations }, spec: pod },
    };
}
