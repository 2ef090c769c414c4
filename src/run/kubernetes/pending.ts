import {
    CHECK_CONTAINER,
    FETCH_CONTAINER,
    SHIP_CONTAINER,
    type ContainerStatus,
    type Job,
    type KubeEvent,
    type Pod,
} from "./objects";

/** Why nothing runs yet. */
export interface Pending {
    /** For the status line. */
    readonly text: string;
    /** Set if waiting alone won't help: the run's reason when it ends for that. */
    readonly reason?: PendingReason;
    /** Can't heal at all: the run ends at once. */
    readonly hopeless?: boolean;
    /**
     * What to do about it.
     * @default - what {@link PENDING_REMEDY} says
     */
    readonly remedy?: string;
}

export type PendingReason =
    | "ImagePullFailed"
    | "Unschedulable"
    | "QuotaExceeded"
    | "AdmissionRefused"
    | "ConfigMissing"
    | "VolumeFailed"
    | "ContainerFailed"
    | "ClusterTooOld";

const IMAGE = [
    "ErrImagePull",
    "ImagePullBackOff",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
];
const REMEDY_OF_IMAGE: Readonly<Record<string, string | undefined>> = {
    [FETCH_CONTAINER]: "Correct `transfer.image`, or give `imagePullSecrets` for its registry.",
    [SHIP_CONTAINER]: "Correct `transfer.image`, or give `imagePullSecrets` for its registry.",
};
const IMAGE_HOPELESS = ["InvalidImageName", "ErrImageNeverPull"];

/** What a pod that does not run yet is waiting for. */
export function pendingPod(pod: Pod, events: readonly KubeEvent[]): Pending {
    const containers = [
        ...(pod.status?.initContainerStatuses ?? []),
        ...(pod.status?.containerStatuses ?? []),
    ];
    for (const container of containers) {
        const found = waitingContainer(container);
        if (found) {
            return found;
        }
    }
    if (isTooOld(pod)) {
        return {
            text: "the cluster knows no sidecar containers, which came with Kubernetes 1.29",
            reason: "ClusterTooOld",
            hopeless: true,
        };
    }
    const scheduled = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
    if (scheduled?.status === "False") {
        return {
            text: `waiting for a node: ${scheduled.message ?? scheduled.reason ?? "none has room"}`,
            reason: "Unschedulable",
        };
    }
    const check = containers.find(({ name }) => name === CHECK_CONTAINER);
    if (check?.state?.running) {
        return { text: "looking for the metadata store from inside the cluster" };
    }
    if (containers.find(({ name }) => name === FETCH_CONTAINER)?.state?.running) {
        return { text: "fetching code and finished steps from the artifact store" };
    }
    return preparing(pod, events);
}

// Such a cluster leaves out what it does not know: the pod would wait for the end of a container that does not end.
function isTooOld(pod: Pod): boolean {
    const sidecar = pod.spec?.initContainers?.find(({ name }) => name === SHIP_CONTAINER);
    return sidecar !== undefined && sidecar.restartPolicy !== "Always";
}

function waitingContainer({ name, image, state }: ContainerStatus): Pending | undefined {
    const { reason = "", message = "" } = state?.waiting ?? {};
    const said = message ? `: ${oneLine(message)}` : "";
    if (IMAGE.includes(reason) || IMAGE_HOPELESS.includes(reason)) {
        const text = `the image ${image ?? ""} can't be pulled (${reason})${said}`;
        const remedy = REMEDY_OF_IMAGE[name];
        return { text, reason: "ImagePullFailed", hopeless: IMAGE_HOPELESS.includes(reason), remedy };
    }
    switch (reason) {
        case "CreateContainerConfigError":
            return { text: `the container "${name}" can't be made${said}`, reason: "ConfigMissing" };
        case "CreateContainerError":
        case "RunContainerError":
            return { text: `the container "${name}" can't be started${said}`, reason: "ContainerFailed" };
        default:
            return undefined;
    }
}

// What the pod's status does not tell: its last event does.
function preparing(pod: Pod, events: readonly KubeEvent[]): Pending {
    const last = latest(events.filter(({ involvedObject }) => involvedObject?.uid === pod.metadata.uid));
    const said = oneLine(last?.message ?? "");
    switch (last?.reason) {
        case "FailedMount":
            return /not found|non-existent config key/.test(said)
                ? { text: said, reason: "ConfigMissing" }
                : { text: said, reason: "VolumeFailed" };
        case "FailedAttachVolume":
            return { text: said, reason: "VolumeFailed" };
        case "Pulling":
            return { text: said.replace(/^Pulling/, "pulling") };
        case "FailedCreatePodSandBox":
            return { text: said, reason: "ContainerFailed" };
        default: {
            const node = pod.spec?.nodeName;
            return { text: node ? `the node ${node} prepares the container` : "waiting for a node" };
        }
    }
}

/** Why a Job has no pod. */
export function pendingJob(job: Job, events: readonly KubeEvent[]): Pending {
    const last = latest(
        events.filter(({ involvedObject }) => involvedObject?.uid === job.metadata.uid),
        "FailedCreate",
    );
    if (!last) {
        return { text: "waiting for the pod" };
    }
    const said = oneLine(last.message ?? "").replace(/^Error creating: /, "");
    const text = `the cluster makes no pod: ${said}`;
    if (/exceeded quota|failed quota/.test(said)) {
        return { text, reason: "QuotaExceeded" };
    }
    if (/serviceaccount "?[^ ]*"? not found|error looking up service account/i.test(said)) {
        return { text, reason: "ConfigMissing" };
    }
    return { text, reason: "AdmissionRefused" };
}

/** What to do about it. */
export const PENDING_REMEDY: Readonly<Record<PendingReason, string>> = {
    ImagePullFailed: "Correct `image`, or give `imagePullSecrets` for its registry.",
    Unschedulable:
        "Ask for less (`cpu`, `memory`, `gpu`), widen `nodeSelector`, `tolerations` or `affinity`, or add nodes.",
    QuotaExceeded: "Ask for less (`cpu`, `memory`, `gpu`), wait for others to end, or have the quota raised.",
    AdmissionRefused:
        "Change what the message names (`securityContext`, `transform`), or the cluster's policy.",
    ConfigMissing: "Create what the message names, or correct its name in the orchestrator's arguments.",
    VolumeFailed: "Look at the volume that the message names, and at its claim.",
    ClusterTooOld: "Bring the cluster up to date, or leave `artifactStore` out and give a `workspace`.",
    ContainerFailed: "Look at the image, and at `securityContext` and `volumes`.",
};

function latest(events: readonly KubeEvent[], reason?: string): KubeEvent | undefined {
    const fitting = events.filter((event) => reason === undefined || event.reason === reason);
    return fitting.reduce<KubeEvent | undefined>(
        (last, event) => (last && timeOf(last) > timeOf(event) ? last : event),
        undefined,
    );
}

function timeOf({ lastTimestamp, eventTime, metadata }: KubeEvent): string {
    return lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? "";
}

function oneLine(text: string): string {
    return text.replaceAll(/\s+/g, " ").trim();
}
