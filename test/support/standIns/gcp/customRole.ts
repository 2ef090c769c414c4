import { ProviderError, type ResourceHandler } from "../../../../src/provider/handler";
import type { Properties } from "../../../../src/provider/values";
import { text } from "../outputs";
import { ifFound, type GcpClient, type Json } from "./client";
import { simpleHandler } from "./simple";

const STAGES = ["ALPHA", "BETA", "GA", "DEPRECATED", "DISABLED", "EAP"];

/** `gcp:projects/iAMCustomRole:IAMCustomRole`. One of its id that was deleted is had back, and changed. */
export function customRoleHandler(client: GcpClient): ResourceHandler {
    const handler = simpleHandler({
        what: "the custom project role",
        computed: ["deleted", "name", "project", "roleId"],
        inPlace: ["description", "permissions", "stage", "title"],
        unknown: ["deletionPolicy"],
        async create(inputs, autoName) {
            const project = `projects/${client.project(inputs)}`;
            const roleId = text(inputs.roleId) ?? autoName.replace(/[^a-zA-Z0-9]/g, "");
            const name = `${project}/roles/${roleId}`;
            const found = (await client.find("iam", name)) as Json;
            if (found && !found.deleted) {
                throw new Error(`Custom project role ${name} already exists and must be imported`);
            }
            if (found) {
                await client.post("iam", `${name}:undelete`);
                await client.request("PATCH", "iam", name, bodyOf(inputs));
            } else {
                await client.post("iam", `${project}/roles`, { roleId, role: bodyOf(inputs) });
            }
            return name;
        },
        async update(id, inputs) {
            if (((await client.get("iam", id)) as Json).deleted) {
                await client.post("iam", `${id}:undelete`);
            }
            await client.request("PATCH", "iam", id, bodyOf(inputs));
        },
        async read(id, inputs) {
            const found = (await client.find("iam", id)) as Json;
            return (
                found && {
                    deleted: found.deleted ?? false,
                    name: found.name,
                    project: client.project(inputs),
                    roleId: id.split("/").pop(),
                }
            );
        },
        async delete(id) {
            await ifFound(client.request("DELETE", "iam", id));
        },
    });
    return {
        ...handler,
        check(request) {
            const { roleId, permissions, stage } = request.inputs.value;
            const wrong = (property: string, reason: string) => ({ property, reason });
            return [
                ...handler.check(request),
                ...(typeof roleId === "string" && !/^[a-zA-Z0-9_.]{3,64}$/.test(roleId)
                    ? [wrong("roleId", "has to match ^[a-zA-Z0-9_.]{3,64}$")]
                    : []),
                ...(Array.isArray(permissions) && permissions.length === 0
                    ? [wrong("permissions", "has to have at least one")]
                    : []),
                ...(typeof stage === "string" && !STAGES.includes(stage)
                    ? [wrong("stage", `has to be one of ${STAGES.join(", ")}`)]
                    : []),
            ];
        },
    };
}

function bodyOf({ title, description, stage, permissions }: Properties): object {
    if (!Array.isArray(permissions)) {
        throw new ProviderError("permissions: required field is not set");
    }
    return { title, description: description ?? "", stage: stage ?? "GA", includedPermissions: permissions };
}
