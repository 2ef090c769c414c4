import { once } from "node:events";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { UploadSessions } from "./sessions";

/** What goes wrong with a request, in the place of an answer, or with the answer itself. */
export type Fault =
    | { readonly status: number; readonly body?: string }
    /** The connection breaks before the request has reached the server. */
    | "reset"
    /** The server does what it is asked; the connection breaks before it can say so. */
    | "lost answer"
    /** The connection breaks in the middle of the answer's body. */
    | "half an answer"
    /** One bit of the answer's body is another one. */
    | "wrong bit"
    /** There is never an answer. */
    | "silence";

export interface Rule {
    readonly fault: Fault;
    /** Of `METHOD /path?query`. @default - all requests */
    readonly match?: RegExp;
    /** How many requests it strikes, from the next one on. @default 1 */
    readonly times?: number;
}

/** Stands in front of a server, and lets go wrong what it is told to. */
export interface FaultProxy {
    readonly url: string;
    /** `METHOD /path?query -> status`, or the fault, of all requests so far. */
    readonly seen: readonly string[];
    /** Called with each request that comes in. */
    onRequest?: (line: string) => void;
    fail(rule: Rule): void;
    /** Forgets what was to go wrong, and what was seen. */
    reset(): void;
    stop(): Promise<void>;
}

export async function startFaultProxy(target: string): Promise<FaultProxy> {
    const proxy = new FaultServer(target);
    await proxy.listen();
    return proxy;
}

class FaultServer implements FaultProxy {
    url = "";
    seen: string[] = [];
    onRequest?: (line: string) => void;
    private readonly sessions = new UploadSessions();
    private rules: { fault: Fault; match: RegExp; left: number }[] = [];
    private readonly server = http.createServer((request, response) => void this.serve(request, response));

    constructor(private readonly target: string) {}

    listen(): Promise<void> {
        return new Promise((resolve) =>
            this.server.listen(0, "127.0.0.1", () => {
                this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
                resolve();
            }),
        );
    }

    fail({ fault, match = /^/, times = 1 }: Rule): void {
        this.rules.push({ fault, match, left: times });
    }

    reset(): void {
        this.rules = [];
        this.seen = [];
        this.onRequest = undefined;
    }

    stop(): Promise<void> {
        this.server.closeAllConnections();
        return new Promise((resolve) => this.server.close(() => resolve()));
    }

    private faultFor(line: string): Fault | undefined {
        const rule = this.rules.find(({ match, left }) => left > 0 && match.test(line));
        if (rule) {
            rule.left -= 1;
        }
        return rule?.fault;
    }

    private async serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
        const line = `${request.method} ${request.url}`;
        this.onRequest?.(line);
        const fault = this.faultFor(line);
        try {
            if (fault === "reset") {
                request.socket.destroy();
            } else if (fault === "silence") {
                request.resume();
            } else if (typeof fault === "object") {
                // Answered when it is over, as a server that is busy does.
                request.resume();
                await once(request, "end");
                response.writeHead(fault.status, { "content-type": "application/json" });
                response.end(fault.body ?? "");
            } else if (this.sessions.isQuestion(request)) {
                request.resume();
                const { status, headers, body } = this.sessions.answer(request);
                response.writeHead(status, headers).end(body);
                this.seen.push(`${line} -> ${status}`);
                return;
            } else {
                const status = await this.forward(request, response, fault);
                this.seen.push(`${line} -> ${fault ?? status}`);
                return;
            }
            this.seen.push(`${line} -> ${typeof fault === "object" ? fault.status : fault}`);
        } catch {
            // One of the two has hung up: so does this one.
            response.destroy();
        }
    }

    private async forward(
        request: http.IncomingMessage,
        response: http.ServerResponse,
        fault: "lost answer" | "half an answer" | "wrong bit" | undefined,
    ): Promise<number | undefined> {
        const { method } = request;
        const headers = { ...request.headers, host: new URL(this.target).host };
        const upstream = http.request(new URL(request.url ?? "/", this.target), {
            method,
            headers,
            agent: false,
        });
        const answered = new Promise<http.IncomingMessage>((resolve, reject) => {
            upstream.once("response", resolve).once("error", reject);
        });
        for await (const chunk of request) {
            upstream.write(chunk);
        }
        upstream.end();
        const answer = await answered;
        const chunks: Buffer[] = [];
        for await (const chunk of answer) {
            chunks.push(chunk as Buffer);
        }
        const body = Buffer.concat(chunks);
        this.sessions.learn(request, answer, body);
        if (fault === "lost answer") {
            response.destroy();
            return answer.statusCode;
        }
        response.writeHead(answer.statusCode ?? 502, this.ownHeaders(answer.headers, body.length));
        if (fault === "half an answer") {
            response.write(body.subarray(0, body.length / 2), () => response.destroy());
        } else {
            response.end(fault === "wrong bit" ? flipped(body) : body);
        }
        return answer.statusCode;
    }

    // The server names itself where a resumable upload goes on.
    private ownHeaders(headers: http.IncomingHttpHeaders, length: number): http.OutgoingHttpHeaders {
        const location = headers.location?.replace(this.target, this.url);
        const own = { ...headers, "content-length": length, ...(location ? { location } : {}) };
        delete own["transfer-encoding"];
        return own;
    }
}

function flipped(body: Buffer): Buffer {
    const other = Buffer.from(body);
    other[Math.floor(other.length / 2)] ^= 1;
    return other;
}
