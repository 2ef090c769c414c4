import * as pulumi from "../sdk";
import type { input as k8s } from "@pulumi/kubernetes/types";
import { RUN_CONTAINER } from "../../src/run/kubernetes/objects";
import type { KubernetesOrchestratorArgs, Resource } from "./args";
import { STORE_VARIABLE } from "./metadataCheck";
import { POD_PATHS } from "./paths";
import { withoutUndefined } from "../plain";
import { SPOT_TOLERATIONS, withSpot } from "./spot";
import { transferContainer, type TransferPlan } from "./transfer";

/** Passes the restricted Pod Security Standard; 65532 is the user "nonroot" of images that have one. */
export const RESTRICTED_POD: k8s.core.v1.PodSecurityContext = {
    runAsNonRoot: true,
    runAsUser: 65532,
    runAsGroup: 65532,
    fsGroup: 65532,
    // A volume with many files is not gone through at each start.
    fsGroupChangePolicy: "OnRootMismatch",
    seccompProfile: { type: "RuntimeDefault" },
};

const RESTRICTED_CONTAINER: k8s.core.v1.SecurityContext = {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] },
};

/** What comes from the run, and from what is declared beside the Job. */
export interface PodParts {
    readonly attemptName: pulumi.Input<string>;
    readonly runId: pulumi.Input<string>;
    readonly image: pulumi.Input<string>;
    /** The ConfigMaps that hold the code; undefined: the image holds it. */
    readonly codeChunks?: pulumi.Input<string[]>;
    readonly codeHash: pulumi.Input<string>;
    readonly secretNames: readonly string[];
    readonly serviceAccount: pulumi.Input<string>;
    readonly graceSeconds: number;
    /** The claim of the run's folder; undefined: it is in the pod. */
    readonly claim?: pulumi.Input<string>;
    readonly check?: pulumi.Output<k8s.core.v1.Container>;
    /** With an artifact store: what brings code and steps into the pod, and from there. */
    readonly transfer?: pulumi.Output<TransferPlan>;
    /** Whether the steps get the metadata store's URL. */
    readonly metadataUrlKey?: string;
}

type Known = Pick<
    KubernetesOrchestratorArgs,
    | "imagePullSecrets"
    | "imagePullPolicy"
    | "cpu"
    | "memory"
    | "gpu"
    | "nodeSelector"
    | "tolerations"
    | "affinity"
    | "spot"
    | "volumes"
    | "envFrom"
    | "securityContext"
    | "transform"
    | "transfer"
>;

/** The pod of an attempt. */
export function podSpec(args: Known, parts: PodParts): k8s.core.v1.PodSpec {
    const spec: k8s.core.v1.PodSpec = {
        restartPolicy: "Never",
        serviceAccountName: parts.serviceAccount,
        terminationGracePeriodSeconds: parts.graceSeconds,
        enableServiceLinks: false,
        securityContext: args.securityContext ?? RESTRICTED_POD,
        imagePullSecrets: args.imagePullSecrets?.map((name) => ({ name })),
        nodeSelector: args.nodeSelector,
        tolerations: tolerations(args),
        affinity: args.spot ? withSpot(args.affinity as k8s.core.v1.Affinity | undefined) : args.affinity,
        initContainers: initContainers(args, parts),
        containers: [runContainer(args, parts)],
        volumes: volumes(args, parts),
    };
    const pod = withoutUndefined(spec);
    return args.transform ? args.transform(pod) : pod;
}

function initContainers(
    args: Known,
    { attemptName, check, transfer }: PodParts,
): k8s.core.v1.PodSpec["initContainers"] {
    // A user's own context may allow what the restricted one does not.
    const securityContext = args.securityContext === undefined ? RESTRICTED_CONTAINER : undefined;
    const own = transfer && {
        image: args.transfer?.image,
        envNames: Object.keys(args.transfer?.env ?? {}),
        secretName: attemptName,
        envFrom: envFrom(args.transfer?.envFrom),
        resources: resources(args.transfer?.resources ?? {}),
        // The steps' user has to have the right to what is brought here, whoever that is.
        shared: args.securityContext !== undefined,
    };
    const all = [
        ...(check ? [check.apply((one) => ({ ...one, securityContext: RESTRICTED_CONTAINER }))] : []),
        ...(transfer && own
            ? (["fetch", "ship"] as const).map((what) =>
                  transfer.apply((plan) =>
                      withoutUndefined({ ...transferContainer(what, plan, own), securityContext }),
                  ),
              )
            : []),
    ];
    return all.length > 0 ? all : undefined;
}

function runContainer(args: Known, parts: PodParts): k8s.core.v1.Container {
    const mounts = [
        { name: "boot", mountPath: POD_PATHS.boot, readOnly: true },
        { name: "work", mountPath: POD_PATHS.work },
        ...(parts.codeChunks ? [{ name: "code", mountPath: POD_PATHS.code, readOnly: true }] : []),
        ...(args.volumes ?? []).map(({ name, mountPath, readOnly, subPath }) =>
            withoutUndefined({ name, mountPath, readOnly, subPath }),
        ),
    ];
    return withoutUndefined({
        name: RUN_CONTAINER,
        image: parts.image,
        imagePullPolicy: args.imagePullPolicy,
        command: [
            "/bin/sh",
            `${POD_PATHS.boot}/launcher.sh`,
            pulumi.interpolate`${POD_PATHS.work}/${parts.runId}`,
        ],
        env: environment(args, parts),
        envFrom: envFrom(args.envFrom),
        resources: resources(args),
        // A user's own context may allow what the restricted one does not.
        securityContext: args.securityContext === undefined ? RESTRICTED_CONTAINER : undefined,
        terminationMessagePolicy: "FallbackToLogsOnError",
        volumeMounts: mounts,
    });
}

function envFrom(entries: Known["envFrom"]): k8s.core.v1.EnvFromSource[] | undefined {
    return entries?.map((entry) =>
        withoutUndefined({
            prefix: entry.prefix,
            secretRef: "secret" in entry ? { name: entry.secret } : undefined,
            configMapRef: "configMap" in entry ? { name: entry.configMap } : undefined,
        }),
    );
}

function environment(args: Known, parts: PodParts): k8s.core.v1.EnvVar[] {
    const plain: Record<string, pulumi.Input<string>> = { STACKRUN_BOOT: POD_PATHS.boot };
    if (parts.codeChunks) {
        plain.STACKRUN_CODE = POD_PATHS.code;
        plain.STACKRUN_CODE_HASH = parts.codeHash;
    }
    if (args.securityContext === undefined) {
        // The user has no home in the image; many tools want to write into one.
        plain.HOME = "/tmp";
    }
    const secret = (name: string, key: string) => ({
        name,
        valueFrom: { secretKeyRef: { name: parts.attemptName, key } },
    });
    return [
        ...Object.entries(plain).map(([name, value]) => ({ name, value })),
        ...parts.secretNames.map((name) => secret(name, name)),
        ...(parts.metadataUrlKey ? [secret(STORE_VARIABLE, parts.metadataUrlKey)] : []),
    ];
}

function volumes(args: Known, parts: PodParts): k8s.core.v1.Volume[] {
    const { attemptName, claim, codeChunks } = parts;
    return [
        { name: "boot", configMap: { name: attemptName } },
        { name: "work", ...(claim ? { persistentVolumeClaim: { claimName: claim } } : { emptyDir: {} }) },
        ...(codeChunks ? [{ name: "code", projected: { sources: sourcesOf(codeChunks) } }] : []),
        ...(args.volumes ?? []).map(({ name, claim: own, secret, configMap, source, readOnly }) =>
            withoutUndefined({
                name,
                ...(source as k8s.core.v1.Volume | undefined),
                persistentVolumeClaim:
                    own === undefined ? undefined : withoutUndefined({ claimName: own, readOnly }),
                secret: secret === undefined ? undefined : { secretName: secret },
                configMap: configMap === undefined ? undefined : { name: configMap },
            }),
        ),
    ];
}

function sourcesOf(chunks: pulumi.Input<string[]>) {
    return pulumi.output(chunks).apply((names) => names.map((name) => ({ configMap: { name } })));
}

function resources({
    cpu,
    memory,
    gpu,
}: Pick<Known, "cpu" | "memory" | "gpu">): k8s.core.v1.ResourceRequirements | undefined {
    const requests: Record<string, string> = {};
    const limits: Record<string, string> = {};
    const add = (name: string, value: Resource | undefined) => {
        if (value === undefined) {
            return;
        }
        const { request, limit } = typeof value === "object" ? value : { request: value, limit: value };
        if (request !== undefined) {
            requests[name] = String(request);
        }
        if (limit !== undefined) {
            limits[name] = String(limit);
        }
    };
    add("cpu", cpu);
    add("memory", memory);
    if (gpu) {
        const { count, resource } =
            typeof gpu === "object" ? gpu : { count: gpu, resource: "nvidia.com/gpu" };
        add(resource, count);
    }
    const given = withoutUndefined({
        requests: Object.keys(requests).length > 0 ? requests : undefined,
        limits: Object.keys(limits).length > 0 ? limits : undefined,
    });
    return Object.keys(given).length > 0 ? given : undefined;
}

function tolerations({ spot, tolerations: own }: Known): k8s.core.v1.Toleration[] | undefined {
    const all = [...((own ?? []) as k8s.core.v1.Toleration[]), ...(spot ? SPOT_TOLERATIONS : [])];
    return all.length > 0 ? all : undefined;
}
