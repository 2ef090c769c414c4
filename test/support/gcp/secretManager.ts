import { alreadyExists, ApiError, badRequest, errorOf } from "./api/errors";
import type { Call, Route } from "./api/router";
import { newFingerprint } from "./compute/links";
import type { Policies } from "./iam/policies";

interface Secret {
    readonly name: string;
    readonly createTime: string;
    readonly replication: object;
    readonly etag: string;
    labels?: Readonly<Record<string, string>>;
    readonly versions: Version[];
}

interface Version {
    readonly name: string;
    readonly createTime: string;
    state: "ENABLED" | "DISABLED" | "DESTROYED";
    readonly data: string;
}

const FIELDS = new Set([
    "replication",
    "labels",
    "annotations",
    "topics",
    "expireTime",
    "ttl",
    "rotation",
    "versionAliases",
    "versionDestroyTtl",
]);
const MAX_BYTES = 64 * 1024;

/** Secret Manager's REST API, version 1. */
export class SecretManager {
    private readonly secrets = new Map<string, Secret>();

    constructor(
        private readonly project: string,
        private readonly policies: Policies,
    ) {}

    /** The names of all secrets. */
    get names(): string[] {
        return [...this.secrets.keys()].sort();
    }

    routes(): Route[] {
        const all = "/v1/projects/{project}/secrets";
        const one = `${all}/{secret}`;
        const version = `${one}/versions/{version}`;
        const route = (
            kind: string,
            method: string,
            path: string,
            permission: string,
            run: Route["run"],
            query: string[] = [],
        ): Route => ({
            kind,
            method,
            path,
            permission: `secretmanager.${permission}`,
            query,
            run,
        });
        const state = (kind: string, next: Version["state"]) =>
            route(
                `secrets.versions.${kind}`,
                "POST",
                `${version}:${kind}`,
                `versions.${kind}`,
                ({ params }) => {
                    const found = this.version(params);
                    found.state = next;
                    return shown(found);
                },
            );
        return [
            route("secrets.create", "POST", all, "secrets.create", (call) => this.create(call), ["secretId"]),
            route(
                "secrets.list",
                "GET",
                all,
                "secrets.list",
                () => ({
                    secrets: [...this.secrets.values()].map(shownSecret),
                    totalSize: this.secrets.size,
                }),
                ["filter", "pageSize", "pageToken"],
            ),
            route("secrets.get", "GET", one, "secrets.get", ({ params }) => shownSecret(this.secret(params))),
            route("secrets.patch", "PATCH", one, "secrets.update", (call) => this.patch(call), [
                "updateMask",
            ]),
            route("secrets.delete", "DELETE", one, "secrets.delete", ({ params }) => this.delete(params), [
                "etag",
            ]),
            route("secrets.addVersion", "POST", `${one}:addVersion`, "versions.add", (call) =>
                this.addVersion(call),
            ),
            route(
                "secrets.getIamPolicy",
                "GET",
                `${one}:getIamPolicy`,
                "secrets.getIamPolicy",
                ({ params }) => this.policies.get(this.secret(params).name),
                ["options.requestedPolicyVersion"],
            ),
            route("secrets.setIamPolicy", "POST", `${one}:setIamPolicy`, "secrets.setIamPolicy", (call) =>
                this.policies.setBy(this.secret(call.params).name, call),
            ),
            route(
                "secrets.versions.list",
                "GET",
                `${one}/versions`,
                "versions.list",
                ({ params }) => ({ versions: this.secret(params).versions.map(shown) }),
                ["filter", "pageSize", "pageToken"],
            ),
            route("secrets.versions.get", "GET", version, "versions.get", ({ params }) =>
                shown(this.version(params)),
            ),
            route("secrets.versions.access", "GET", `${version}:access`, "versions.access", ({ params }) =>
                this.access(params),
            ),
            state("enable", "ENABLED"),
            state("disable", "DISABLED"),
            state("destroy", "DESTROYED"),
        ];
    }

    private create({ query, body }: Call): object {
        const id = query.get("secretId") ?? "";
        const given = (body ?? {}) as { replication?: object; labels?: Record<string, string> };
        if (!/^[A-Za-z0-9_-]{1,255}$/.test(id)) {
            throw badRequest(
                `The provided Secret ID [${id}] does not match the expected format [[a-zA-Z_0-9]+]`,
            );
        }
        const unknown = Object.keys(given).find((name) => !FIELDS.has(name));
        if (unknown !== undefined) {
            throw badRequest(
                `Invalid JSON payload received. Unknown name "${unknown}" at 'secret': Cannot find field.`,
            );
        }
        if (!given.replication || Object.keys(given.replication).length !== 1) {
            throw badRequest("Secret.replication must be provided.");
        }
        if (this.secrets.has(id)) {
            throw alreadyExists(`projects/${this.project}/secrets/${id}`);
        }
        const name = `projects/${this.project}/secrets/${id}`;
        const secret: Secret = {
            ...given,
            name,
            replication: given.replication,
            createTime: new Date().toISOString(),
            etag: newFingerprint(),
            versions: [],
        };
        this.secrets.set(id, secret);
        return shownSecret(secret);
    }

    private patch({ params, query, body }: Call): object {
        const secret = this.secret(params);
        if (query.get("updateMask")?.split(",").includes("labels")) {
            secret.labels = (body as { labels?: Record<string, string> }).labels;
        }
        return shownSecret(secret);
    }

    private delete(params: Call["params"]): void {
        this.policies.forget(this.secret(params).name);
        this.secrets.delete(params.secret ?? "");
    }

    private addVersion({ params, body }: Call): object {
        const { name, versions } = this.secret(params);
        const data = (body as { payload?: { data?: string } } | undefined)?.payload?.data;
        if (typeof data !== "string" || Buffer.byteLength(data, "base64") > MAX_BYTES) {
            throw badRequest(`a version's payload has 1 to ${MAX_BYTES} bytes, in base64`);
        }
        const version: Version = {
            name: `${name}/versions/${versions.length + 1}`,
            createTime: new Date().toISOString(),
            state: "ENABLED",
            data,
        };
        versions.push(version);
        return shown(version);
    }

    private access(params: Call["params"]): object {
        const version = this.version(params);
        if (version.state !== "ENABLED") {
            throw new ApiError(
                400,
                "failedPrecondition",
                `Secret Version [${version.name}] is in ${version.state} state.`,
            );
        }
        return { name: version.name, payload: { data: version.data } };
    }

    private secret({ secret = "" }: Call["params"]): Secret {
        const found = this.secrets.get(secret);
        if (!found) {
            throw errorOf(404, "notFound", `Secret [projects/${this.project}/secrets/${secret}] not found.`);
        }
        return found;
    }

    private version(params: Call["params"]): Version {
        const { name, versions } = this.secret(params);
        const wanted = params.version === "latest" ? versions.at(-1) : versions[Number(params.version) - 1];
        if (!wanted) {
            throw errorOf(404, "notFound", `Secret Version [${name}/versions/${params.version}] not found.`);
        }
        return wanted;
    }
}

function shownSecret({ versions: _, ...secret }: Secret): object {
    return secret;
}

function shown({ data: _, ...version }: Version): object {
    return version;
}
