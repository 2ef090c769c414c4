import { isUnknown, type Decoded, type Properties } from "../../../../src/provider/values";
import { KubernetesApi, type KubeObject } from "./api";
import { configMistakes, readConfig, type ProviderConfig } from "./config";
import { activeCluster } from "./kubeconfig";
import { Lifecycle, type Operation } from "./lifecycle";
import { nameIt, newFieldManager, typeOf } from "./naming";
import {
    changesOf,
    hasAnnotation,
    liveOf,
    markSecrets,
    metadataOf,
    stateOf,
    type ChangeKind,
} from "./objects";
import { replaces } from "./replace";
import { SchemaChecker } from "./schema";

interface Mistake {
    readonly property: string;
    readonly reason: string;
}

interface Change {
    readonly path: string;
    readonly kind: ChangeKind;
    readonly replaces: boolean;
}

interface Cluster {
    readonly api: KubernetesApi;
    readonly checker: SchemaChecker;
    readonly lifecycle: Lifecycle;
}

/**
 * A stand-in for the plugin of @pulumi/kubernetes: the same types, names and life of resources, by real calls of a real API
 * server; stricter where the real one only warns. Any kind that the API server knows is a resource type.
 */
export class KubernetesPlugin {
    private config!: ProviderConfig;
    /** Missing while it does not answer: then `unreachable` says why. */
    private cluster?: Cluster;
    private unreachable = "";
    private readonly cancelled = new AbortController();

    cancel(): void {
        this.cancelled.abort();
    }

    checkConfig(config: Properties): Mistake[] {
        return configMistakes(config);
    }

    /** Another cluster replaces all that was made in the old one. */
    diffConfig(olds: Properties, news: Properties): { changes: string[]; replaces: string[] } {
        const changes = [...new Set([...changesOf(olds, news).keys()].map((path) => path.split(/[.[]/)[0]))];
        const cluster = ["kubeconfig", "context", "cluster"].filter((key) => changes.includes(key));
        const other =
            cluster.some((key) => isUnknown(news[key])) || activeCluster(olds) !== activeCluster(news);
        return { changes, replaces: other ? cluster : [] };
    }

    /** A cluster that is not there fails what needs it, and nothing else. */
    async configure(config: Properties): Promise<void> {
        this.config = readConfig(config);
        try {
            const api = await KubernetesApi.connect(this.config);
            const lifecycle = new Lifecycle(api, this.config, this.cancelled.signal);
            this.cluster = { api, checker: new SchemaChecker(api), lifecycle };
        } catch (error) {
            const why = error instanceof Error ? error.message : String(error);
            this.unreachable = `unable to load schema information from the API server: ${why}`;
        }
    }

    async check(
        urn: string,
        olds: Properties,
        news: Decoded,
        seed: Uint8Array,
    ): Promise<{ inputs: Properties; failures: Mistake[] }> {
        const inputs = structuredClone(news.value);
        const [apiVersion, kind] = typeOf(urn);
        const failures = Object.entries({ apiVersion, kind })
            .filter(([property, expected]) => inputs[property] !== expected)
            .map(([property, expected]) => ({
                property,
                reason: `must be "${expected}" for this resource type`,
            }));
        if (!isUnknown(inputs.metadata)) {
            nameIt(inputs, olds, urn, seed);
            await this.placeIt(inputs, apiVersion, kind);
        }
        if (failures.length === 0 && this.cluster) {
            failures.push(...(await this.cluster.checker.mistakes(inputs)));
        }
        return { inputs: markSecrets(inputs, news.secrets) as Properties, failures };
    }

    diff(
        olds: Properties,
        news: Properties,
        ignored: readonly string[],
    ): { changes: Change[]; deleteBeforeReplace: boolean } {
        const changes: Change[] = [];
        for (const [path, kind] of changesOf((olds.__inputs ?? {}) as KubeObject, news)) {
            if (!ignored.some((prefix) => path === prefix || path.startsWith(`${prefix}.`))) {
                changes.push({ path, kind, replaces: replaces(news, path, this.config) });
            }
        }
        const [live, wanted] = [metadataOf(liveOf(olds)), metadataOf(news)];
        const sameName = wanted.name === live.name && (wanted.namespace ?? live.namespace) === live.namespace;
        const replaced = changes.some((change) => change.replaces);
        return { changes, deleteBeforeReplace: replaced && sameName && !hasAnnotation(news, "autonamed") };
    }

    async create(inputs: Decoded, operation: Operation): Promise<{ id: string; state: Properties }> {
        if (operation.preview) {
            return { id: "", state: await this.preview(inputs, newFieldManager(), operation) };
        }
        return this.reachable().create(inputs, operation);
    }

    async update(olds: Properties, inputs: Decoded, operation: Operation): Promise<Properties> {
        const fieldManager = String(olds.__fieldManager ?? newFieldManager());
        if (operation.preview) {
            return this.preview(inputs, fieldManager, operation);
        }
        return this.reachable().update(inputs, fieldManager, operation);
    }

    /** `undefined`: it is gone. */
    async read(
        id: string,
        state: Properties,
        inputs: Decoded,
        operation: Operation,
    ): Promise<{ state: Properties; inputs: Properties } | undefined> {
        if (this.cluster) {
            return this.cluster.lifecycle.read(id, state, inputs, operation.urn);
        }
        this.warn(operation);
        if (this.config.deleteUnreachable) {
            return undefined;
        }
        if (this.config.skipUpdateUnreachable) {
            const marked = stateOf(inputs.value, liveOf(state), inputs.secrets, String(state.__fieldManager));
            return { state: marked, inputs: markSecrets(inputs.value, inputs.secrets) as Properties };
        }
        throw new Error(`failed to read resource state due to unreachable cluster. ${REMEDY}`);
    }

    async delete(id: string, state: Properties, operation: Operation): Promise<void> {
        if (this.cluster) {
            return this.cluster.lifecycle.delete(id, state, operation);
        }
        this.warn(operation);
        if (!this.config.deleteUnreachable) {
            throw new Error(`configured Kubernetes cluster is unreachable. ${REMEDY}`);
        }
    }

    private async preview(inputs: Decoded, fieldManager: string, operation: Operation): Promise<Properties> {
        if (this.cluster) {
            return this.cluster.lifecycle.preview(inputs.value, inputs.secrets, fieldManager, operation.urn);
        }
        this.warn(operation);
        return markSecrets(inputs.value, inputs.secrets) as Properties;
    }

    private reachable(): Lifecycle {
        if (!this.cluster) {
            throw new Error(`configured Kubernetes cluster is unreachable: ${this.unreachable}`);
        }
        return this.cluster.lifecycle;
    }

    private warn({ log }: Operation): void {
        log.warn(`configured Kubernetes cluster is unreachable: ${this.unreachable}`);
    }

    /** The provider's namespace, or the context's, for what lives in one and names none. */
    private async placeIt(inputs: Properties, apiVersion: string, kind: string): Promise<void> {
        const metadata = metadataOf(inputs);
        const api = this.cluster?.api;
        if (api && !metadata.namespace && (await api.isNamespaced(apiVersion, kind).catch(() => false))) {
            metadata.namespace = api.namespace;
        }
    }
}

const REMEDY =
    "If the cluster was deleted, you can remove this resource from Pulumi state by rerunning the operation " +
    'with the PULUMI_K8S_DELETE_UNREACHABLE environment variable set to "true"';
