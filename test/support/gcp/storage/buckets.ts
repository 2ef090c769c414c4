import { alreadyExists, ApiError, badRequest, errorOf } from "../api/errors";
import type { Call, Route } from "../api/router";
import { newId } from "../compute/links";
import type { Policies } from "../iam/policies";

const FIELDS = new Set([
    "name",
    "location",
    "storageClass",
    "labels",
    "lifecycle",
    "versioning",
    "iamConfiguration",
    "softDeletePolicy",
    "retentionPolicy",
    "publicAccessPrevention",
    "hierarchicalNamespace",
    "autoclass",
    "rpo",
]);
const NAME = /^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/;

type Bucket = { readonly name: string; readonly [more: string]: unknown };

/** Buckets: the server for objects keeps their names only; all else that is declared of them is kept here. */
export class Buckets {
    private readonly buckets = new Map<string, Bucket>();

    constructor(
        private readonly projectNumber: string,
        private readonly target: string,
        private readonly policies: Policies,
    ) {}

    get names(): string[] {
        return [...this.buckets.keys()].sort();
    }

    has(name: string): boolean {
        return this.buckets.has(name);
    }

    routes(): Route[] {
        const all = "/storage/v1/b";
        const one = `${all}/{bucket}`;
        const route = (
            kind: string,
            method: string,
            path: string,
            permission: string,
            query: string[],
            run: Route["run"],
        ): Route => ({
            kind: `storage.buckets.${kind}`,
            method,
            path,
            permission: `storage.buckets.${permission}`,
            query: ["projection", "userProject", ...query],
            run,
        });
        return [
            route(
                "insert",
                "POST",
                all,
                "create",
                ["project", "predefinedAcl", "predefinedDefaultObjectAcl"],
                (call) => this.insert(call),
            ),
            route("list", "GET", all, "list", ["project", "prefix", "maxResults", "pageToken"], () => ({
                kind: "storage#buckets",
                items: [...this.buckets.values()],
            })),
            route("get", "GET", one, "get", ["ifMetagenerationMatch"], ({ params }) => this.find(params)),
            ...["PATCH", "PUT"].map((method) =>
                route("patch", method, one, "update", ["ifMetagenerationMatch"], (call) => this.change(call)),
            ),
            route("delete", "DELETE", one, "delete", ["ifMetagenerationMatch"], (call) => this.delete(call)),
            route(
                "getIamPolicy",
                "GET",
                `${one}/iam`,
                "getIamPolicy",
                ["optionsRequestedPolicyVersion"],
                ({ params }) => ({
                    kind: "storage#policy",
                    ...this.policies.get(`b/${this.find(params).name}`),
                }),
            ),
            route("setIamPolicy", "PUT", `${one}/iam`, "setIamPolicy", [], ({ params, body }) => ({
                kind: "storage#policy",
                ...this.policies.set(`b/${this.find(params).name}`, body as object),
            })),
        ];
    }

    private async insert({ body }: Call): Promise<Bucket> {
        const given = (body ?? {}) as Bucket;
        const unknown = Object.keys(given).find((field) => !FIELDS.has(field));
        if (unknown !== undefined) {
            throw badRequest(`Invalid JSON payload received. Unknown name "${unknown}": Cannot find field.`);
        }
        if (!NAME.test(given.name ?? "")) {
            throw new ApiError(400, "invalid", `Invalid bucket name: '${given.name}'`);
        }
        if (this.buckets.has(given.name)) {
            throw alreadyExists(given.name);
        }
        await this.ask("POST", "/storage/v1/b?project=p", { name: given.name });
        const time = new Date().toISOString();
        const { location = "US", ...rest } = given;
        const bucket = {
            kind: "storage#bucket",
            id: given.name,
            selfLink: `https://www.googleapis.com/storage/v1/b/${given.name}`,
            projectNumber: this.projectNumber,
            storageClass: "STANDARD",
            metageneration: "1",
            generation: newId(),
            timeCreated: time,
            updated: time,
            ...rest,
            location: String(location).toUpperCase(),
            locationType: /^(us|eu|asia)$/i.test(String(location)) ? "multi-region" : "region",
        };
        this.buckets.set(given.name, bucket);
        return bucket;
    }

    private change({ params, body }: Call): Bucket {
        const bucket = this.find(params);
        const given = body as Record<string, unknown>;
        const allowed = Object.entries(given).filter(
            ([field]) => FIELDS.has(field) && field !== "name" && field !== "location",
        );
        const changed: Bucket = {
            ...bucket,
            ...Object.fromEntries(allowed),
            metageneration: String(Number(bucket.metageneration) + 1),
        };
        this.buckets.set(bucket.name, changed);
        return changed;
    }

    private async delete({ params }: Call): Promise<void> {
        const { name } = this.find(params);
        const objects = (await this.ask("GET", `/storage/v1/b/${name}/o?maxResults=1`)) as {
            items?: object[];
        };
        if ((objects.items ?? []).length > 0) {
            throw errorOf(409, "conflict", "The bucket you tried to delete is not empty.");
        }
        await this.ask("DELETE", `/storage/v1/b/${name}`);
        this.buckets.delete(name);
        this.policies.forget(`b/${name}`);
    }

    private find({ bucket = "" }: Call["params"]): Bucket {
        const found = this.buckets.get(bucket);
        if (!found) {
            throw errorOf(404, "notFound", "The specified bucket does not exist.");
        }
        return found;
    }

    private async ask(method: string, path: string, body?: object): Promise<unknown> {
        const answer = await fetch(`${this.target}${path}`, {
            method,
            ...(body && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
        });
        const text = await answer.text();
        if (!answer.ok) {
            throw errorOf(answer.status, undefined, text);
        }
        return text ? (JSON.parse(text) as unknown) : undefined;
    }
}
