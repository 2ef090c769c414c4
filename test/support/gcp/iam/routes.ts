import { notFound, errorOf } from "../api/errors";
import type { Call, Route } from "../api/router";
import type { Policies } from "./policies";

/** The project itself: what the Resource Manager says of it. */
export function projectRoutes(project: string, projectNumber: string, policies: Policies): Route[] {
    const base = "/v1/projects/{project}";
    const check = (params: Call["params"]) => {
        if (params.project !== project && params.project !== projectNumber) {
            const message = `The caller does not have permission, or the project '${params.project}' does not exist`;
            throw errorOf(403, "forbidden", message);
        }
    };
    return [
        {
            kind: "projects.resource.get",
            method: "GET",
            path: base,
            permission: "resourcemanager.projects.get",
            run: ({ params }) => {
                check(params);
                return { projectId: project, projectNumber, name: project, lifecycleState: "ACTIVE" };
            },
        },
        {
            kind: "projects.getIamPolicy",
            method: "POST",
            path: `${base}:getIamPolicy`,
            permission: "resourcemanager.projects.getIamPolicy",
            run: ({ params, body }) => {
                check(params);
                const { options } = (body ?? {}) as { options?: { requestedPolicyVersion?: number } };
                return policies.shown("project", options?.requestedPolicyVersion);
            },
        },
        {
            kind: "projects.setIamPolicy",
            method: "POST",
            path: `${base}:setIamPolicy`,
            permission: "resourcemanager.projects.setIamPolicy",
            run: (call) => {
                check(call.params);
                return policies.setBy("project", call);
            },
        },
    ];
}

/** Artifact Registry's repositories, as far as they have a policy. */
export class Repositories {
    private readonly names = new Set<string>();

    constructor(
        private readonly project: string,
        private readonly policies: Policies,
    ) {}

    add(location: string, repository: string): string {
        const name = `projects/${this.project}/locations/${location}/repositories/${repository}`;
        this.names.add(name);
        return name;
    }

    routes(): Route[] {
        const all = "/v1/projects/{project}/locations/{location}/repositories";
        const one = `${all}/{repository}`;
        const name = ({ project, location, repository }: Call["params"]) => {
            const found = `projects/${project}/locations/${location}/repositories/${repository}`;
            if (!this.names.has(found)) {
                throw notFound(found);
            }
            return found;
        };
        const route = (
            kind: string,
            method: string,
            path: string,
            permission: string,
            run: Route["run"],
            query: string[] = [],
        ): Route => ({
            kind: `repositories.${kind}`,
            method,
            path,
            permission: `artifactregistry.repositories.${permission}`,
            query,
            run,
        });
        return [
            route(
                "create",
                "POST",
                all,
                "create",
                ({ params, query }) => {
                    const made = this.add(params.location ?? "", query.get("repositoryId") ?? "");
                    return { name: `${made}/operations/1`, done: true, response: { name: made } };
                },
                ["repositoryId"],
            ),
            route("get", "GET", one, "get", ({ params }) => ({ name: name(params), format: "DOCKER" })),
            route(
                "getIamPolicy",
                "GET",
                `${one}:getIamPolicy`,
                "getIamPolicy",
                ({ params }) => this.policies.get(name(params)),
                ["options.requestedPolicyVersion"],
            ),
            route("setIamPolicy", "POST", `${one}:setIamPolicy`, "setIamPolicy", (call) =>
                this.policies.setBy(name(call.params), call),
            ),
        ];
    }
}
