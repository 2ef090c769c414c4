import { StoreError } from "./errors";
import type { Hope } from "./retry";

/** What was being done, with the right that it needs. */
export type GcsAction = "get" | "list" | "create" | "delete";

/** The HTTP status, if it is none of success, that an error of Google's clients tells; each of their layers has its own place for it. */
export function statusOf(error: unknown): number | undefined {
    const { code, status, response } = error as {
        code?: unknown;
        status?: unknown;
        response?: { status?: unknown; statusCode?: unknown };
    };
    return [code, status, response?.status, response?.statusCode]
        .map(Number)
        .find((one) => one >= 300 && one < 600);
}

const UNREACHED = ["ENOTFOUND", "ECONNREFUSED", "EAI_AGAIN", "ENETUNREACH", "EHOSTUNREACH"];
const BROKEN = [
    "ECONNRESET",
    "ECONNABORTED",
    "EPIPE",
    "ETIMEDOUT",
    "ESOCKETTIMEDOUT",
    "ERR_STREAM_PREMATURE_CLOSE",
    "UND_ERR_SOCKET",
];
const BUSY = [308, 408, 429, 500, 502, 503, 504];

/** What Google's library for logging in says when there is nobody, or when a login is over. */
const UNKNOWN_CALLER =
    /default credentials|invalid_grant|invalid_rapt|reauth|does not exist, or it is not a file|incoming JSON object/i;

/** Something went wrong on the way, which a further try may not meet. */
export class Broken extends Error {
    readonly code = "ECONNRESET";
}

/** Whether an error of Google's clients passes by itself. */
export function gcsHope(error: unknown): Hope {
    const status = statusOf(error);
    if (status !== undefined) {
        return BUSY.includes(status) ? "busy" : undefined;
    }
    const words = wordsOf(error);
    return UNREACHED.some((code) => words.includes(code))
        ? "unreached"
        : BROKEN.some((code) => words.includes(code)) || /premature close|socket hang up|timeout/i.test(words)
          ? "busy"
          : undefined;
}

/** An error for people of one of Google's clients. */
export function gcsError(error: unknown, action: GcsAction, bucket: string): unknown {
    const told = gcsFault(error, action, bucket);
    return told === undefined ? error : new StoreError(told, { cause: error });
}

function gcsFault(error: unknown, action: GcsAction, bucket: string): string | undefined {
    if (error instanceof StoreError) {
        return undefined;
    }
    const status = statusOf(error);
    const words = messageOf(error);
    if (status === 401 || UNKNOWN_CALLER.test(words)) {
        return (
            `Google Cloud does not know who asks for gs://${bucket}: ${words}. Log in with \`gcloud auth ` +
            "application-default login`, or name the file of a service account's credentials in GOOGLE_APPLICATION_CREDENTIALS."
        );
    }
    if (status === 403) {
        const right = /\bstorage\.[a-z]+\.[a-z]+/i.exec(words)?.[0] ?? `storage.objects.${action}`;
        return (
            `gs://${bucket} can't be used without the right ${right}: ${words}. Have the role Storage Object User ` +
            "(roles/storage.objectUser) granted on the bucket."
        );
    }
    if (status === 404) {
        return (
            `there is no bucket ${bucket} in Google Cloud Storage. Create it with \`gcloud storage buckets create ` +
            `gs://${bucket}\`, or name another one.`
        );
    }
    if (gcsHope(error) !== undefined) {
        return (
            `gs://${bucket} can't be reached: ${words}. Look after the network and https://status.cloud.google.com, ` +
            "then type the command again."
        );
    }
    return `gs://${bucket} refuses what is asked of it: ${words}. Look up what that means for Google Cloud Storage.`;
}

/** A bucket that is not there is told by the words only: an object that is not there has the same status. */
export function isMissingBucket(error: unknown): boolean {
    return /bucket does not exist/i.test(wordsOf(error));
}

// One line: what a proxy answers can be a page.
function messageOf(error: unknown): string {
    const { message, response } = error as Error & {
        response?: { data?: { error?: { message?: string } } };
    };
    const text = response?.data?.error?.message || message || String(statusOf(error));
    const first = /^Multiple errors.*?\n\s*1\. ([^\n]+)/s.exec(text)?.[1];
    return (first ?? text).trim().split("\n")[0].slice(0, 300).replace(/\.$/, "");
}

function wordsOf(error: unknown): string {
    const { code, message, cause, errors } = error as Error & {
        code?: unknown;
        errors?: readonly { reason?: string; message?: string }[];
    };
    const inner = (errors ?? []).flatMap((one) => [one?.reason, one?.message]);
    return [code, message, ...inner, cause instanceof Error ? wordsOf(cause) : ""].join(" ");
}
