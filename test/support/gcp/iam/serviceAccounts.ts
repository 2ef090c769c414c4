import { randomBytes } from "node:crypto";
import { alreadyExists, badRequest, errorOf } from "../api/errors";
import type { Principal, Route } from "../api/router";
import { newId } from "../compute/links";
import type { Policies } from "./policies";

interface ServiceAccount {
    readonly name: string;
    readonly email: string;
    readonly projectId: string;
    readonly uniqueId: string;
    readonly displayName?: string;
    readonly description?: string;
    readonly disabled: boolean;
}

const TOKEN_SECONDS = 3599;

/** The service accounts of the project, and the tokens that metadata servers hand out for them. */
export class ServiceAccounts {
    private readonly accounts = new Map<string, ServiceAccount>();
    private readonly tokens = new Map<string, { email: string; until: number }>();

    constructor(
        private readonly project: string,
        projectNumber: string,
        private readonly policies: Policies,
    ) {
        this.builtIn = `${projectNumber}-compute@developer.gserviceaccount.com`;
    }

    /** The one that each project has. */
    readonly builtIn: string;

    exists(email: string): boolean {
        return email === "default" || email === this.builtIn || this.accounts.has(email);
    }

    /** What a program has made. */
    get emails(): string[] {
        return [...this.accounts.keys()].sort();
    }

    token(email: string): { access_token: string; expires_in: number } {
        const access_token = `ya29.${randomBytes(24).toString("base64url")}`;
        this.tokens.set(access_token, { email, until: Date.now() + TOKEN_SECONDS * 1000 });
        return { access_token, expires_in: TOKEN_SECONDS };
    }

    principalOf(token: string): Principal | undefined {
        const found = this.tokens.get(token);
        const valid = found !== undefined && found.until > Date.now() && this.exists(found.email);
        return valid ? { kind: "serviceAccount", email: found.email } : undefined;
    }

    /** All that are out there are void: as after an hour. */
    expireTokens(): void {
        this.tokens.clear();
    }

    routes(): Route[] {
        const base = "/v1/projects/{project}/serviceAccounts";
        const one = `${base}/{email}`;
        return [
            {
                kind: "serviceAccounts.create",
                method: "POST",
                path: base,
                permission: "iam.serviceAccounts.create",
                run: ({ body }) => this.create(body as CreateBody),
            },
            {
                kind: "serviceAccounts.list",
                method: "GET",
                path: base,
                permission: "iam.serviceAccounts.list",
                query: ["pageSize", "pageToken"],
                run: () => ({ accounts: [...this.accounts.values()] }),
            },
            {
                kind: "serviceAccounts.get",
                method: "GET",
                path: one,
                permission: "iam.serviceAccounts.get",
                run: ({ params }) => this.find(params.email),
            },
            {
                kind: "serviceAccounts.patch",
                method: "PATCH",
                path: one,
                permission: "iam.serviceAccounts.update",
                run: ({ params, body }) => this.patch(this.find(params.email), body as PatchBody),
            },
            {
                kind: "serviceAccounts.delete",
                method: "DELETE",
                path: one,
                permission: "iam.serviceAccounts.delete",
                run: ({ params }) => {
                    const { email, name } = this.find(params.email);
                    this.accounts.delete(email);
                    this.policies.forget(name);
                },
            },
            {
                kind: "serviceAccounts.getIamPolicy",
                method: "POST",
                path: `${one}:getIamPolicy`,
                permission: "iam.serviceAccounts.getIamPolicy",
                query: ["options.requestedPolicyVersion"],
                run: ({ params }) => this.policies.get(this.find(params.email).name),
            },
            {
                kind: "serviceAccounts.setIamPolicy",
                method: "POST",
                path: `${one}:setIamPolicy`,
                permission: "iam.serviceAccounts.setIamPolicy",
                run: (call) => this.policies.setBy(this.find(call.params.email).name, call),
            },
        ];
    }

    private create({ accountId = "", serviceAccount = {} }: CreateBody): ServiceAccount {
        if (!/^[a-z]([-a-z0-9]{4,28}[a-z0-9])$/.test(accountId)) {
            throw badRequest(
                `Invalid service account ID ${JSON.stringify(accountId)}: 6 to 30 characters, [a-z]([-a-z0-9]*[a-z0-9])`,
            );
        }
        const email = `${accountId}@${this.project}.iam.gserviceaccount.com`;
        const name = `projects/${this.project}/serviceAccounts/${email}`;
        if (this.accounts.has(email)) {
            throw alreadyExists(name);
        }
        const { displayName, description } = serviceAccount;
        const account = {
            name,
            email,
            projectId: this.project,
            uniqueId: newId(),
            displayName,
            description,
            disabled: false,
        };
        this.accounts.set(email, account);
        return account;
    }

    private patch(account: ServiceAccount, { serviceAccount, updateMask = "" }: PatchBody): ServiceAccount {
        const fields = updateMask
            .split(",")
            .filter((name) => name === "displayName" || name === "description");
        const news = Object.fromEntries(
            fields.map((name) => [name, serviceAccount?.[name as "displayName"]]),
        );
        const changed = { ...account, ...news };
        this.accounts.set(account.email, changed);
        return changed;
    }

    private find(key = ""): ServiceAccount {
        const found = [...this.accounts.values()].find(
            ({ email, uniqueId }) => key === email || key === uniqueId,
        );
        if (!found) {
            throw errorOf(404, "notFound", `Unknown service account ${key}`);
        }
        return found;
    }
}

interface CreateBody {
    readonly accountId?: string;
    readonly serviceAccount?: { readonly displayName?: string; readonly description?: string };
}

interface PatchBody {
    readonly serviceAccount?: { readonly displayName?: string; readonly description?: string };
    readonly updateMask?: string;
}
