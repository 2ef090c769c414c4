import { ProviderError, type ResourceHandler } from "../../../../src/provider/handler";
import type { Properties } from "../../../../src/provider/values";
import { autoName, changedProperties, outputsOf, previewOutputs, text } from "../outputs";
import { doing, ifFound, type GcpClient, type Json } from "./client";
import { groupBody, REGIONAL, settingsOf, ZONAL } from "./groupBody";
import { unknownTo } from "./known";

const COMPUTED = [
    "creationTimestamp",
    "fingerprint",
    "instanceGroup",
    "instanceGroupManagerId",
    "name",
    "project",
    "selfLink",
    "statuses",
    "targetSize",
];
/** Those of which a change makes another group. */
const FIXED = ["baseInstanceName", "distributionPolicyZones", "name", "project", "region", "zone"];
const PATCHED = [
    "description",
    "instanceLifecyclePolicy",
    "listManagedInstancesResults",
    "updatePolicy",
    "versions",
];
const LONGEST_WAIT_MS = 15 * 60_000;

/** `gcp:compute/instanceGroupManager:InstanceGroupManager`, and the one of a region. */
export function groupHandler(client: GcpClient, where: "zones" | "regions"): ResourceHandler {
    const regional = where === "regions";
    const place = (inputs: Properties) => (regional ? client.region(inputs) : client.zone(inputs));
    const what = regional ? "RegionInstanceGroupManager" : "InstanceGroupManager";
    const computed = [...COMPUTED, regional ? "region" : "zone"];
    return {
        check: ({ inputs }) => [
            ...unknownTo(regional ? REGIONAL : ZONAL, inputs.value),
            ...waitFailures(inputs.value),
        ],
        // A group that somebody else has resized is a change, as soon as a refresh has seen it.
        diff({ oldInputs, oldOutputs, inputs }) {
            const changes = changedProperties(oldInputs, inputs);
            const size = inputs.targetSize;
            const resized = size !== undefined && size !== null && size !== oldOutputs.targetSize;
            if (resized && !changes.includes("targetSize")) {
                changes.push("targetSize");
            }
            return Promise.resolve({ changes, replace: changes.some((name) => FIXED.includes(name)) });
        },
        async create({ urn, inputs, preview }) {
            if (preview) {
                return { id: "", outputs: previewOutputs(inputs, computed) };
            }
            const { value } = inputs;
            const name = text(value.name) ?? autoName(urn);
            const path = `projects/${client.project(value)}/${where}/${place(value)}/instanceGroupManagers`;
            const insert = client.operate(
                "POST",
                path,
                "Creating InstanceGroupManager",
                groupBody(value, name),
            );
            await doing(`creating ${what}`, insert);
            await waitForInstances(client, `${path}/${name}`, value);
            return {
                id: `${path}/${name}`,
                outputs: outputsOf(inputs, await state(client, `${path}/${name}`)),
            };
        },
        async update({ id, inputs, oldInputs, oldOutputs, preview }) {
            if (preview) {
                const known = computed.map((name) => [name, oldOutputs[name]] as const);
                return { outputs: outputsOf(inputs, { ...Object.fromEntries(known), ...inputs.value }) };
            }
            await doing(`updating ${what}`, update(client, id, oldInputs, oldOutputs, inputs.value));
            await waitForInstances(client, id, inputs.value);
            return { outputs: outputsOf(inputs, await state(client, id)) };
        },
        async read({ id, inputs }) {
            const found = (await client.find("compute", id)) as Json;
            return found && { outputs: outputsOf(inputs, computedOf(found)) };
        },
        // One of a region that is to be stable has to be so before it is deleted.
        async delete({ id, oldInputs }) {
            if (regional && (await client.find("compute", id))) {
                await waitForInstances(client, id, oldInputs.value);
            }
            await doing(`deleting ${what}`, ifFound(client.operate("DELETE", id, `Deleting ${what}`)));
        },
    };
}

async function update(
    client: GcpClient,
    id: string,
    olds: Properties,
    oldOutputs: Properties,
    news: Properties,
): Promise<void> {
    const changed = changedProperties(olds, news);
    const settings: Record<string, unknown> = { ...news, ...settingsOf(news) };
    const patch = PATCHED.filter((name) => changed.includes(name)).map((name) => [name, settings[name]]);
    if (patch.length > 0) {
        const body = { fingerprint: oldOutputs.fingerprint, ...Object.fromEntries(patch) } as object;
        await client.operate("PATCH", id, "Updating managed group instances", body);
    }
    if (typeof news.targetSize === "number" && news.targetSize !== oldOutputs.targetSize) {
        await client.operate("POST", `${id}/resize?size=${news.targetSize}`, "Updating InstanceGroupManager");
    }
}

/** `waitForInstances`: until the group is stable, however long that takes; with `UPDATED`, until all are of its version. */
async function waitForInstances(client: GcpClient, id: string, inputs: Properties): Promise<void> {
    if (inputs.waitForInstances !== true) {
        return;
    }
    const updated = inputs.waitForInstancesStatus === "UPDATED";
    for (const end = Date.now() + LONGEST_WAIT_MS; Date.now() < end;) {
        const { status } = (await client.get("compute", id)) as Json;
        if (status.isStable && (!updated || status.versionTarget.isReached)) {
            return;
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new ProviderError(
        "timeout while waiting for state to become 'created' (last state: 'creating', timeout: 15m0s)",
    );
}

function waitFailures({
    waitForInstancesStatus: status,
}: Properties): { property: string; reason: string }[] {
    const known = [undefined, null, "STABLE", "UPDATED"].includes(status as string);
    return known ? [] : [{ property: "waitForInstancesStatus", reason: "has to be STABLE or UPDATED" }];
}

async function state(client: GcpClient, id: string): Promise<Record<string, unknown>> {
    return computedOf((await client.get("compute", id)) as Json);
}

function computedOf(found: Json): Record<string, unknown> {
    const last = (link: string) => link.slice(link.lastIndexOf("/") + 1);
    const { status, distributionPolicy } = found;
    return {
        creationTimestamp: found.creationTimestamp,
        fingerprint: found.fingerprint,
        instanceGroup: found.instanceGroup,
        instanceGroupManagerId: Number(found.id),
        name: found.name,
        project: /projects\/([^/]+)\//.exec(found.selfLink as string)?.[1],
        selfLink: found.selfLink,
        statuses: [
            { isStable: status.isStable, versionTargets: [{ isReached: status.versionTarget.isReached }] },
        ],
        targetSize: found.targetSize,
        ...(found.zone && { zone: last(found.zone as string) }),
        ...(found.region && {
            region: last(found.region as string),
            distributionPolicyTargetShape: distributionPolicy.targetShape,
            distributionPolicyZones: distributionPolicy.zones.map(({ zone }: Json) => last(zone as string)),
        }),
    };
}
