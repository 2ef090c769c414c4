import { ProviderError, type ResourceHandler } from "../../../../src/provider/handler";
import { text } from "../outputs";
import { ifFound, type GcpClient, type Json } from "./client";
import { simpleHandler } from "./simple";

/** `gcp:serviceaccount/account:Account`. */
export function accountHandler(client: GcpClient): ResourceHandler {
    return simpleHandler({
        what: "service account",
        computed: ["email", "member", "name", "uniqueId", "project"],
        inPlace: ["description", "displayName", "deletionPolicy"],
        unknown: ["createIgnoreAlreadyExists", "disabled"],
        async create(inputs) {
            const { displayName, description } = inputs;
            const accountId = text(inputs.accountId);
            if (accountId === undefined) {
                throw new ProviderError("accountId: the stand-in makes no names for service accounts");
            }
            const body = { accountId, serviceAccount: { displayName, description } };
            const made = (await client.post(
                "iam",
                `projects/${client.project(inputs)}/serviceAccounts`,
                body,
            )) as Json;
            return made.name as string;
        },
        async update(id, { displayName, description }) {
            const body = {
                serviceAccount: { displayName, description },
                updateMask: "displayName,description",
            };
            await client.request("PATCH", "iam", id, body);
        },
        async read(id) {
            const found = (await client.find("iam", id)) as Json;
            return (
                found && {
                    email: found.email,
                    member: `serviceAccount:${found.email}`,
                    name: found.name,
                    uniqueId: found.uniqueId,
                    project: found.projectId,
                }
            );
        },
        async delete(id) {
            await ifFound(client.request("DELETE", "iam", id));
        },
    });
}
