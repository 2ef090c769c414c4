import type { ResourceHandler } from "../../../../src/provider/handler";
import type { Properties } from "../../../../src/provider/values";
import { text } from "../outputs";
import { ifFound, type GcpClient, type Json } from "./client";
import { simpleHandler } from "./simple";

/** `gcp:secretmanager/secret:Secret`. */
export function secretHandler(client: GcpClient): ResourceHandler {
    return simpleHandler({
        what: "Secret",
        computed: ["createTime", "effectiveLabels", "name", "project"],
        inPlace: ["labels", "deletionPolicy", "deletionProtection"],
        unknown: [
            "annotations",
            "expireTime",
            "rotation",
            "tags",
            "topics",
            "ttl",
            "versionAliases",
            "versionDestroyTtl",
        ],
        async create(inputs, autoName) {
            const secretId = text(inputs.secretId) ?? autoName;
            const body = {
                replication: replicationOf(inputs),
                labels: client.labels(inputs.labels as Properties),
            };
            await client.post(
                "secretManager",
                `projects/${client.project(inputs)}/secrets?secretId=${secretId}`,
                body,
            );
            return `projects/${client.project(inputs)}/secrets/${secretId}`;
        },
        async update(id, inputs) {
            const labels = client.labels(inputs.labels as Properties);
            await client.request("PATCH", "secretManager", `${id}?updateMask=labels`, { labels });
        },
        async read(id, inputs) {
            const found = (await client.find("secretManager", id)) as Json;
            return (
                found && {
                    createTime: found.createTime,
                    effectiveLabels: found.labels ?? {},
                    name: found.name,
                    project: client.project(inputs),
                    secretId: id.split("/").pop(),
                }
            );
        },
        async delete(id) {
            await ifFound(client.request("DELETE", "secretManager", id));
        },
    });
}

/** `gcp:secretmanager/secretVersion:SecretVersion`. What it holds can't be changed: another one is made. */
export function secretVersionHandler(client: GcpClient): ResourceHandler {
    return simpleHandler({
        what: "SecretVersion",
        computed: ["createTime", "name", "version"],
        inPlace: ["deletionPolicy"],
        unknown: ["enabled", "secretDataWo", "secretDataWoVersion"],
        async create(inputs) {
            const plain = text(inputs.secretData) ?? "";
            const data = inputs.isSecretDataBase64 === true ? plain : Buffer.from(plain).toString("base64");
            const made = (await client.post("secretManager", `${text(inputs.secret)}:addVersion`, {
                payload: { data },
            })) as Json;
            return made.name as string;
        },
        async read(id) {
            const found = (await client.find("secretManager", id)) as Json;
            const there = found && found.state !== "DESTROYED";
            return there
                ? { createTime: found.createTime, name: found.name, version: id.split("/").pop() }
                : undefined;
        },
        async delete(id, { deletionPolicy }) {
            const verb = { DISABLE: "disable", ABANDON: "" }[text(deletionPolicy) ?? ""] ?? "destroy";
            if (verb) {
                await ifFound(client.post("secretManager", `${id}:${verb}`));
            }
        },
    });
}

function replicationOf({ replication }: Properties): object {
    const { auto, userManaged } = replication as Json;
    return userManaged ? { userManaged } : { automatic: auto ?? {} };
}
