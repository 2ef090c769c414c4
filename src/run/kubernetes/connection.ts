import * as fs from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import * as os from "node:os";
import * as path from "node:path";
import type { KubeConfig } from "@kubernetes/client-node" with { "resolution-mode": "import" };

import { loadPeer } from "../peer";

const ANSWER_MS = 30_000;

/** Which cluster, and where in it: as the component hands it to the follower. */
export interface ClusterOptions {
    /** A kubeconfig's text, or the path of one; without it what `KUBECONFIG` names, or `~/.kube/config`. */
    readonly kubeconfig?: string;
    readonly context?: string;
    readonly namespace?: string;
}

/** The API server has answered, and not with what was asked for. */
export class ApiError extends Error {
    override readonly name = "ApiError";

    constructor(
        readonly status: number,
        message: string,
    ) {
        super(message);
    }
}

/** Nobody has answered. */
export class UnreachableError extends Error {
    override readonly name = "UnreachableError";
}

export interface ApiRequest {
    readonly method?: "GET" | "POST" | "PATCH" | "DELETE";
    readonly path: string;
    readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
    readonly body?: unknown;
    readonly contentType?: string;
}

/** What is asked of a cluster; a test's stand-in has these methods too. */
export interface Api {
    readonly namespace: string;
    /** @throws ApiError, UnreachableError */
    json<T>(request: ApiRequest): Promise<T>;
    /** An answer that comes bit by bit, and may never end. */
    stream(request: ApiRequest, signal: AbortSignal): Promise<AsyncIterable<Buffer>>;
}

/** A cluster's API by a kubeconfig. The SDK reads that, and knows all the ways to log in; requests are plain HTTP. */
export class Connection implements Api {
    private constructor(
        private readonly config: KubeConfig,
        private readonly source: string,
        private readonly server: URL,
        readonly namespace: string,
    ) {}

    static async open(options: ClusterOptions): Promise<Connection> {
        const { config, source } = await loadConfig(options);
        const cluster = config.getCurrentCluster();
        if (!cluster) {
            throw new UnreachableError(
                `${source} has no cluster for the context "${config.getCurrentContext() ?? ""}"; choose one of its contexts with \`context\``,
            );
        }
        const own = config.getContextObject(config.getCurrentContext())?.namespace;
        return new Connection(config, source, new URL(cluster.server), options.namespace ?? own ?? "default");
    }

    async json<T>(request: ApiRequest): Promise<T> {
        const late = new AbortController();
        const timer = setTimeout(() => late.abort(noAnswer()), ANSWER_MS);
        try {
            const response = await this.send(request, late.signal);
            const body = await readAll(response).catch((error: Error) => {
                throw this.unreachable(late.signal.aborted ? noAnswer() : error);
            });
            return JSON.parse(body.toString("utf8")) as T;
        } finally {
            clearTimeout(timer);
        }
    }

    async stream(request: ApiRequest, signal: AbortSignal): Promise<AsyncIterable<Buffer>> {
        return this.send(request, signal);
    }

    private async send(request: ApiRequest, signal: AbortSignal): Promise<http.IncomingMessage> {
        const options = await this.options(request);
        const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
            const body = request.body === undefined ? undefined : JSON.stringify(request.body);
            const { protocol } = this.server;
            const sent = (protocol === "http:" ? http : https).request(options, resolve);
            // A peer that is gone without a word would never be noticed on a stream that is silent by itself.
            sent.once("socket", (socket) => socket.setKeepAlive(true, 15_000));
            const timer = setTimeout(() => sent.destroy(noAnswer()), ANSWER_MS);
            sent.once("response", () => clearTimeout(timer));
            sent.once("close", () => clearTimeout(timer));
            sent.once("error", (error: Error) => reject(this.unreachable(error)));
            const abort = () => sent.destroy(signal.reason as Error);
            signal.addEventListener("abort", abort, { once: true });
            sent.once("close", () => signal.removeEventListener("abort", abort));
            if (signal.aborted) {
                abort();
            }
            sent.end(body);
        });
        if ((response.statusCode ?? 500) >= 300) {
            throw await apiError(response);
        }
        return response;
    }

    private async options({ method, path: name, query, body, contentType }: ApiRequest) {
        const url = new URL(this.server.href.replace(/\/$/, "") + name);
        for (const [key, value] of Object.entries(query ?? {})) {
            if (value !== undefined) {
                url.searchParams.set(key, String(value));
            }
        }
        const options: https.RequestOptions & { headers: Record<string, string> } = {
            method: method ?? "GET",
            protocol: url.protocol,
            host: url.hostname.replace(/^\[|\]$/g, ""),
            port: url.port || (url.protocol === "http:" ? 80 : 443),
            path: url.pathname + url.search,
            headers: { accept: "application/json" },
        };
        if (body !== undefined) {
            options.headers["content-type"] = contentType ?? "application/json";
        }
        try {
            await this.config.applyToHTTPSOptions(options);
        } catch (error) {
            throw this.unreachable(error as Error);
        }
        // Each request on a connection of its own: the SDK's agent differs between its versions, and is not for plain HTTP.
        const { agent, ...rest } = options;
        return isProxied(agent) ? options : { ...rest, agent: false as const };
    }

    private unreachable(error: Error): UnreachableError {
        return new UnreachableError(
            `the cluster at ${this.server.origin} (${this.source}) can't be reached: ${explain(error)}`,
            { cause: error },
        );
    }
}

function noAnswer(): Error {
    return new Error(`no answer within ${ANSWER_MS / 1000} s`);
}

// What does the proxy's work in the SDK is an agent of another package.
function isProxied(agent: unknown): boolean {
    return agent instanceof http.Agent && /Proxy/.test(agent.constructor.name);
}

async function loadConfig({ kubeconfig, context }: ClusterOptions) {
    const sdk = await loadSdk();
    const config = new sdk.KubeConfig();
    const file = kubeconfig === undefined ? undefined : asFile(kubeconfig);
    const source =
        kubeconfig === undefined
            ? `kubeconfig ${defaultFile()}`
            : file
              ? `kubeconfig ${file}`
              : "the given kubeconfig";
    try {
        if (file !== undefined) {
            config.loadFromFile(file);
        } else if (kubeconfig !== undefined) {
            config.loadFromString(kubeconfig);
        } else {
            config.loadFromDefault();
        }
    } catch (error) {
        const why = explain(error as Error);
        throw new UnreachableError(`${source} can't be read: ${why}`, { cause: error });
    }
    if (context !== undefined) {
        if (!config.getContextObject(context)) {
            const names = config.getContexts().map(({ name }) => name);
            throw new UnreachableError(
                `${source} has no context "${context}"; it has ${names.join(", ") || "none"}`,
            );
        }
        config.setCurrentContext(context);
    }
    return { config, source };
}

async function loadSdk() {
    const name = "@kubernetes/client-node";
    try {
        return await loadPeer(name, () => import("@kubernetes/client-node"), "a run in Kubernetes");
    } catch (error) {
        if (error instanceof TypeError && Number(process.versions.node.split(".")[0]) < 22) {
            throw new Error(
                `version 2 of ${name} needs Node.js 22, and this is ${process.versions.node}: npm install ${name}@1`,
                { cause: error },
            );
        }
        throw error;
    }
}

function asFile(kubeconfig: string): string | undefined {
    if (kubeconfig.includes("\n") || kubeconfig.trimStart().startsWith("{")) {
        return undefined;
    }
    return kubeconfig.replace(/^~(?=\/)/, os.homedir());
}

function defaultFile(): string {
    const named = process.env.KUBECONFIG;
    const usual = path.join(os.homedir(), ".kube/config");
    return (
        named ||
        (fs.existsSync(usual)
            ? usual
            : "of this machine (KUBECONFIG is not set, and there is no ~/.kube/config)")
    );
}

async function apiError(response: http.IncomingMessage): Promise<ApiError> {
    const text = (await readAll(response)).toString("utf8");
    let message = text.trim();
    try {
        message = (JSON.parse(text) as { message?: string }).message ?? message;
    } catch {
        // Not the API server's own words; those of a proxy before it.
    }
    const status = response.statusCode ?? 500;
    return new ApiError(status, message.slice(0, 2000) || `HTTP ${status}`);
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of stream) {
        chunks.push(chunk);
    }
    return Buffer.concat(chunks);
}

function explain(error: Error & { code?: string; errors?: Error[] }): string {
    switch (error.code) {
        case "ECONNREFUSED":
            return "the connection was refused";
        case "ENOTFOUND":
        case "EAI_AGAIN":
            return `its name can't be resolved (${error.code})`;
        case "ETIMEDOUT":
            return "the connection timed out";
        default:
            return error.message || error.errors?.[0]?.message || error.code || "no reason was given";
    }
}
