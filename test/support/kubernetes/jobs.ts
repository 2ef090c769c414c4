import type { V1Container, V1Job, V1JobSpec, V1Pod } from "@kubernetes/client-node" with {
    "resolution-mode": "import",
};
import { IMAGES } from "../images/ensureImages";
import { until } from "../project";
import type { KubernetesBed } from "./bed";

/** A Job with one container that runs a line of shell in busybox; nothing is retried. */
export function shellJob(
    name: string,
    line: string,
    container: Partial<V1Container> = {},
    spec: Partial<V1JobSpec> = {},
): V1Job {
    return {
        apiVersion: "batch/v1",
        kind: "Job",
        metadata: { name },
        spec: {
            backoffLimit: 0,
            ...spec,
            template: {
                spec: {
                    restartPolicy: "Never",
                    terminationGracePeriodSeconds: 2,
                    ...spec.template?.spec,
                    containers: [
                        {
                            name: "main",
                            image: IMAGES.busybox,
                            imagePullPolicy: "Never",
                            command: ["/bin/sh", "-c", line],
                            ...container,
                        },
                    ],
                },
            },
        },
    };
}

/** The newest pod of a Job, as soon as it satisfies the condition. */
export async function podOfJob(
    bed: KubernetesBed,
    namespace: string,
    job: string,
    condition: (pod: V1Pod) => boolean,
    timeoutMs = 60_000,
): Promise<V1Pod> {
    let pod: V1Pod | undefined;
    await until(
        async () => {
            const items = await bed.list<V1Pod>("pods", namespace, `job-name=${job}`);
            const age = (item: V1Pod) => Date.parse(String(item.metadata?.creationTimestamp));
            pod = items.sort((left, right) => age(right) - age(left))[0];
            return pod !== undefined && condition(pod);
        },
        timeoutMs,
        () => `the pod of Job ${job}; it is ${JSON.stringify(pod?.status)}`,
    );
    return pod as V1Pod;
}

/** Whether a Job has ended, and how; waits for that. */
export async function endOfJob(
    bed: KubernetesBed,
    namespace: string,
    name: string,
    timeoutMs = 90_000,
): Promise<string> {
    let end: string | undefined;
    await until(
        async () => {
            const { status } = await bed.get<V1Job>("job", name, namespace);
            const met = status?.conditions?.filter(({ status }) => status === "True") ?? [];
            end = met.find(({ type }) => type === "Complete" || type === "Failed")?.type;
            return end !== undefined;
        },
        timeoutMs,
        () => `the end of Job ${name}`,
    );
    return end as string;
}

export async function logOfJob(bed: KubernetesBed, namespace: string, job: string): Promise<string> {
    return bed.kubectl("logs", `job/${job}`, "--namespace", namespace);
}
