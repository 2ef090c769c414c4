import * as https from "node:https";
import type { Value } from "../../../../src/provider/values";
import type { ProviderConfig } from "./config";
import { loadCluster, type Cluster } from "./kubeconfig";

export type KubeObject = Record<string, Value>;

/** An answer of the API server that is no success. */
export class ApiError extends Error {
    override readonly name = "ApiError";
    constructor(
        readonly status: number,
        readonly reason: string,
        message: string,
    ) {
        super(message);
    }
}

export interface RequestOptions {
    readonly query?: Readonly<Record<string, string | undefined>>;
    readonly body?: unknown;
    readonly contentType?: string;
}

interface ResourceKind {
    readonly path: string;
    readonly plural: string;
    readonly namespaced: boolean;
}

const TIMEOUT_MS = 30_000;

/** A cluster's REST interface, for objects of any kind. */
export class KubernetesApi {
    private readonly kinds = new Map<string, Promise<Map<string, ResourceKind>>>();

    private constructor(
        private readonly cluster: Cluster,
        /** Where objects go that name no namespace. */
        readonly namespace: string,
    ) {}

    /** Throws if there is no such cluster, or it does not answer. */
    static async connect(config: ProviderConfig): Promise<KubernetesApi> {
        const cluster = loadCluster(config);
        const api = new KubernetesApi(cluster, config.namespace ?? cluster.namespace ?? "default");
        await api.request("GET", "/openapi/v3");
        return api;
    }

    async request(method: string, path: string, options: RequestOptions = {}): Promise<KubeObject> {
        const { server, headers, tls } = this.cluster;
        const url = new URL(server.pathname.replace(/\/$/, "") + path, server);
        for (const [key, value] of Object.entries(options.query ?? {})) {
            if (value !== undefined) {
                url.searchParams.set(key, value);
            }
        }
        const body = options.body === undefined ? undefined : JSON.stringify(options.body);
        const content = {
            "Content-Type": options.contentType ?? "application/json",
            "Content-Length": String(Buffer.byteLength(body ?? "")),
        };
        const settings = {
            ...tls,
            method,
            timeout: TIMEOUT_MS,
            headers: { Accept: "application/json", ...headers, ...(body === undefined ? {} : content) },
        };
        const { status, text } = await send(url, settings, body);
        if (status >= 300) {
            throw errorOf(status, text);
        }
        return JSON.parse(text) as KubeObject;
    }

    /** The path of an object (or, without a name, of all of its kind in a namespace). */
    async pathOf(
        apiVersion: string,
        kind: string,
        namespace: string | undefined,
        name: string,
    ): Promise<string> {
        const found = await this.kindOf(apiVersion, kind);
        const place = found.namespaced
            ? `/namespaces/${encodeURIComponent(namespace ?? this.namespace)}`
            : "";
        return `${found.path}${place}/${found.plural}/${encodeURIComponent(name)}`;
    }

    async isNamespaced(apiVersion: string, kind: string): Promise<boolean> {
        return (await this.kindOf(apiVersion, kind)).namespaced;
    }

    private async kindOf(apiVersion: string, kind: string): Promise<ResourceKind> {
        let kinds = this.kinds.get(apiVersion);
        if (!kinds) {
            kinds = this.discover(apiVersion);
            this.kinds.set(apiVersion, kinds);
            kinds.catch(() => this.kinds.delete(apiVersion));
        }
        const found = (await kinds).get(kind);
        if (!found) {
            throw new ApiError(404, "NotFound", `no matches for kind "${kind}" in version "${apiVersion}"`);
        }
        return found;
    }

    private async discover(apiVersion: string): Promise<Map<string, ResourceKind>> {
        const path = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
        const { resources } = await this.request("GET", path);
        const kinds = new Map<string, ResourceKind>();
        for (const { name, kind, namespaced } of resources as {
            name: string;
            kind: string;
            namespaced: boolean;
        }[]) {
            if (!name.includes("/")) {
                kinds.set(kind, { path, plural: name, namespaced });
            }
        }
        return kinds;
    }
}

function send(
    url: URL,
    options: https.RequestOptions,
    body?: string,
): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
        const request = https.request(url, options, (response) => {
            const chunks: Buffer[] = [];
            response.on("data", (chunk: Buffer) => chunks.push(chunk));
            response.on("error", reject);
            response.on("end", () =>
                resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
            );
        });
        request.on("timeout", () => request.destroy(new Error(`${url.host} did not answer in time`)));
        request.on("error", reject);
        request.end(body);
    });
}

function errorOf(status: number, text: string): ApiError {
    try {
        const { reason, message } = JSON.parse(text) as { reason?: string; message?: string };
        return new ApiError(status, reason ?? "", message ?? text);
    } catch {
        return new ApiError(status, "", text || `HTTP status ${status}`);
    }
}
