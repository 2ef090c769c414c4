import type { IncomingMessage } from "node:http";

interface Answer {
    readonly status: number;
    readonly headers: Record<string, string>;
    readonly body?: Buffer;
}

/**
 * How far uploads have come. Asked for it (a range of `*`), fake-gcs-server takes the question for the upload's
 * end, and stores half an object; Google's service answers.
 */
export class UploadSessions {
    private readonly last = new Map<string, Answer>();

    isQuestion({ method, headers }: IncomingMessage): boolean {
        return method === "PUT" && (headers["content-range"] ?? "").startsWith("bytes */");
    }

    answer(request: IncomingMessage): Answer {
        return this.last.get(sessionOf(request)) ?? { status: 308, headers: {} };
    }

    learn(request: IncomingMessage, { statusCode = 0, headers }: IncomingMessage, body: Buffer): void {
        const session = sessionOf(request);
        if (request.method !== "PUT" || session === "" || ![200, 201, 308].includes(statusCode)) {
            return;
        }
        const range = typeof headers.range === "string" ? { range: headers.range } : undefined;
        this.last.set(
            session,
            statusCode === 308
                ? { status: 308, headers: { ...range } }
                : { status: statusCode, headers: { "content-type": "application/json" }, body },
        );
    }
}

function sessionOf({ url = "/" }: IncomingMessage): string {
    return new URL(url, "http://any").searchParams.get("upload_id") ?? "";
}
