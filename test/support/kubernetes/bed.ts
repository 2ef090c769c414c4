import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
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

    /** Makes an object; resolves to what the API server made of it. */
    async create<T extends object>(object: T, namespace = "default"): Promise<T> {
        const args = ["create", "--namespace", namespace, "-o", "json", "-f", "-"];
        return JSON.parse(await this.kubectlWith(JSON.stringify(object), ...args)) as T;
    }

    async get<T>(kind: string, name: string, namespace = "default"): Promise<T> {
        return JSON.parse(await this.kubectl("get", kind, name, "--namespace", namespace, "-o", "json")) as T;
    }

    /** The objects of a kind, all or those with some labels. */
    async list<T>(kind: string, namespace: string, labelSelector = ""): Promise<T[]> {
        const args = ["get", kind, "--namespace", namespace, "-l", labelSelector, "-o", "json"];
        return (JSON.parse(await this.kubectl(...args)) as { items: T[] }).items;
    }

    /** The image in a tar file (of `docker save`, or an OCI layout) under a name. It can't be pulled: `IfNotPresent` or `Never`. */
    async loadImage(tar: string, name: string): Promise<void> {
        await this.script("load", this.dir, tar, name);
    }

    /** From now on the node pulls from this registry, which has no TLS: `10.245.1.1:5000`. */
    trustRegistry(address: string): void {
        const folder = path.join(this.dir, "conf/registries", address);
        fs.mkdirSync(folder, { recursive: true });
        const url = `http://${address}`;
        fs.writeFileSync(
            path.join(folder, "hosts.toml"),
            `server = "${url}"\n[host."${url}"]\n  capabilities = ["pull", "resolve"]\n`,
        );
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

    /** No new pods on the node, and those that are there (in one namespace, or all) are evicted, as `kubectl drain` does. */
    async drain(node = this.node, namespace?: string): Promise<void> {
        await this.cordon(node);
        const place = namespace ? ["--namespace", namespace] : ["--all-namespaces"];
        const template = '{range .items[*]}{.metadata.namespace}{" "}{.metadata.name}{"\\n"}{end}';
        const args = [
            "get",
            "pods",
            ...place,
            `--field-selector=spec.nodeName=${node}`,
            "-o",
            `jsonpath=${template}`,
        ];
        for (const line of (await this.kubectl(...args)).split("\n").filter(Boolean)) {
            const [at, name] = line.split(" ");
            await this.evict(at, name);
        }
    }

    /** Asks the eviction API to remove a pod. */
    async evict(namespace: string, name: string): Promise<void> {
        const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { namespace, name } };
        const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`;
        await this.kubectlWith(JSON.stringify(eviction), "create", "--raw", path, "-f", "-");
    }

    async cordon(node = this.node): Promise<void> {
        await this.kubectl("cordon", node);
    }

    async uncordon(node = this.node): Promise<void> {
        await this.kubectl("uncordon", node);
    }

    /** A namespace of a test's own; `labels` say, for instance, what pods may do there. */
    async createNamespace(name: string, labels: Record<string, string> = {}): Promise<void> {
        await this.create({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
        // Without its service account, no pod is admitted.
        await until(
            async () =>
                (await this.kubectl("get", "serviceaccounts", "--namespace", name)).includes("default"),
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
        return this.kubectlWith("", ...args);
    }

    /** The cluster's own kubectl. */
    get kubectlFile(): string {
        const build = /^BUILD=(.*)$/m.exec(this.read("settings"))?.[1] ?? "";
        return path.join(build, "bin/kubectl");
    }

    private async kubectlWith(input: string, ...args: readonly string[]): Promise<string> {
        const running = execute(this.kubectlFile, ["--kubeconfig", this.kubeconfig, ...args], {
            maxBuffer: BUFFER,
        });
        running.child.stdin?.end(input);
        return (await running).stdout;
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
