import { CloudError } from "../vm/cloud";

/** What is wrong, as far as something can be done about it. */
export type GcpFault =
    "credentials" | "disabled" | "permission" | "notFound" | "exists" | "busy" | "unreached" | "refused";

/** Compute Engine has refused, or can't be asked: a sentence what, and one what to do. */
export class GcpError extends CloudError {
    override readonly name = "GcpError";

    constructor(
        message: string,
        readonly fault: GcpFault,
        /** `errors[].reason` of the answer, or `errors[].code` of an operation. */
        readonly reason = "",
        options?: ErrorOptions,
    ) {
        super(message, fault === "busy" || fault === "unreached", options);
    }
}

/** `{error: {…}}` of an answer. */
export interface ErrorBody {
    readonly message?: string;
    readonly errors?: readonly { readonly reason?: string; readonly message?: string }[];
    readonly details?: readonly { readonly reason?: string }[];
}

export interface Asked {
    readonly project: string;
    readonly endpoint: string;
    /** Where the credentials come from. */
    readonly source: string;
}

/** An answer that is an error. */
export function answerError(status: number, body: ErrorBody | undefined, asked: Asked): GcpError {
    const reason = body?.errors?.[0]?.reason ?? "";
    const words = oneLine(body?.message ?? `status ${status}`);
    if (status === 401) {
        return unknownCaller(words, asked);
    }
    if (isDisabled(body, reason)) {
        return new GcpError(
            `the Compute Engine API is not enabled in the project ${asked.project}: ${words}. Enable it with ` +
                `\`gcloud services enable compute.googleapis.com --project ${asked.project}\`, and wait a few minutes.`,
            "disabled",
            reason,
        );
    }
    if (isBusy(status, reason)) {
        return new GcpError(`Compute Engine has no time: ${words}. Try again later.`, "busy", reason);
    }
    if (status === 403 && /permission/i.test(words)) {
        const permission = /compute\.[A-Za-z]+\.[A-Za-z]+/.exec(words)?.[0];
        return new GcpError(
            `${permission === undefined ? "a permission" : `the permission ${permission}`} is missing: ${words}. Have a ` +
                "role with it granted on the project, such as Compute Instance Admin (v1) (roles/compute.instanceAdmin.v1).",
            "permission",
            permission ?? reason,
        );
    }
    const fault = status === 404 ? "notFound" : status === 409 ? "exists" : "refused";
    return new GcpError(`Compute Engine refuses: ${words}. Correct what it names.`, fault, reason);
}

/** Nobody has answered, or not in time. */
export function connectionError(error: unknown, { endpoint }: Asked): GcpError {
    const { name, message, code, cause } = error as NodeJS.ErrnoException & { cause?: NodeJS.ErrnoException };
    const late = name === "TimeoutError";
    const why = late ? "no answer came in time" : oneLine(cause?.code ?? cause?.message ?? code ?? message);
    const unreached = /ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH/.test(why);
    return new GcpError(
        `Compute Engine can't be reached at ${new URL(endpoint).host}: ${why}. Look after the network and ` +
            "https://status.cloud.google.com.",
        unreached ? "unreached" : "busy",
        "",
        { cause: error },
    );
}

/** There is nobody, or their login is over. */
export function unknownCaller(words: string, { source }: Pick<Asked, "source">, cause?: unknown): GcpError {
    const remedy =
        source === "GOOGLE_OAUTH_ACCESS_TOKEN"
            ? "A token lives for an hour: put a new one there (`gcloud auth print-access-token`), or leave it empty."
            : "Log in with `gcloud auth application-default login`, or name the file of a service account's key in GOOGLE_CREDENTIALS.";
    return new GcpError(
        `Google Cloud does not know who asks (${source}): ${oneLine(words)}. ${remedy}`,
        "credentials",
        "",
        {
            cause,
        },
    );
}

function isDisabled(body: ErrorBody | undefined, reason: string): boolean {
    return (
        reason === "accessNotConfigured" ||
        (body?.details ?? []).some((detail) => detail.reason === "SERVICE_DISABLED")
    );
}

function isBusy(status: number, reason: string): boolean {
    return (
        [408, 429, 500, 502, 503, 504].includes(status) ||
        (status === 403 && /rateLimitExceeded/i.test(reason)) ||
        reason === "resourceNotReady"
    );
}

function oneLine(text: string): string {
    return text.trim().split("\n")[0].slice(0, 400).replace(/\.$/, "");
}
