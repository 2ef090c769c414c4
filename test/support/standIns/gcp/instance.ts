import { ProviderError, type ResourceHandler } from "../../../../src/provider/handler";
import { deepEqual, type Properties } from "../../../../src/provider/values";
import { autoName, changedProperties, outputsOf, previewOutputs, text } from "../outputs";
import { doing, ifFound, type GcpClient, type Json } from "./client";
import {
    instanceBody,
    metadataItems,
    schedulingBody,
    serviceAccountBody,
    unknownInputs,
} from "./instanceBody";

const COMPUTED = [
    "cpuPlatform",
    "creationTimestamp",
    "currentStatus",
    "instanceId",
    "labelFingerprint",
    "metadataFingerprint",
    "name",
    "project",
    "selfLink",
    "tagsFingerprint",
    "zone",
];
const IN_PLACE = new Set([
    "allowStoppingForUpdate",
    "deletionPolicy",
    "deletionProtection",
    "desiredStatus",
    "labels",
    "machineType",
    "metadata",
    "resourcePolicies",
    "scheduling",
    "serviceAccount",
    "tags",
]);
/** Parts of `scheduling` whose change makes another instance. */
const FIXED_SCHEDULING = ["preemptible", "provisioningModel", "maxRunDuration"];
const NEEDS_STOP = new Set(["machineType", "serviceAccount", "scheduling"]);

/** `gcp:compute/instance:Instance`. An instance that has stopped is no change, unless `desiredStatus` says what it should be. */
export function instanceHandler(client: GcpClient): ResourceHandler {
    return {
        check: ({ inputs }) => unknownInputs(inputs.value),
        diff({ oldInputs, oldOutputs, inputs }) {
            const changes = changedProperties(oldInputs, inputs);
            const wanted = text(inputs.desiredStatus);
            if (wanted && !changes.includes("desiredStatus") && wanted !== text(oldOutputs.currentStatus)) {
                changes.push("desiredStatus");
            }
            const fixed = FIXED_SCHEDULING.some(
                (name) =>
                    !deepEqual((oldInputs.scheduling as Json)?.[name], (inputs.scheduling as Json)?.[name]),
            );
            return Promise.resolve({
                changes,
                replace: fixed || changes.some((name) => !IN_PLACE.has(name)),
            });
        },
        async create({ urn, inputs, preview }) {
            if (preview) {
                return { id: "", outputs: previewOutputs(inputs, COMPUTED) };
            }
            const { value } = inputs;
            const name = text(value.name) ?? autoName(urn);
            const zone = `projects/${client.project(value)}/zones/${client.zone(value)}`;
            const id = `${zone}/instances/${name}`;
            await doing("creating instance", insert(client, value, name, `${zone}/instances`));
            if (value.desiredStatus === "TERMINATED") {
                await doing("stopping instance", client.operate("POST", `${id}/stop`, "instance to stop"));
            }
            return { id, outputs: outputsOf(inputs, await state(client, id)) };
        },
        async update({ id, inputs, oldInputs, oldOutputs, preview }) {
            if (!preview) {
                await doing("updating instance", update(client, id, oldInputs, oldOutputs, inputs.value));
            }
            const computed = preview ? computedOf(oldOutputs) : await state(client, id);
            return { outputs: outputsOf(inputs, computed) };
        },
        async read({ id, inputs }) {
            const found = (await client.find("compute", id)) as Json;
            return found && { outputs: outputsOf(inputs, computed(found)) };
        },
        async delete({ id, oldInputs }) {
            if (oldInputs.value.deletionProtection === true) {
                throw new ProviderError(
                    'Cannot delete instance: instance Deletion Protection is enabled. Set deletion_protection to false for this resource and run "terraform apply" before attempting to delete it.',
                );
            }
            await doing("deleting instance", ifFound(client.operate("DELETE", id, "instance to delete")));
        },
    };
}

async function insert(client: GcpClient, inputs: Properties, name: string, path: string): Promise<void> {
    await client.operate("POST", path, "instance to create", await instanceBody(client, inputs, name));
}

async function update(
    client: GcpClient,
    id: string,
    olds: Properties,
    oldOutputs: Properties,
    news: Properties,
): Promise<void> {
    const changed = changedProperties(olds, news);
    const current = (await client.get("compute", id)) as Json;
    const stopped = changed.some((name) => NEEDS_STOP.has(name));
    if (stopped && current.status !== "TERMINATED") {
        if (news.allowStoppingForUpdate !== true) {
            throw new Error(
                "Changing the machine_type, min_cpu_platform, service_account or scheduling on a started instance requires stopping it. To acknowledge this, please set allow_stopping_for_update = true in your config.",
            );
        }
        await client.operate("POST", `${id}/stop`, "instance to stop");
    }
    for (const name of changed) {
        await change(client, id, name, news, current);
    }
    const wanted = text(news.desiredStatus) ?? (stopped ? text(oldOutputs.currentStatus) : undefined);
    const { status } = (await client.get("compute", id)) as Json;
    if (wanted === "RUNNING" && status !== "RUNNING") {
        await client.operate("POST", `${id}/start`, "instance to start");
    } else if (wanted === "TERMINATED" && status !== "TERMINATED") {
        await client.operate("POST", `${id}/stop`, "instance to stop");
    }
}

async function change(
    client: GcpClient,
    id: string,
    name: string,
    news: Properties,
    current: Json,
): Promise<void> {
    const given = news as Json;
    const bodies: Readonly<Record<string, () => [string, object]>> = {
        metadata: () => [
            "setMetadata",
            { fingerprint: current.metadata.fingerprint, items: metadataItems(news) },
        ],
        labels: () => [
            "setLabels",
            { labelFingerprint: current.labelFingerprint, labels: client.labels(given.labels as Properties) },
        ],
        tags: () => ["setTags", { fingerprint: current.tags.fingerprint, items: given.tags ?? [] }],
        machineType: () => [
            "setMachineType",
            { machineType: `zones/${client.zone(news)}/machineTypes/${given.machineType}` },
        ],
        serviceAccount: () => [
            "setServiceAccount",
            given.serviceAccount ? serviceAccountBody(given.serviceAccount) : {},
        ],
        scheduling: () => ["setScheduling", schedulingBody(news.scheduling)],
        deletionProtection: () => [
            `setDeletionProtection?deletionProtection=${given.deletionProtection === true}`,
            {},
        ],
    };
    const call = bodies[name]?.();
    if (call) {
        await client.operate("POST", `${id}/${call[0]}`, `${name} to update`, call[1]);
    }
}

async function state(client: GcpClient, id: string): Promise<Record<string, unknown>> {
    return computed((await client.get("compute", `${id}?view=FULL`)) as Json);
}

function computed(found: Json): Record<string, unknown> {
    return {
        cpuPlatform: found.cpuPlatform,
        creationTimestamp: found.creationTimestamp,
        currentStatus: found.status,
        effectiveLabels: found.labels ?? {},
        instanceId: found.id,
        labelFingerprint: found.labelFingerprint,
        metadataFingerprint: found.metadata.fingerprint,
        name: found.name,
        networkInterfaces: found.networkInterfaces.map((one: Json) => ({
            name: one.name,
            network: one.network,
            networkIp: one.networkIP,
            subnetwork: one.subnetwork,
            accessConfigs: (one.accessConfigs ?? []).map(({ natIP, networkTier }: Json) => ({
                natIp: natIP,
                networkTier,
            })),
        })),
        project: /projects\/([^/]+)\//.exec(found.selfLink as string)?.[1],
        selfLink: found.selfLink,
        tagsFingerprint: found.tags.fingerprint,
        zone: String(found.zone).split("/").pop(),
    };
}

function computedOf(outputs: Properties): Record<string, unknown> {
    return Object.fromEntries(
        [...COMPUTED, "effectiveLabels", "networkInterfaces"].map((name) => [name, outputs[name]]),
    );
}
