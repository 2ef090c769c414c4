import { ApiError, badRequest, errorOf } from "../api/errors";
import type { Call, Route } from "../api/router";

/** A role of the project's own, as the API shows it. */
export interface CustomRole {
    readonly name: string;
    readonly title: string;
    readonly description?: string;
    readonly stage: string;
    readonly includedPermissions: readonly string[];
    /** For a week it can be had back; and longer, its id is taken. */
    readonly deleted?: boolean;
}

type RoleBody = Partial<Omit<CustomRole, "name" | "deleted">>;

const STAGES = ["ALPHA", "BETA", "GA", "DEPRECATED", "DISABLED", "EAP"];
const FIELDS = ["title", "description", "stage", "includedPermissions", "etag", "name"];

/** The custom roles of the project. */
export class CustomRoles {
    private readonly roles = new Map<string, CustomRole>();

    constructor(
        private readonly project: string,
        /** Whether there is such a permission. */
        private readonly known: (permission: string) => boolean,
    ) {}

    /** `undefined` for a role that is not there. One that is deleted, or disabled, gives nothing. */
    permissionsOf(name: string): readonly string[] | undefined {
        const role = this.roles.get(name);
        return role && (role.deleted || role.stage === "DISABLED" ? [] : role.includedPermissions);
    }

    /** Whether a policy may get a binding of it. */
    bindable(name: string): boolean {
        return this.roles.has(name) && !this.roles.get(name)?.deleted;
    }

    /** Ids of those that are not deleted. */
    get names(): string[] {
        return [...this.roles.values()]
            .filter(({ deleted }) => !deleted)
            .map(({ name }) => name.slice(name.lastIndexOf("/") + 1))
            .sort();
    }

    routes(): Route[] {
        const all = "/v1/projects/{project}/roles";
        const one = `${all}/{role}`;
        const find = ({ params }: Call) => this.find(`projects/${params.project}/roles/${params.role}`);
        const route = (
            kind: string,
            method: string,
            path: string,
            run: Route["run"],
            query?: string[],
        ): Route => ({
            kind: `projects.roles.${kind}`,
            method,
            path,
            permission: `iam.roles.${kind === "patch" ? "update" : kind}`,
            query,
            run,
        });
        return [
            route("create", "POST", all, ({ body }) => this.create(body)),
            route(
                "list",
                "GET",
                all,
                ({ query }) => ({ roles: this.list(query.get("showDeleted") === "true") }),
                ["pageSize", "pageToken", "showDeleted", "view"],
            ),
            route("get", "GET", one, find),
            route(
                "patch",
                "PATCH",
                one,
                (call) => this.patch(find(call), call.body as RoleBody, call.query.get("updateMask")),
                ["updateMask"],
            ),
            route("delete", "DELETE", one, (call) => this.delete(find(call)), ["etag"]),
            route("undelete", "POST", `${one}:undelete`, (call) => this.undelete(find(call))),
        ];
    }

    private create({ roleId = "", role = {} }: { roleId?: string; role?: RoleBody }): CustomRole {
        const name = `projects/${this.project}/roles/${roleId}`;
        if (!/^[a-zA-Z0-9_.]{3,64}$/.test(roleId)) {
            throw badRequest(
                `The role_id ${JSON.stringify(roleId)} is invalid: 3 to 64 characters of [a-zA-Z0-9_.]`,
            );
        }
        if (this.roles.get(name)?.deleted) {
            throw marked("create", roleId);
        }
        if (this.roles.has(name)) {
            throw errorOf(
                409,
                "alreadyExists",
                `A role named ${roleId} in projects/${this.project} already exists.`,
            );
        }
        return this.put({ ...this.checked(role), name });
    }

    private patch(role: CustomRole, body: RoleBody, mask: string | null): CustomRole {
        if (role.deleted) {
            throw marked("update", role.name);
        }
        const given = this.checked(body);
        const fields = mask === null ? Object.keys(body) : mask.split(",");
        const news = Object.fromEntries(fields.map((field) => [field, given[field as keyof typeof given]]));
        return this.put({ ...role, ...news, name: role.name });
    }

    private delete(role: CustomRole): CustomRole {
        if (role.deleted) {
            throw marked("delete", role.name);
        }
        return this.put({ ...role, deleted: true });
    }

    private undelete(role: CustomRole): CustomRole {
        if (!role.deleted) {
            throw new ApiError(
                400,
                "failedPrecondition",
                `You can't undelete role_id (${role.name}) which has not been marked for deletion.`,
            );
        }
        return this.put({ ...role, deleted: undefined });
    }

    private checked(body: RoleBody): Omit<CustomRole, "name"> {
        const { title = "", description, stage = "ALPHA", includedPermissions = [] } = body;
        const unknown = Object.keys(body).find((field) => !FIELDS.includes(field));
        if (unknown !== undefined) {
            throw badRequest(
                `Invalid JSON payload received. Unknown name "${unknown}" at 'role': Cannot find field.`,
            );
        }
        if (!STAGES.includes(stage) || title.length > 100 || (description ?? "").length > 300) {
            throw badRequest("Request contains an invalid argument: stage, title or description.");
        }
        const invalid = includedPermissions.find((permission) => !this.known(permission));
        if (invalid !== undefined) {
            throw badRequest(`Permission ${invalid} is not valid.`);
        }
        return { title, description, stage, includedPermissions };
    }

    private put(role: CustomRole): CustomRole {
        this.roles.set(role.name, role);
        return role;
    }

    private find(name: string): CustomRole {
        const found = this.roles.get(name);
        if (!found) {
            throw errorOf(404, "notFound", `The role named ${name} was not found.`);
        }
        return found;
    }

    private list(showDeleted: boolean): CustomRole[] {
        return [...this.roles.values()].filter(({ deleted }) => showDeleted || !deleted);
    }
}

function marked(verb: string, role: string): ApiError {
    const id = role.slice(role.lastIndexOf("/") + 1);
    return new ApiError(
        400,
        "failedPrecondition",
        `You can't ${verb} a role_id (${id}) which has been marked for deletion.`,
    );
}
