import * as http from "node:http";
import * as https from "node:https";
import { exec } from "./exec";
import { readCluster, type Cluster, type ClusterOptions } from "./kubeconfig";
import { explain, UnreachableError } from "./unreachable";

const ANSWER_MS = 30_000;

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
    /** What a program prints that is run in a container. */
    exec(pod: string, container: string, command: readonly string[]): Promise<Buffer>;
}

/** A cluster's API; requests are plain HTTP. */
export class Connection implements Api {
    private constructor(
        private readonly cluster: Cluster,
        readonly namespace: string,
    ) {}

    static async open(options: ClusterOptions): Promise<Connection> {
        const cluster = await readCluster(options);
        return new Connection(cluster, options.namespace ?? cluster.namespace ?? "default");
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

    async exec(pod: string, container: string, command: readonly string[]): Promise<Buffer> {
        return exec(await this.cluster.sdk(), { namespace: this.namespace, pod, container }, command);
    }

    private async send(request: ApiRequest, signal: AbortSignal): Promise<http.IncomingMessage> {
        const options = await this.options(request);
        const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
            const body = request.body === undefined ? undefined : JSON.stringify(request.body);
            const { protocol } = this.cluster.server;
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
        const url = new URL(this.cluster.server.href.replace(/\/$/, "") + name);
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
            await this.cluster.authorize(options);
        } catch (error) {
            throw this.unreachable(error as Error);
        }
        return options;
    }

    private unreachable(error: Error): UnreachableError {
        return new UnreachableError(
            `the cluster at ${this.cluster.server.origin} (${this.cluster.source}) can't be reached: ${explain(error)}`,
            { cause: error },
        );
    }
}

function noAnswer(): Error {
    return new Error(`no answer within ${ANSWER_MS / 1000} s`);
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
