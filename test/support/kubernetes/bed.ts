import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import type { BatchV1Api, CoreV1Api, KubeConfig } from "@kubernetes/client-node" with {
    "resolution-mode": "import",
};
import { until } from "../project";

const SCRIPT = path.join(__dirname, "cluster.sh");
const BUFFER = 64 * 1024 * 1024;
const execute = promisify(execFile);

export interface ClusterOptions {
    /** When the kubelet starts a new file for a container's log; Kubernetes' default is "10Mi". */
    readonly logMaxSize?: string;
    /** How many such files of one container are kept; 5 by default. */
    readonly logMaxFiles?: number;
}

/** Starts a Kubernetes cluster with one node; the first time on a machine, it is built. */
export async function startCluster(options: ClusterOptions = {}): Promise<KubernetesBed> {
    const env = {
        ...process.env,
        OWNER: String(process.pid),
        LOG_MAX_SIZE: options.logMaxSize ?? "",
        LOG_MAX_FILES: options.logMaxFiles ? String(options.logMaxFiles) : "",
    };
    const running = execute(SCRIPT, ["up"], { env, maxBuffer: BUFFER });
    running.child.stderr?.pipe(process.stderr, { end: false });
    return new KubernetesBed((await running).stdout.trim());
}

/** A running cluster: real programs, in namespaces of their own, with all their files below one folder. */
export class KubernetesBed {
    readonly kubeconfig: string;
    readonly node = "node";
    /** This machine as pods see it. A server has to listen there (or on all addresses), not on loopback. */
    readonly hostIp: string;
    /** Where the API server and node ports are. */
    readonly nodeIp: string;

    /** `dir` is what `cluster.sh up` has printed. */
    constructor(readonly dir: string) {
        this.kubeconfig = path.join(dir, "kubeconfig");
        const number = /^NUMBER=(\d+)$/m.exec(this.read("settings"))?.[1];
        this.hostIp = `10.245.${number}.1`;
        this.nodeIp = `10.245.${number}.2`;
    }

    /** The client library (an ES module, so it is loaded late) with the administrator's configuration. */
    async client(): Promise<KubeConfig> {
        const { KubeConfig } = await import("@kubernetes/client-node");
        const config = new KubeConfig();
        config.loadFromFile(this.kubeconfig);
        return config;
    }

    async core(): Promise<CoreV1Api> {
        const { CoreV1Api } = await import("@kubernetes/client-node");
        return (await this.client()).makeApiClient(CoreV1Api);
    }

    async batch(): Promise<BatchV1Api> {
        const { BatchV1Api } = await import("@kubernetes/client-node");
        return (await this.client()).makeApiClient(BatchV1Api);
    }

    /** The image in a tar file (of `docker save`, or an OCI layout) under a name. It can't be pulled: `IfNotPresent` or `Never`. */
    async loadImage(tar: string, name: string): Promise<void> {
        await this.script("load", this.dir, tar, name);
    }

    /** The node is not heard of any more; its containers run on. */
    async stopKubelet(): Promise<void> {
        await this.script("stop", this.dir, "kubelet");
    }

    /** Resolves as soon as the node says it is ready. */
    async startKubelet(): Promise<void> {
        await this.script("start", this.dir, "kubelet");
    }

    async stopApiserver(): Promise<void> {
        await this.script("stop", this.dir, "kube-apiserver");
    }

    async startApiserver(): Promise<void> {
        await this.script("start", this.dir, "kube-apiserver");
    }

    async restartApiserver(): Promise<void> {
        await this.stopApiserver();
        await this.startApiserver();
    }

    /** No new pods on the node, and those that are there are evicted, as `kubectl drain` does. */
    async drain(node = this.node, namespace?: string): Promise<void> {
        await this.cordon(node);
        const core = await this.core();
        const fieldSelector = `spec.nodeName=${node}`;
        const { items } = await (namespace
            ? core.listNamespacedPod({ namespace, fieldSelector })
            : core.listPodForAllNamespaces({ fieldSelector }));
        for (const { metadata } of items) {
            await this.evict(metadata?.namespace ?? "", metadata?.name ?? "");
        }
    }

    /** Asks the eviction API to remove a pod. */
    async evict(namespace: string, name: string): Promise<void> {
        const metadata = { namespace, name };
        const core = await this.core();
        await core.createNamespacedPodEviction({ namespace, name, body: { metadata } });
    }

    async cordon(node = this.node): Promise<void> {
        await this.kubectl("cordon", node);
    }

    async uncordon(node = this.node): Promise<void> {
        await this.kubectl("uncordon", node);
    }

    /** A namespace of a test's own; `labels` say, for instance, what pods may do there. */
    async createNamespace(name: string, labels: Record<string, string> = {}): Promise<void> {
        const core = await this.core();
        await core.createNamespace({ body: { metadata: { name, labels } } });
        // Without its service account, no pod is admitted.
        await until(
            async () => {
                const { items } = await core.listNamespacedServiceAccount({ namespace: name });
                return items.some(({ metadata }) => metadata?.name === "default");
            },
            30_000,
            () => `the service account of namespace ${name}`,
        );
    }

    /** Resolves when the namespace and all in it are gone. */
    async deleteNamespace(name: string): Promise<void> {
        await this.kubectl("delete", "namespace", name, "--ignore-not-found", "--timeout=120s");
    }

    /** From now on pods' packets to this port of `hostIp` vanish, as behind a firewall; the result ends that. */
    async dropTraffic(port: number): Promise<() => Promise<void>> {
        const rule = ["FORWARD", "-d", this.hostIp, "-p", "tcp", "--dport", String(port), "-j", "DROP"];
        await this.inside("iptables", "-w", "-I", ...rule);
        return async () => void (await this.inside("iptables", "-w", "-D", ...rule));
    }

    /** Runs the cluster's own kubectl as administrator; resolves to its standard output. */
    async kubectl(...args: readonly string[]): Promise<string> {
        const build = /^BUILD=(.*)$/m.exec(this.read("settings"))?.[1] ?? "";
        const kubectl = path.join(build, "bin/kubectl");
        return (await execute(kubectl, ["--kubeconfig", this.kubeconfig, ...args], { maxBuffer: BUFFER }))
            .stdout;
    }

    /** Runs a command as root inside the cluster's namespaces (mounts, network, process ids). */
    async inside(...command: readonly string[]): Promise<string> {
        return this.script("inside", this.dir, ...command);
    }

    /** What one of the cluster's programs has logged. */
    log(program: string): string {
        return this.read(`log/${program}.log`);
    }

    /** Ends everything and removes it. */
    async stop(): Promise<void> {
        await this.script("down", this.dir);
    }

    private read(name: string): string {
        return fs.readFileSync(path.join(this.dir, name), "utf8");
    }

    private async script(...args: readonly string[]): Promise<string> {
        return (await execute(SCRIPT, args, { maxBuffer: BUFFER })).stdout;
    }
}
