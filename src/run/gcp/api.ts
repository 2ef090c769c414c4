import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { gcsHope } from "../../stores/artifacts/gcsErrors";
import { retrying, type Hope, type Patience } from "../../stores/artifacts/retry";
import { credentials, type Credentials } from "./credentials";
import { answerError, connectionError, GcpError, unknownCaller, type ErrorBody } from "./errors";

const ENDPOINT = "https://compute.googleapis.com/compute/v1/";
const PATIENCE: Patience = {
    busyMs: 60_000,
    unreachedMs: 10_000,
    firstPauseMs: 300,
    longestPauseMs: 10_000,
    idleMs: 20_000,
};
/** Codes of operations that failed for a reason which passes. */
const PASSES = /INTERNAL|RATE|NOT_READY|UNAVAILABLE|TIMEOUT/i;
const FIRST_LOOK_MS = 300;
const LONGEST_LOOK_MS = 4_000;

/** A zonal operation, as far as it is looked at. */
export interface Operation {
    readonly name: string;
    readonly operationType: string;
    readonly status: string;
    readonly user?: string;
    readonly insertTime?: string;
    readonly statusMessage?: string;
    readonly error?: { readonly errors?: readonly { readonly code?: string; readonly message?: string }[] };
}

export interface ApiOptions {
    readonly project: string;
    readonly computeEndpoint?: string;
    readonly credentials?: Credentials;
    readonly patience?: Patience;
}

type Query = Readonly<Record<string, string>>;

/** Compute Engine's API in one project. What is busy or breaks is tried again; nothing is done twice by that. */
export class ComputeApi {
    readonly project: string;
    private readonly endpoint: string;
    private readonly credentials: Credentials;
    private readonly patience: Patience;

    constructor(options: ApiOptions) {
        const endpoint = options.computeEndpoint || process.env.GOOGLE_COMPUTE_CUSTOM_ENDPOINT || ENDPOINT;
        this.project = options.project;
        this.endpoint = `${endpoint.replace(/\/+$/, "")}/`;
        this.credentials = options.credentials ?? credentials();
        this.patience = options.patience ?? PATIENCE;
    }

    /**
     * Below `projects/<project>`, or of another project.
     * @returns `undefined`: there is no such thing.
     */
    async get<T>(path: string, query: Query = {}, project = this.project): Promise<T | undefined> {
        try {
            return await this.request<T>("GET", `projects/${project}${path && `/${path}`}`, query);
        } catch (error) {
            if (error instanceof GcpError && error.fault === "notFound") {
                return undefined;
            }
            throw error;
        }
    }

    /** All pages of a list. */
    async list<T>(path: string, query: Query = {}): Promise<T[]> {
        const items: T[] = [];
        for (let pageToken: string | undefined = ""; pageToken !== undefined;) {
            const page: { items?: T[]; nextPageToken?: string } | undefined = await this.get(path, {
                ...query,
                ...(pageToken && { pageToken }),
            });
            items.push(...(page?.items ?? []));
            pageToken = page?.nextPageToken;
        }
        return items;
    }

    /**
     * Changes something in a zone, and waits until that is done. However often it is asked for, it is done once.
     * @returns what the operation has failed with
     */
    async operate(
        method: "POST" | "DELETE",
        zone: string,
        path: string,
        body?: string,
    ): Promise<GcpError | undefined> {
        const base = `projects/${this.project}/zones/${zone}`;
        const query = { requestId: randomUUID() };
        let operation = await this.request<Operation>(method, `${base}/${path}`, query, body);
        for (let pause = FIRST_LOOK_MS; operation.status !== "DONE"; pause *= 1.5) {
            await sleep(Math.min(pause, LONGEST_LOOK_MS));
            operation = await this.request("GET", `${base}/operations/${operation.name}`);
        }
        const [failure] = operation.error?.errors ?? [];
        return (
            failure &&
            new GcpError(
                `Compute Engine could not do what it was asked for in ${zone}: ${failure.code ?? "error"}, ${failure.message ?? "without a reason"}`,
                PASSES.test(failure.code ?? "") ? "busy" : "refused",
                failure.code,
            )
        );
    }

    private request<T>(method: string, path: string, query: Query = {}, body?: string): Promise<T> {
        return retrying({ patience: this.patience, hopeOf }, () => this.ask<T>(method, path, query, body));
    }

    private async ask<T>(method: string, path: string, query: Query, body?: string): Promise<T> {
        let answer = await this.send(method, path, query, await this.token(), body);
        if (answer.status === 401 && this.credentials.source !== "GOOGLE_OAUTH_ACCESS_TOKEN") {
            answer = await this.send(method, path, query, await this.token(true), body);
        }
        if (answer.status >= 300) {
            const error = answerError(answer.status, errorOf(answer.text), this.asked);
            // Of a machine that is off there is no console: waiting would not bring it.
            throw method === "GET" && error.reason === "resourceNotReady"
                ? new GcpError(error.message, "notFound", error.reason)
                : error;
        }
        return JSON.parse(answer.text) as T;
    }

    private async send(
        method: string,
        path: string,
        query: Query,
        token: string,
        body?: string,
    ): Promise<{ status: number; text: string }> {
        const url = new URL(path, this.endpoint);
        Object.entries(query).forEach(([name, value]) => url.searchParams.set(name, value));
        try {
            const response = await fetch(url, {
                method,
                headers: {
                    authorization: `Bearer ${token}`,
                    ...(body !== undefined && { "content-type": "application/json" }),
                },
                body,
                signal: AbortSignal.timeout(this.patience.idleMs),
            });
            return { status: response.status, text: await response.text() };
        } catch (error) {
            throw connectionError(error, this.asked);
        }
    }

    private async token(fresh = false): Promise<string> {
        try {
            return await this.credentials.token(fresh);
        } catch (error) {
            if (error instanceof GcpError) {
                throw error;
            }
            // A token is had from the network, too.
            throw gcsHope(error) === undefined
                ? unknownCaller((error as Error).message, this.credentials, error)
                : connectionError(error, this.asked);
        }
    }

    private get asked(): { project: string; endpoint: string; source: string } {
        return { project: this.project, endpoint: this.endpoint, source: this.credentials.source };
    }
}

function hopeOf(error: unknown): Hope {
    const { fault } = error as Partial<GcpError>;
    return fault === "busy" || fault === "unreached" ? fault : undefined;
}

function errorOf(text: string): ErrorBody | undefined {
    try {
        return (JSON.parse(text) as { error?: ErrorBody }).error;
    } catch {
        return text ? { message: text.slice(0, 300) } : undefined;
    }
}
