import type { ResourceHandler } from "../../../../src/provider/handler";
import type { Properties } from "../../../../src/provider/values";
import { text } from "../outputs";
import { ifFound, type GcpClient, type Json } from "./client";
import { simpleHandler } from "./simple";

const IN_PLACE = [
    "labels",
    "lifecycleRules",
    "versioning",
    "forceDestroy",
    "publicAccessPrevention",
    "uniformBucketLevelAccess",
    "softDeletePolicy",
    "storageClass",
    "deletionPolicy",
];

/** `gcp:storage/bucket:Bucket`. One with objects in it is deleted with `forceDestroy` only. */
export function bucketHandler(client: GcpClient): ResourceHandler {
    return simpleHandler({
        what: "bucket",
        computed: ["effectiveLabels", "name", "project", "projectNumber", "selfLink", "timeCreated", "url"],
        inPlace: IN_PLACE,
        unknown: [
            "autoclass",
            "cors",
            "customPlacementConfig",
            "defaultEventBasedHold",
            "enableObjectRetention",
            "encryption",
            "hierarchicalNamespace",
            "ipFilter",
            "logging",
            "requesterPays",
            "retentionPolicy",
            "rpo",
            "website",
        ],
        async create(inputs, autoName) {
            const name = text(inputs.name) ?? autoName;
            const body = { name, location: text(inputs.location), ...bodyOf(client, inputs) };
            await client.post("storage", `b?project=${client.project(inputs)}`, body);
            return name;
        },
        async update(id, inputs) {
            await client.request("PATCH", "storage", `b/${id}`, bodyOf(client, inputs));
        },
        async read(id, inputs) {
            const found = (await client.find("storage", `b/${id}`)) as Json;
            return (
                found && {
                    effectiveLabels: found.labels ?? {},
                    location: found.location,
                    name: found.name,
                    project: client.project(inputs),
                    projectNumber: Number(found.projectNumber),
                    selfLink: found.selfLink,
                    timeCreated: found.timeCreated,
                    url: `gs://${found.name}`,
                }
            );
        },
        async delete(id, { forceDestroy }) {
            if (forceDestroy === true) {
                await empty(client, id);
            }
            await ifFound(client.request("DELETE", "storage", `b/${id}`));
        },
    });
}

function bodyOf(client: GcpClient, inputs: Properties): object {
    const given = inputs as Json;
    return {
        labels: client.labels(given.labels as Properties),
        storageClass: given.storageClass ?? "STANDARD",
        ...(given.lifecycleRules && { lifecycle: { rule: given.lifecycleRules.map(ruleOf) } }),
        ...(given.versioning && { versioning: given.versioning }),
        ...(given.softDeletePolicy && { softDeletePolicy: given.softDeletePolicy }),
        iamConfiguration: {
            uniformBucketLevelAccess: { enabled: given.uniformBucketLevelAccess ?? false },
            publicAccessPrevention: given.publicAccessPrevention ?? "inherited",
        },
    };
}

// The API's names where the provider has others.
function ruleOf({ action, condition }: Json): object {
    const { matchesPrefixes, matchesSuffixes, matchesStorageClasses, ...rest } = condition;
    return {
        action,
        condition: {
            ...rest,
            ...(matchesPrefixes && { matchesPrefix: matchesPrefixes }),
            ...(matchesSuffixes && { matchesSuffix: matchesSuffixes }),
            ...(matchesStorageClasses && { matchesStorageClass: matchesStorageClasses }),
        },
    };
}

async function empty(client: GcpClient, bucket: string): Promise<void> {
    for (;;) {
        const { items = [] } = (await client.get("storage", `b/${bucket}/o`)) as {
            items?: { name: string }[];
        };
        if (items.length === 0) {
            return;
        }
        for (const { name } of items) {
            await ifFound(client.request("DELETE", "storage", `b/${bucket}/o/${encodeURIComponent(name)}`));
        }
    }
}
