import { createHash } from "node:crypto";
import { ApiError, badRequest } from "../api/errors";
import type { Call } from "../api/router";
import { holds, type Conditioned } from "./conditions";
import { ROLES } from "./roles";

export interface Binding {
    readonly role: string;
    readonly members: readonly string[];
    readonly condition?: {
        readonly title: string;
        readonly expression: string;
        readonly description?: string;
    };
}

export interface Policy {
    readonly version: number;
    readonly etag: string;
    readonly bindings: readonly Binding[];
}

/** Everybody who has a token. */
const EVERYBODY = "allAuthenticatedUsers";

/** Who may do what with what: a policy for each resource, by its path (`projects/p`, `b/<bucket>`, `projects/p/secrets/s`). */
export class Policies {
    private readonly bindings = new Map<string, readonly Binding[]>();

    constructor(
        private readonly memberExists: (member: string) => boolean,
        private readonly customRoles?: RoleSource,
    ) {}

    get(resource: string): Policy {
        const bindings = this.bindings.get(resource) ?? [];
        return {
            version: bindings.some(({ condition }) => condition) ? 3 : 1,
            etag: etagOf(bindings),
            bindings,
        };
    }

    /** Refuses a policy that was made from another one than there is now: someone else has changed it. */
    set(resource: string, policy: Partial<Policy> | undefined): Policy {
        if (policy?.etag !== undefined && policy.etag !== this.get(resource).etag) {
            throw new ApiError(
                409,
                "aborted",
                "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.",
            );
        }
        const bindings = (policy?.bindings ?? []).filter(({ members }) => members.length > 0);
        const before = new Set(this.get(resource).bindings.map(({ role }) => role));
        bindings.forEach((binding) => this.check(binding, policy?.version ?? 1, before));
        if (bindings.length === 0) {
            this.bindings.delete(resource);
        } else {
            this.bindings.set(resource, bindings);
        }
        return this.get(resource);
    }

    /** As it is shown to who does not ask for version 3: conditions are left out, and the names of their roles are changed. */
    shown(resource: string, requestedVersion = 1): Policy {
        const policy = this.get(resource);
        const bindings = policy.bindings.map(({ role, members, condition }) =>
            condition ? { role: `${role}_withcond_${etagOf([]).slice(0, 10)}`, members } : { role, members },
        );
        return requestedVersion >= 3 ? policy : { ...policy, version: 1, bindings };
    }

    /** For the body of `:setIamPolicy`. */
    setBy(resource: string, { body }: Call): Policy {
        return this.set(resource, (body as { policy?: Policy } | undefined)?.policy);
    }

    forget(resource: string): void {
        this.bindings.delete(resource);
    }

    /** Whether a member has a permission on one of the resources; conditions look at `request`. */
    allows(member: string, permission: string, resources: readonly string[], request: Conditioned): boolean {
        return resources
            .flatMap((resource) => this.get(resource).bindings)
            .some(
                ({ role, members, condition }) =>
                    (members.includes(member) || members.includes(EVERYBODY)) &&
                    (ROLES[role] ?? this.customRoles?.permissionsOf(role) ?? []).includes(permission) &&
                    (condition === undefined || holds(condition.expression, request)),
            );
    }

    /** The resources that have a policy, and each one's bindings. */
    get all(): Readonly<Record<string, readonly Binding[]>> {
        return Object.fromEntries(this.bindings);
    }

    private check({ role, members, condition }: Binding, version: number, before: ReadonlySet<string>): void {
        this.checkRole(role, before);
        const stranger = members.find((member) => member !== EVERYBODY && !this.memberExists(member));
        if (stranger !== undefined) {
            throw badRequest(
                stranger.startsWith("serviceAccount:")
                    ? `Service account ${stranger.slice("serviceAccount:".length)} does not exist.`
                    : `The member ${stranger} is of an unknown type.`,
            );
        }
        if (condition && version < 3) {
            throw badRequest("A policy with a condition must have the version 3.");
        }
        if (condition) {
            holds(condition.expression, { name: "" });
        }
    }

    // A binding of a role that was deleted since may stay where it is, without effect.
    private checkRole(role: string, before: ReadonlySet<string>): void {
        if (/^projects\//.test(role)) {
            if (!this.customRoles?.bindable(role) && !before.has(role)) {
                throw badRequest(`Role (${role}) does not exist in the resource's hierarchy.`);
            }
        } else if (!Object.hasOwn(ROLES, role)) {
            throw badRequest(`Role ${role} is not supported for this resource.`);
        }
    }
}

/** Roles beside those that everybody has. */
interface RoleSource {
    permissionsOf(role: string): readonly string[] | undefined;
    bindable(role: string): boolean;
}

function etagOf(bindings: readonly Binding[]): string {
    return createHash("sha256").update(JSON.stringify(bindings)).digest("base64").slice(0, 16);
}
