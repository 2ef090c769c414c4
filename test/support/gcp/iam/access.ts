import type { Principal } from "../api/router";
import { conditionedBy } from "./conditions";
import { CustomRoles } from "./customRoles";
import { Policies } from "./policies";
import { ROLES } from "./roles";
import { ServiceAccounts } from "./serviceAccounts";

/** Who there is in a project, and what each may do. */
export class Access {
    readonly roles: CustomRoles;
    readonly policies: Policies;
    readonly accounts: ServiceAccounts;

    constructor(
        project: string,
        private readonly projectNumber: string,
        /** The token of the user who may do everything. */
        private readonly token: string,
        /** The permissions that methods ask for. */
        asked: () => ReadonlySet<string>,
    ) {
        const given = new Set(Object.values(ROLES).flat());
        this.roles = new CustomRoles(
            project,
            (permission) => given.has(permission) || asked().has(permission),
        );
        this.policies = new Policies((member) => this.memberExists(member), this.roles);
        this.accounts = new ServiceAccounts(project, projectNumber, this.policies);
    }

    principalOf(token: string): Principal | undefined {
        return token === this.token ? { kind: "user" } : this.accounts.principalOf(token);
    }

    may(principal: Principal, permission: string, resource: string): boolean {
        return principal.kind === "user" || this.allows(principal.email, permission, resource);
    }

    /** Whether a service account may do it with the resource of a path. */
    allows(email: string, permission: string, resource: string): boolean {
        const conditioned = conditionedBy(resource, this.projectNumber);
        return this.policies.allows(
            `serviceAccount:${email}`,
            permission,
            ancestorsOf(resource),
            conditioned,
        );
    }

    private memberExists(member: string): boolean {
        const [type, name = ""] = member.split(":");
        return type === "serviceAccount"
            ? this.accounts.exists(name)
            : /^(user|group|domain)$/.test(type ?? "");
    }
}

// A policy of a resource counts for all below it, that of the project for everything.
function ancestorsOf(resource: string): string[] {
    const parts = resource.split("/");
    return ["project", ...parts.map((_, index) => parts.slice(0, index + 1).join("/"))];
}
