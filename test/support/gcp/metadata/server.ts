import { createHash } from "node:crypto";
import { EventEmitter } from "node:events";
import * as http from "node:http";
import type { AddressInfo, Server, Socket } from "node:net";
import { json, lines, listing, nodeAt, type Node } from "./tree";

export interface MetadataSource {
    /** What there is to read now. */
    tree(): Node;
    /** An access token of a service account of the instance, by its address or `default`. */
    token(account: string): { readonly access_token: string; readonly expires_in: number } | undefined;
    /** Whether guests may write attributes: metadata `enable-guest-attributes`. */
    guestAttributesEnabled(): boolean;
    /** How far the clock that it tells is ahead of this machine's. */
    skewMs(): number;
}

export interface MetadataRequest {
    readonly method: string;
    readonly path: string;
    readonly status: number;
    readonly at: number;
}

const ROOT = "/computeMetadata/v1";
const LONGEST_WAIT_S = 3600;

/** The metadata server of one instance, as the instance sees it at 169.254.169.254. */
export class MetadataServer {
    readonly requests: MetadataRequest[] = [];
    /** `<namespace>/<key>`: what the guest has written. */
    readonly guestAttributes = new Map<string, string>();
    private readonly changes = new EventEmitter().setMaxListeners(0);
    private readonly sockets = new Set<Socket>();
    private readonly server = http.createServer((request, response) => void this.serve(request, response));

    constructor(private readonly source: MetadataSource) {
        this.server.keepAliveTimeout = 60_000;
        this.server.on("connection", (socket: Socket) => {
            this.sockets.add(socket);
            socket.once("close", () => this.sockets.delete(socket));
        });
    }

    /** Takes the connections that a listening socket gets: of a network namespace, say. */
    serveOn(listener: Server): void {
        listener.on("connection", (socket: Socket) => this.server.emit("connection", socket));
    }

    /** On a port of this machine's loopback; resolves to it. */
    listen(): Promise<number> {
        return new Promise((resolve, reject) => {
            if (this.server.listening) {
                resolve((this.server.address() as AddressInfo).port);
                return;
            }
            this.server.once("error", reject);
            this.server.listen(0, "127.0.0.1", () => resolve((this.server.address() as AddressInfo).port));
        });
    }

    /** To be called after each change of what the tree is made of: wakes those who wait for it. */
    changed(): void {
        this.changes.emit("change");
    }

    /** The machine is off: nobody holds the other ends any more. */
    disconnect(): void {
        this.sockets.forEach((socket) => socket.destroy());
    }

    close(): void {
        this.disconnect();
        this.server.close();
    }

    private async serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
        const method = request.method ?? "GET";
        const url = new URL(request.url ?? "/", "http://metadata");
        response.once("finish", () =>
            this.requests.push({
                method,
                path: `${url.pathname}${url.search}`,
                status: response.statusCode,
                at: Date.now(),
            }),
        );
        const { code, text, headers } = await this.answer(request, method, url);
        if (response.destroyed) {
            return;
        }
        response.writeHead(code, {
            "Metadata-Flavor": "Google",
            Server: "Metadata Server for VM",
            "Content-Type": "application/text",
            Date: new Date(Date.now() + this.source.skewMs()).toUTCString(),
            ...headers,
        });
        response.end(text);
    }

    private async answer(request: http.IncomingMessage, method: string, url: URL): Promise<Answer> {
        if (url.pathname === "/") {
            return ok("computeMetadata/\n");
        }
        if (request.headers["metadata-flavor"] !== "Google") {
            return { code: 403, text: "Missing Metadata-Flavor:Google header." };
        }
        if (request.headers["x-forwarded-for"] !== undefined) {
            return { code: 403, text: "Requests with X-Forwarded-For are refused." };
        }
        const path = url.pathname.startsWith(`${ROOT}/`)
            ? partsOf(url.pathname.slice(ROOT.length))
            : undefined;
        if (!path) {
            return missing(url);
        }
        if (path[0] === "instance" && path[1] === "guest-attributes") {
            return this.guestAttribute(method, path.slice(2), await bodyOf(request));
        }
        if (method !== "GET") {
            return { code: 405, text: "Method Not Allowed" };
        }
        const account = /^instance\/service-accounts\/([^/]+)\/token$/.exec(path.join("/"))?.[1];
        if (account !== undefined) {
            const token = this.source.token(account);
            return token
                ? { ...ok(JSON.stringify({ ...token, token_type: "Bearer" })), headers: JSON_TYPE }
                : missing(url);
        }
        await this.waitForChange(path, url.searchParams, request);
        return this.read(path, url);
    }

    private read(path: readonly string[], url: URL): Answer {
        const node = nodeAt(this.source.tree(), path);
        if (node === undefined) {
            return missing(url);
        }
        const headers = { ETag: etagOf(node) };
        const alt = url.searchParams.get("alt");
        if (typeof node === "string") {
            return alt === "json"
                ? { ...ok(json(node)), headers: { ...headers, ...JSON_TYPE } }
                : { ...ok(node), headers };
        }
        if (url.searchParams.get("recursive")?.toLowerCase() === "true") {
            return alt === "text"
                ? { ...ok(lines(node)), headers }
                : { ...ok(json(node, path.at(-1))), headers: { ...headers, ...JSON_TYPE } };
        }
        return url.pathname.endsWith("/")
            ? { ...ok(listing(node)), headers }
            : { code: 301, text: "", headers: { Location: `${url.pathname}/${url.search}` } };
    }

    // Until what stands at the path differs from what the guest has seen, or its time-out is over.
    private async waitForChange(
        path: readonly string[],
        query: URLSearchParams,
        request: http.IncomingMessage,
    ): Promise<void> {
        if (query.get("wait_for_change")?.toLowerCase() !== "true") {
            return;
        }
        const current = () => etagOf(nodeAt(this.source.tree(), path));
        const seen = query.get("last_etag") ?? current();
        const deadline = Date.now() + 1000 * Number(query.get("timeout_sec") ?? LONGEST_WAIT_S);
        while (current() === seen && Date.now() < deadline && !request.socket.destroyed) {
            await new Promise<void>((resolve) => {
                const done = () => {
                    clearTimeout(timer);
                    this.changes.off("change", done);
                    request.socket.off("close", done);
                    resolve();
                };
                const timer = setTimeout(done, deadline - Date.now());
                this.changes.once("change", done);
                request.socket.once("close", done);
            });
        }
    }

    private guestAttribute(method: string, path: readonly string[], body: string): Answer {
        if (!this.source.guestAttributesEnabled()) {
            return { code: 403, text: "Guest attributes are not enabled." };
        }
        const key = path.join("/");
        if (method === "GET") {
            const value = this.guestAttributes.get(key);
            return value === undefined ? { code: 404, text: "" } : ok(value);
        }
        if (path.length !== 2 || (method !== "PUT" && method !== "DELETE")) {
            return { code: 400, text: "a guest attribute is <namespace>/<key>" };
        }
        if (method === "DELETE") {
            this.guestAttributes.delete(key);
        } else {
            this.guestAttributes.set(key, body);
        }
        return ok("");
    }
}

interface Answer {
    readonly code: number;
    readonly text: string;
    readonly headers?: http.OutgoingHttpHeaders;
}

const JSON_TYPE = { "Content-Type": "application/json" };

function ok(text: string): Answer {
    return { code: 200, text };
}

function missing(url: URL): Answer {
    return { code: 404, text: `The requested URL ${url.pathname} was not found on this server.` };
}

function partsOf(path: string): string[] {
    return path.split("/").filter(Boolean).map(decodeURIComponent);
}

function etagOf(node: Node | undefined): string {
    return createHash("sha256")
        .update(JSON.stringify(node ?? null))
        .digest("hex")
        .slice(0, 16);
}

async function bodyOf(request: http.IncomingMessage): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
        chunks.push(chunk as Buffer);
    }
    return Buffer.concat(chunks).toString("utf8");
}
