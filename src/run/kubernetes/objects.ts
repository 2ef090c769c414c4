/** The folder of a pod in which the run has its own. */
export const WORK_DIR = "/stackrun/work";

/** What is read of Kubernetes' objects, as its API sends them: only what a run's follower looks at. */
export interface KubeObject {
    readonly metadata: {
        readonly name: string;
        readonly uid: string;
        readonly namespace?: string;
        readonly resourceVersion?: string;
        readonly creationTimestamp?: string;
        readonly deletionTimestamp?: string;
        readonly labels?: Readonly<Record<string, string>>;
        readonly annotations?: Readonly<Record<string, string>>;
    };
}

export interface Condition {
    readonly type: string;
    readonly status: string;
    readonly reason?: string;
    readonly message?: string;
}

export interface Job extends KubeObject {
    readonly spec?: { readonly suspend?: boolean; readonly backoffLimit?: number };
    readonly status?: {
        readonly active?: number;
        readonly failed?: number;
        readonly terminating?: number;
        readonly conditions?: readonly Condition[];
    };
}

export interface ContainerState {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly running?: { readonly startedAt?: string };
    readonly terminated?: {
        readonly exitCode: number;
        readonly signal?: number;
        readonly reason?: string;
        readonly message?: string;
    };
}

export interface ContainerStatus {
    readonly name: string;
    readonly image?: string;
    readonly imageID?: string;
    readonly state?: ContainerState;
}

export interface Pod extends KubeObject {
    readonly spec?: {
        readonly nodeName?: string;
        readonly terminationGracePeriodSeconds?: number;
        readonly initContainers?: readonly { readonly name: string; readonly restartPolicy?: string }[];
    };
    readonly status?: {
        readonly phase?: string;
        readonly reason?: string;
        readonly message?: string;
        readonly conditions?: readonly Condition[];
        readonly initContainerStatuses?: readonly ContainerStatus[];
        readonly containerStatuses?: readonly ContainerStatus[];
    };
}

export interface KubeEvent extends KubeObject {
    readonly type?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly lastTimestamp?: string | null;
    readonly eventTime?: string | null;
    readonly involvedObject?: { readonly kind?: string; readonly name?: string; readonly uid?: string };
}

/** The container of a run's pod that is the runner; and the one that looks for the metadata store before it. */
export const RUN_CONTAINER = "run";
export const CHECK_CONTAINER = "metadata-check";
/** With an artifact store: brings code and finished steps into the pod, before the runner; and stores them, beside it. */
export const FETCH_CONTAINER = "fetch";
export const SHIP_CONTAINER = "ship";

/** On all that a run makes: nothing without `runId` is ever touched. */
export const LABEL = {
    runId: "stackrun.dev/run-id",
    attempt: "stackrun.dev/attempt",
    pipeline: "stackrun.dev/pipeline",
    component: "stackrun.dev/component",
} as const;

export const ANNOTATION = {
    nonce: "stackrun.dev/nonce",
    /** JSON of an {@link End}: somebody has ended the attempt, and why. */
    end: "stackrun.dev/end",
    graceSeconds: "stackrun.dev/grace-seconds",
} as const;

export function runContainer(pod: Pod): ContainerStatus | undefined {
    return pod.status?.containerStatuses?.find(({ name }) => name === RUN_CONTAINER);
}

export function conditionOf(object: Job | Pod | undefined, type: string): Condition | undefined {
    return object?.status?.conditions?.find(
        (condition) => condition.type === type && condition.status === "True",
    );
}

/** Whether nothing of the pod runs any more. */
export function hasEnded(pod: Pod): boolean {
    const phase = pod.status?.phase;
    return phase === "Succeeded" || phase === "Failed";
}
