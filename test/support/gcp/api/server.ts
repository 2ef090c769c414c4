import * as http from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { ApiError, badRequest, errorOf, forbidden } from "./errors";
import { bodyOf, jsonOf, send, tokenOf } from "./http";
import { faultError, Faults, type Fault } from "./faults";
import { RequestLog, type LoggedRequest } from "./requests";
import { Router, type Matched, type Principal, type Route } from "./router";

/** A request that is answered with something else than JSON: by Cloud Storage, or the registry of images. */
export interface Forward {
    readonly kind: string;
    run(principal: Principal, request: http.IncomingMessage, response: http.ServerResponse): Promise<void>;
}

export interface ApiOptions {
    /** Whose token it is; `undefined`: nobody's. */
    principalOf(token: string): Principal | undefined;
    /** Whether a service account may do it; the user may do everything. */
    allows(email: string, permission: string, resource: string): boolean;
    forward?(method: string, url: URL): Forward | undefined;
}

/** Google's APIs on one port of loopback: authentication, permissions, faults, the log, and errors in Google's form. */
export class ApiServer {
    readonly router = new Router();
    readonly requests = new RequestLog();
    readonly faults = new Faults();
    /** Permissions that nobody has, such as `compute.instances.create`. */
    readonly denied = new Set<string>();
    /** APIs that are not enabled in the project, such as `compute`. */
    readonly disabled = new Set<string>();
    /** Methods that nobody has written; a test that ends with one here has found a gap of the emulator. */
    readonly unknown: string[] = [];
    private readonly sockets = new Set<Socket>();
    private readonly server = http.createServer((request, response) => void this.serve(request, response));

    constructor(private readonly options: ApiOptions) {
        this.server.on("connection", (socket) => {
            this.sockets.add(socket);
            socket.once("close", () => this.sockets.delete(socket));
        });
        this.server.keepAliveTimeout = 30_000;
    }

    /** Resolves to the port. */
    listen(): Promise<number> {
        return new Promise((resolve, reject) => {
            this.server.once("error", reject);
            this.server.listen(0, "127.0.0.1", () => resolve((this.server.address() as AddressInfo).port));
        });
    }

    async close(): Promise<void> {
        const closed = new Promise((resolve) => this.server.close(resolve));
        this.sockets.forEach((socket) => socket.destroy());
        await closed;
    }

    private async serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
        const url = new URL(request.url ?? "/", "http://localhost");
        const method = request.method ?? "GET";
        const forward = this.options.forward?.(method, url);
        const matched = this.router.match(method, decodeURI(url.pathname));
        const body = forward ? "" : await bodyOf(request);
        const principal = this.options.principalOf(tokenOf(request));
        const entry: LoggedRequest = {
            kind: forward?.kind ?? matched?.route.kind ?? `${method} ${url.pathname}`,
            method,
            path: `${url.pathname}${url.search}`,
            body: jsonOf(body),
            principal: principal === undefined ? "" : nameOf(principal),
            at: Date.now(),
            status: 0,
        };
        this.requests.add(entry);
        response.once("finish", () => (entry.status = response.statusCode));
        const fault = this.faults.take(entry.kind);
        const answer = async (): Promise<object | undefined> => {
            this.authenticate(request, principal);
            if (forward) {
                this.ensureEnabled(forward.kind.startsWith("storage.") ? "storage" : "artifactregistry");
                return void (await forward.run(principal as Principal, request, response));
            }
            return this.run(entry, url, matched, principal as Principal);
        };
        await this.respond(response, fault, answer);
    }

    private async respond(
        response: http.ServerResponse,
        fault: Fault | undefined,
        answer: () => Promise<object | undefined>,
    ): Promise<void> {
        await new Promise((resolve) => setTimeout(resolve, fault?.delayMs ?? 0));
        const failing = fault !== undefined && (fault.hang || fault.drop || fault.status !== undefined);
        let result: object | undefined;
        try {
            result = failing && !fault.done ? undefined : await answer();
        } catch (error) {
            return send(response, ...errorAnswer(error));
        }
        if (!failing) {
            return response.writableEnded || result === undefined ? undefined : send(response, 200, result);
        }
        if (fault.drop) {
            response.destroy();
        } else if (!fault.hang) {
            const error = faultError(fault);
            send(response, error.code, error.body);
        }
    }

    private authenticate(request: http.IncomingMessage, principal: Principal | undefined): void {
        if (principal) {
            return;
        }
        throw errorOf(
            401,
            "authError",
            request.headers.authorization
                ? "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential."
                : "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid authentication credential.",
        );
    }

    private ensureEnabled(api: string): void {
        if (this.disabled.has(api)) {
            const name = `${api}.googleapis.com`;
            throw new ApiError(
                403,
                "accessNotConfigured",
                `${api} API has not been used in project before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/${name}/overview then retry.`,
                [
                    {
                        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                        reason: "SERVICE_DISABLED",
                        metadata: { service: name },
                    },
                ],
            );
        }
    }

    private async run(
        { kind, path, body }: LoggedRequest,
        url: URL,
        matched: Matched | undefined,
        principal: Principal,
    ): Promise<object> {
        if (!matched) {
            this.unknown.push(kind);
            throw errorOf(404, "notFound", `the emulator has no method ${kind}`);
        }
        const { route, params } = matched;
        this.ensureEnabled(apiOf(route));
        if (body instanceof SyntaxError) {
            throw badRequest(`Invalid JSON payload received. ${body.message}`);
        }
        checkQuery(route, url.searchParams);
        this.authorize(route, path, principal);
        return ((await route.run({ params, query: url.searchParams, body, principal })) ?? {}) as object;
    }

    private authorize({ permission }: Route, path: string, principal: Principal): void {
        if (permission === undefined) {
            return;
        }
        const resource = path.replace(/^\/(compute\/)?v1\//, "").replace(/[?:].*$/, "");
        for (const needed of typeof permission === "string" ? [permission] : permission) {
            const allowed =
                principal.kind === "user" || this.options.allows(principal.email, needed, resource);
            if (!allowed || this.denied.has(needed)) {
                throw forbidden(needed, resource);
            }
        }
    }
}

export function nameOf(principal: Principal): string {
    return principal.kind === "user" ? "user" : principal.email;
}

function apiOf({ path }: Route): string {
    if (path.startsWith("/compute/")) {
        return "compute";
    }
    const found = /\/(secrets|serviceAccounts|roles|repositories)\b/.exec(path)?.[1] ?? "";
    return (
        {
            secrets: "secretmanager",
            serviceAccounts: "iam",
            roles: "iam",
            repositories: "artifactregistry",
        }[found] ?? "cloudresourcemanager"
    );
}

const EVERYWHERE = [
    "alt",
    "fields",
    "key",
    "prettyPrint",
    "quotaUser",
    "userIp",
    "$alt",
    "$.xgafv",
    "$fields",
];

function checkQuery({ kind, query = [] }: Route, given: URLSearchParams): void {
    const unknown = [...given.keys()].find((name) => !EVERYWHERE.includes(name) && !query.includes(name));
    if (unknown !== undefined) {
        throw badRequest(
            `Invalid JSON payload received. Unknown name "${unknown}": Cannot bind query parameter (${kind}).`,
        );
    }
}

function errorAnswer(error: unknown): [number, object] {
    if (error instanceof ApiError) {
        return [error.code, error.body];
    }
    // A mistake of the emulator: the test is to see where.
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return [500, errorOf(500, "internalError", `the emulator failed: ${text}`).body];
}
