import { ProviderError, type ResourceHandler } from "../../../../src/provider/handler";
import type { Properties } from "../../../../src/provider/values";
import { text } from "../outputs";
import { ifFound, type GcpClient, type Json } from "./client";
import {
    metadataItems,
    networkInterface,
    resolveImage,
    schedulingBody,
    serviceAccountBody,
} from "./instanceBody";
import { unknownTo, type Known } from "./known";
import { simpleHandler } from "./simple";

const KNOWN: Known = {
    canIpForward: true,
    description: true,
    disks: [
        "autoDelete",
        "boot",
        "deviceName",
        "diskName",
        "diskSizeGb",
        "diskType",
        "labels",
        "mode",
        "source",
        "sourceImage",
        "type",
    ],
    guestAccelerators: ["count", "type"],
    instanceDescription: true,
    labels: true,
    machineType: true,
    metadata: true,
    metadataStartupScript: true,
    minCpuPlatform: true,
    name: true,
    namePrefix: true,
    networkInterfaces: ["accessConfigs", "network", "networkIp", "nicType", "subnetwork"],
    "networkInterfaces.accessConfigs": ["natIp", "networkTier"],
    project: true,
    resourcePolicies: true,
    scheduling: [
        "automaticRestart",
        "instanceTerminationAction",
        "maxRunDuration",
        "onHostMaintenance",
        "preemptible",
        "provisioningModel",
    ],
    "scheduling.maxRunDuration": ["nanos", "seconds"],
    serviceAccount: ["email", "scopes"],
    shieldedInstanceConfig: ["enableIntegrityMonitoring", "enableSecureBoot", "enableVtpm"],
    tags: true,
};

/** `gcp:compute/instanceTemplate:InstanceTemplate`. Each change makes another one. */
export function templateHandler(client: GcpClient): ResourceHandler {
    const handler = simpleHandler({
        what: "instance template",
        computed: [
            "creationTimestamp",
            "metadataFingerprint",
            "name",
            "numericId",
            "project",
            "selfLink",
            "selfLinkUnique",
        ],
        async create(inputs, autoName) {
            const prefix = text(inputs.namePrefix);
            if (prefix !== undefined && text(inputs.name) !== undefined) {
                throw new ProviderError('"name_prefix": conflicts with name');
            }
            const suffix = autoName.slice(autoName.lastIndexOf("-") + 1);
            const name = text(inputs.name) ?? (prefix === undefined ? autoName : `${prefix}${suffix}`);
            const path = `projects/${client.project(inputs)}/global/instanceTemplates`;
            const body = { name, description: inputs.description, properties: await bodyOf(client, inputs) };
            await client.operate("POST", path, "Creating Instance Template", body);
            return `${path}/${name}`;
        },
        async read(id, inputs) {
            const found = (await client.find("compute", id)) as Json;
            return (
                found && {
                    creationTimestamp: found.creationTimestamp,
                    effectiveLabels: found.properties.labels ?? {},
                    metadataFingerprint: found.properties.metadata.fingerprint,
                    name: found.name,
                    numericId: found.id,
                    project: client.project(inputs),
                    selfLink: found.selfLink,
                    selfLinkUnique: `${found.selfLink}?uniqueId=${found.id}`,
                }
            );
        },
        async delete(id) {
            await ifFound(client.operate("DELETE", id, "Deleting Instance Template"));
        },
    });
    return { ...handler, check: ({ inputs }) => unknownTo(KNOWN, inputs.value) };
}

async function bodyOf(client: GcpClient, inputs: Properties): Promise<object> {
    const given = inputs as Json;
    return {
        canIpForward: given.canIpForward ?? false,
        description: given.instanceDescription,
        disks: await Promise.all(
            (given.disks as Json[]).map((disk, index) =>
                diskBody(client, disk, client.project(inputs), index),
            ),
        ),
        guestAccelerators: given.guestAccelerators?.map(({ type, count }: Json) => ({
            acceleratorType: type,
            acceleratorCount: count,
        })),
        labels: client.labels(given.labels as Properties),
        machineType: given.machineType,
        metadata: { items: metadataItems(inputs) },
        minCpuPlatform: given.minCpuPlatform,
        networkInterfaces: (given.networkInterfaces ?? []).map(networkInterface),
        resourcePolicies: given.resourcePolicies && [given.resourcePolicies],
        scheduling: scheduling(given.scheduling),
        serviceAccounts: given.serviceAccount && [serviceAccountBody(given.serviceAccount)],
        shieldedInstanceConfig: given.shieldedInstanceConfig,
        tags: { items: given.tags ?? [] },
    };
}

// With what the provider adds where nothing is said.
function scheduling(given: Json): object {
    return given
        ? { ...(given.preemptible && { onHostMaintenance: "TERMINATE" }), ...schedulingBody(given) }
        : { onHostMaintenance: "MIGRATE" };
}

async function diskBody(client: GcpClient, disk: Json, project: string, index: number): Promise<object> {
    const { autoDelete = true, deviceName, mode, source, type, sourceImage, ...params } = disk;
    return {
        type: type ?? "PERSISTENT",
        mode: mode ?? "READ_WRITE",
        interface: "SCSI",
        boot: index === 0,
        autoDelete,
        deviceName,
        ...(source === undefined
            ? {
                  initializeParams: {
                      sourceImage:
                          sourceImage && (await resolveImage(client, sourceImage as string, project)),
                      diskName: params.diskName,
                      diskSizeGb: params.diskSizeGb === undefined ? undefined : String(params.diskSizeGb),
                      diskType: params.diskType,
                      labels: params.labels,
                  },
              }
            : { source }),
    };
}
