import { IMAGES } from "../images/ensureImages";
import { REPO, until, type Project } from "../project";
import { kubernetesProject, withKubernetes } from "../standIns/kubernetes/project";
import type { KubernetesBed } from "./bed";

const OUTPUTS = [
    "runId",
    "attempt",
    "status",
    "reason",
    "message",
    "steps",
    "interruptions",
    "exitCode",
    "logs",
    "logUrl",
    "metrics",
    "artifacts",
];

/** A program with one KubernetesOrchestrator; `args` is the inside of an object literal. */
export function runProgram(namespace: string, args = "", before = ""): string {
    return withKubernetes(`
const { KubernetesOrchestrator } = require(${JSON.stringify(`${REPO}/dist/components/kubernetes`)});
${before}
const run = new KubernetesOrchestrator("job", {
    pipeline: "pipeline.yaml",
    namespace: "${namespace}",
    image: "${IMAGES.busybox}",
    imagePullPolicy: "Never",
    grace: "2s",
    terminationGracePeriod: "8s",
    ${args}
});
for (const output of ${JSON.stringify(OUTPUTS)}) { exports[output] = run[output]; }
`);
}

/** A project whose pipeline runs in a namespace of the bed. */
export function runProject(
    bed: KubernetesBed,
    namespace: string,
    pipeline: string,
    args = "",
    before = "",
    env: NodeJS.ProcessEnv = {},
): Promise<Project> {
    const program = runProgram(namespace, args, before).replace(/^const k8s = .*\n/, "");
    return kubernetesProject(bed.kubeconfig, program, { "pipeline.yaml": pipeline }, { env });
}

/** A folder of the node that pods see as a volume, so that a run's folder outlives its pods. */
export async function hostVolume(bed: KubernetesBed, namespace: string): Promise<string> {
    const folder = `/tmp/${namespace}`;
    await bed.inside("sh", "-c", `rm -rf ${folder}; mkdir -p ${folder}; chmod 0777 ${folder}`);
    const volume = {
        apiVersion: "v1",
        kind: "PersistentVolume",
        metadata: { name: namespace },
        spec: {
            capacity: { storage: "1Gi" },
            accessModes: ["ReadWriteOnce"],
            hostPath: { path: folder },
            claimRef: { namespace, name: "work" },
        },
    };
    const claim = {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: { name: "work", namespace },
        spec: {
            accessModes: ["ReadWriteOnce"],
            storageClassName: "",
            volumeName: namespace,
            resources: { requests: { storage: "1Gi" } },
        },
    };
    await bed.kubectl("delete", "pv", namespace, "--ignore-not-found", "--wait=false");
    await bed.create(volume);
    await bed.create(claim, namespace);
    return folder;
}

/** The pods of a namespace, by name, newest last. */
export async function podNames(bed: KubernetesBed, namespace: string): Promise<string[]> {
    const text = await bed.kubectl(
        "get",
        "pods",
        "-n",
        namespace,
        "--sort-by=.metadata.creationTimestamp",
        "-o",
        "name",
    );
    return text
        .split("\n")
        .filter(Boolean)
        .map((name) => name.replace("pod/", ""));
}

/** What stackrun has made and not removed in a namespace; waits until it is what is expected. */
export async function leftIn(bed: KubernetesBed, namespace: string): Promise<string[]> {
    const kinds = "jobs,pods,configmaps,secrets,serviceaccounts,persistentvolumeclaims";
    const list = async () =>
        (await bed.kubectl("get", kinds, "-n", namespace, "-l", "stackrun.dev/run-id", "-o", "name"))
            .split("\n")
            .filter(Boolean);
    await until(
        async () => (await list()).length === 0,
        30_000,
        () => "nothing to be left",
    ).catch(() => undefined);
    return list();
}
