import type * as pulumi from "../sdk";
import type { input as k8s } from "@pulumi/kubernetes/types";
import type { OrchestratorArgs } from "../orchestrator";

/** An amount, as Kubernetes writes it: `2`, `"500m"`, `"4Gi"`. */
export type Quantity = string | number;

/** What is asked for, and what is allowed at most; one value stands for both. */
export type Resource = Quantity | { request?: Quantity; limit?: Quantity };

/** Something of the cluster that the steps see as a folder. */
export interface KubernetesVolume {
    /** A DNS label, once for each volume. */
    name: string;
    /** Absolute path; not below `/stackrun`. */
    mountPath: string;
    readOnly?: boolean;
    subPath?: string;
    /** A PersistentVolumeClaim of the namespace, by its name. */
    claim?: pulumi.Input<string>;
    /** A Secret of the namespace: a file for each key. */
    secret?: pulumi.Input<string>;
    /** A ConfigMap of the namespace: a file for each key. */
    configMap?: pulumi.Input<string>;
    /** Any other volume, as a pod's spec describes it, without its name: `{ nfs: { server, path } }`. */
    source?: pulumi.Input<Omit<k8s.core.v1.Volume, "name">>;
}

/** Where the run's folder is kept, so that a further pod or attempt goes on from what is there. */
export type Workspace =
    /** An existing PersistentVolumeClaim; each run has a folder of its own in it. */
    | { claim: pulumi.Input<string> }
    /** A claim of the run's own, deleted with it. */
    | { size: string; storageClass?: pulumi.Input<string>; accessMode?: "ReadWriteOnce" | "ReadWriteMany" };

/** A database that the steps use. */
export interface ExposedMetadataStore {
    /** `postgres://user:password@host:port/database` or `mysql://…`; kept as a secret. */
    url: pulumi.Input<string>;
    /**
     * The steps get the URL as `STACKRUN_METADATA_URL`, and before the first one it is checked from inside the cluster
     * that the store answers.
     * @default false
     */
    expose?: boolean;
    /**
     * The image of the check; it needs `/bin/sh` and the store's client, `psql` or `mysql`.
     * @default "postgres:17-alpine" or "mysql:8.4"
     */
    checkImage?: pulumi.Input<string>;
}

/** What carries code and finished steps between the pod and the artifact store. */
export interface Transfer {
    /**
     * An image with rclone (1.60 or newer), `/bin/sh` and the usual tools: `awk`, `find`, `sed`, `stat`, `tar`.
     * @default "rclone/rclone:1.69.1"
     */
    image?: pulumi.Input<string>;
    /**
     * Environment variables for rclone, beside those that name the store. Their values are in the attempt's Secret.
     * @default - none: the pod's own identity is used
     */
    env?: Record<string, pulumi.Input<string>>;
    /**
     * Secrets and ConfigMaps of the namespace whose keys become environment variables for rclone.
     * @default - none
     */
    envFrom?: EnvSource[];
    /**
     * CPUs and memory, for each of its two containers.
     * @default - the namespace's
     */
    resources?: { cpu?: Resource; memory?: Resource };
}

/** A Secret or a ConfigMap of the namespace, whose keys become environment variables. */
export type EnvSource =
    { secret: pulumi.Input<string>; prefix?: string } | { configMap: pulumi.Input<string>; prefix?: string };

/** What a run in a Kubernetes cluster takes beside what every orchestrator takes. */
export interface KubernetesOrchestratorArgs extends OrchestratorArgs {
    /**
     * The namespace of all that a run needs; it has to be there.
     * @default - that of the kubeconfig's context, else "default"
     */
    namespace?: pulumi.Input<string>;
    /**
     * The kubeconfig, as text, as an object, or as the path of a file; it may be an output of a cluster of the same program.
     * @default - the provider's of this component, followed with `kubernetes:kubeconfig`, `KUBECONFIG` or `~/.kube/config`
     */
    kubeconfig?: pulumi.Input<unknown>;
    /**
     * A context of the kubeconfig.
     * @default - its current one
     */
    context?: pulumi.Input<string>;
    /**
     * Names of Secrets of the namespace with which the image is pulled.
     * @default - none
     */
    imagePullSecrets?: pulumi.Input<string>[];
    /**
     * When the node pulls the image.
     * @default - the cluster's: `Always` for the tag `latest`, else `IfNotPresent`
     */
    imagePullPolicy?: "Always" | "IfNotPresent" | "Never";
    /**
     * CPUs: `2`, `"500m"`; asked for and allowed, unless given as `{ request, limit }`.
     * @default - the namespace's
     */
    cpu?: Resource;
    /**
     * Memory: `"4Gi"`; asked for and allowed, unless given as `{ request, limit }`.
     * @default - the namespace's
     */
    memory?: Resource;
    /**
     * How many GPUs; or which resource of the cluster they are.
     * @default - none
     */
    gpu?: number | { count: number; resource: string };
    /**
     * Labels that the node must have.
     * @default - none
     */
    nodeSelector?: Record<string, pulumi.Input<string>>;
    /**
     * Taints of nodes that the pod bears.
     * @default - none
     */
    tolerations?: pulumi.Input<k8s.core.v1.Toleration>[];
    /**
     * Which nodes and which neighbours the pod wants.
     * @default - any
     */
    affinity?: pulumi.Input<k8s.core.v1.Affinity>;
    /**
     * Only on spot nodes of GKE, EKS (node groups and Karpenter) or AKS.
     * @default false
     */
    spot?: boolean;
    /**
     * An existing ServiceAccount, by its name: for workload identity.
     * @default - one of the run's own, without rights and without a token
     */
    serviceAccount?: pulumi.Input<string>;
    /**
     * Labels of the Job and of its pods, beside stackrun's own.
     * @default - none
     */
    labels?: Record<string, pulumi.Input<string>>;
    /**
     * Annotations of the Job and of its pods.
     * @default - none
     */
    annotations?: Record<string, pulumi.Input<string>>;
    /**
     * What the steps see of the cluster's storage.
     * @default - none
     */
    volumes?: KubernetesVolume[];
    /**
     * Secrets and ConfigMaps of the namespace whose keys become environment variables of the steps.
     * @default - none
     */
    envFrom?: EnvSource[];
    /**
     * As which user the steps run: the pod's security context.
     * @default - user and group 65532, in keeping with the restricted Pod Security Standard
     */
    securityContext?: pulumi.Input<k8s.core.v1.PodSecurityContext>;
    /**
     * The run's folder on a PersistentVolumeClaim: a further pod or attempt goes on from the last finished step.
     * @default - in the pod: a run that is interrupted starts over, unless there is an `artifactStore`
     */
    workspace?: Workspace;
    /**
     * The absolute path at which the image holds the code. Nothing is uploaded then.
     * @default - the code is uploaded
     */
    codeInImage?: string;
    /**
     * How large the uploaded code may be, compressed, in bytes: it is kept in ConfigMaps, in the cluster's own database. With an
     * `artifactStore` there is no such limit.
     * @default 8388608
     */
    maxCodeBytes?: number;
    /**
     * With an `artifactStore`: what carries code and finished steps between the pod and the store.
     * @default - rclone's own image, with the pod's identity
     */
    transfer?: Transfer;
    /**
     * How long a run waits for what may not come (an image, a node, a quota) before it ends with that as its reason.
     * @default "10m"
     */
    pendingTimeout?: string | number;
    /**
     * How often the run is brought back after its pod was taken.
     * @default 10
     */
    maxRecoveries?: number;
    /**
     * How long a pod has between TERM and KILL; more than `grace`.
     * @default - `grace` and 15 seconds
     */
    terminationGracePeriod?: string | number;
    /**
     * The last word on the pod: gets its spec, and returns the one that is used. The container of the steps is `run`.
     * @default - as it is
     */
    transform?: (pod: k8s.core.v1.PodSpec) => k8s.core.v1.PodSpec;
    /**
     * A database that the steps use.
     * @default - none
     */
    metadataStore?: ExposedMetadataStore;
}
