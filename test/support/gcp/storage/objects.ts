import * as http from "node:http";
import { text } from "node:stream/consumers";
import { ApiError } from "../api/errors";
import type { Principal } from "../api/router";
import type { Forward } from "../api/server";
import type { Policies } from "../iam/policies";

interface ObjectRequest {
    readonly kind: string;
    /** Empty where the request's own address is the permission: a resumable upload that goes on. */
    readonly permission: string;
    readonly bucket: string;
    readonly object: string;
    readonly listPrefix?: string;
}

/** What is asked of Cloud Storage's objects goes on to a server that keeps them, if the service account that asks may. */
export class Objects {
    constructor(
        private readonly target: string,
        private readonly policies: Policies,
        /** The address that clients have of these APIs. */
        private readonly ownUrl: () => string,
    ) {}

    forward(method: string, url: URL): Forward | undefined {
        const asked = objectRequest(method, url);
        return (
            asked && {
                kind: asked.kind,
                run: async (principal, request, response) => {
                    await this.authorize(asked, principal);
                    await this.pass(request, response);
                },
            }
        );
    }

    private async authorize(
        { permission, bucket, object, listPrefix }: ObjectRequest,
        principal: Principal,
    ): Promise<void> {
        if (principal.kind === "user" || permission === "") {
            return;
        }
        const name = `projects/_/buckets/${bucket}${object && `/objects/${object}`}`;
        const may = (what: string) =>
            this.policies.allows(`serviceAccount:${principal.email}`, what, [`b/${bucket}`, "project"], {
                name,
                type: `storage.googleapis.com/${object ? "Object" : "Bucket"}`,
                listPrefix,
            });
        const replaces =
            permission === "storage.objects.create" && object !== "" && (await this.exists(bucket, object));
        const missing = [permission, ...(replaces ? ["storage.objects.delete"] : [])].find(
            (what) => !may(what),
        );
        if (missing) {
            throw new ApiError(
                403,
                "forbidden",
                `${principal.email} does not have ${missing} access to the Google Cloud Storage ${object ? "object" : "bucket"}. Permission '${missing}' denied on resource (or it may not exist).`,
            );
        }
    }

    private async exists(bucket: string, object: string): Promise<boolean> {
        const url = `${this.target}/storage/v1/b/${bucket}/o/${encodeURIComponent(object)}`;
        return (await fetch(url)).ok;
    }

    private pass(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
        return new Promise((resolve, reject) => {
            // Instances have another address of this machine than its own processes.
            const own = request.headers.host ? `http://${request.headers.host}` : this.ownUrl();
            const headers = { ...request.headers, host: new URL(this.target).host };
            delete headers.authorization;
            const onward = http.request(
                new URL(request.url ?? "/", this.target),
                {
                    method: request.method,
                    headers,
                    agent: false,
                },
                (answer) => {
                    const location = answer.headers.location?.replace(this.target, own);
                    const headers = { ...answer.headers, ...(location && { location }) };
                    answer.once("end", resolve).once("error", reject);
                    if (!isDescription(request, answer)) {
                        response.writeHead(answer.statusCode ?? 502, headers);
                        answer.pipe(response);
                        return;
                    }
                    // `mediaLink`, by which rclone downloads.
                    void text(answer).then((body) => {
                        const told = Buffer.from(body.replaceAll(this.target, own));
                        delete headers["transfer-encoding"];
                        response.writeHead(answer.statusCode ?? 502, {
                            ...headers,
                            "content-length": told.length,
                        });
                        response.end(told);
                    }, reject);
                },
            );
            onward.once("error", reject);
            response.once("close", () => onward.destroy());
            request.pipe(onward);
        });
    }
}

/** Whether an answer is about objects, and not one itself. */
function isDescription(request: http.IncomingMessage, answer: http.IncomingMessage): boolean {
    const isJson = /^application\/json/.test(answer.headers["content-type"] ?? "");
    return isJson && request.method !== "HEAD" && !/[?&]alt=media/.test(request.url ?? "");
}

function objectRequest(method: string, url: URL): ObjectRequest | undefined {
    const found = /^\/(upload\/|download\/)?(?:resumable\/)?storage\/v1\/b\/([^/]+)\/o(?:\/(.+))?$/.exec(
        url.pathname,
    );
    if (!found) {
        return /^\/upload\/resumable\//.test(url.pathname)
            ? { kind: "storage.objects.insert", permission: "", bucket: "", object: "" }
            : undefined;
    }
    const [, prefix, bucket = "", path = ""] = found;
    const named = decodeURIComponent(path.replace(/\/(rewriteTo|copyTo|compose)(\/.*)?$/, ""));
    const request = (what: string, permission: string, object = named) => ({
        kind: `storage.objects.${what}`,
        permission: `storage.objects.${permission}`,
        bucket,
        object,
    });
    if (prefix === "upload/") {
        return url.searchParams.has("upload_id")
            ? { ...request("insert", "create", ""), permission: "" }
            : request("insert", "create", url.searchParams.get("name") ?? "");
    }
    if (method === "GET" || method === "HEAD") {
        return path === ""
            ? { ...request("list", "list", ""), listPrefix: url.searchParams.get("prefix") ?? "" }
            : request("get", "get");
    }
    const others: Readonly<Record<string, readonly [string, string]>> = {
        DELETE: ["delete", "delete"],
        PATCH: ["patch", "update"],
        PUT: ["update", "update"],
        POST: ["copy", "create"],
    };
    const [what, permission] = others[method] ?? ["unknown", "unknown"];
    return request(what, permission);
}
