import { nearest } from "../src/pipeline/words";

/** The orchestrators that stack configuration and the command can name. A list of its own: it loads no SDK. */
export const ORCHESTRATOR_KINDS = ["local", "docker", "kubernetes", "gcp"] as const;

export type OrchestratorKind = (typeof ORCHESTRATOR_KINDS)[number];

/** Arguments that only one kind takes, as far as plain data can give them. */
export const OWN_ARGUMENTS: Readonly<Record<OrchestratorKind, readonly string[]>> = {
    local: [],
    docker: [
        "dockerHost",
        "user",
        "cpus",
        "memory",
        "gpus",
        "shmSize",
        "network",
        "extraHosts",
        "volumes",
        "pullPolicy",
        "labels",
        "mountCode",
    ],
    kubernetes: [
        "namespace",
        "context",
        "kubeconfig",
        "imagePullSecrets",
        "imagePullPolicy",
        "cpu",
        "memory",
        "gpu",
        "nodeSelector",
        "tolerations",
        "affinity",
        "spot",
        "serviceAccount",
        "labels",
        "annotations",
        "volumes",
        "envFrom",
        "securityContext",
        "workspace",
        "codeInImage",
        "maxCodeBytes",
        "transfer",
        "pendingTimeout",
        "maxRecoveries",
        "terminationGracePeriod",
    ],
    gcp: [
        "project",
        "zone",
        "zones",
        "machineType",
        "preemptible",
        "maxRunDuration",
        "bootImage",
        "diskSizeGb",
        "diskType",
        "gpu",
        "network",
        "subnetwork",
        "publicIp",
        "tags",
        "labels",
        "serviceAccount",
        "user",
        "shmSize",
        "registries",
        "maxRecoveries",
        "whenExhausted",
        "transfer",
        "keepDays",
        "bucketLocation",
    ],
};

export function isOrchestratorKind(kind: string): kind is OrchestratorKind {
    return (ORCHESTRATOR_KINDS as readonly string[]).includes(kind);
}

/** The sentence for a kind of orchestrator that there isn't. */
export function unknownOrchestrator(kind: string): string {
    return `orchestrator "${kind}" is not known; allowed: ${ORCHESTRATOR_KINDS.join(", ")}${meant(kind, ORCHESTRATOR_KINDS)}`;
}

/** A sentence for each argument that this kind of orchestrator does not take. */
export function unknownArguments(kind: OrchestratorKind, names: readonly string[]): string[] {
    const known = OWN_ARGUMENTS[kind];
    const allowed = known.join(", ") || "none";
    return names
        .filter((name) => !known.includes(name))
        .map(
            (name) =>
                `${name} is no argument of the orchestrator "${kind}"; allowed: ${allowed}${meant(name, known)}`,
        );
}

function meant(given: string, known: readonly string[]): string {
    const near = nearest(given, known);
    return near ? `; did you mean "${near}"?` : "";
}
