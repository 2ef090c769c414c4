import type { CheckFailure } from "../../../../src/provider/handler";
import type { Properties, Value } from "../../../../src/provider/values";
import { text } from "../outputs";
import type { GcpClient, Json } from "./client";
import { unknownTo, type Known } from "./known";

const KNOWN: Known = {
    allowStoppingForUpdate: true,
    bootDisk: ["autoDelete", "deviceName", "initializeParams", "mode", "source"],
    "bootDisk.initializeParams": ["image", "labels", "size", "type"],
    canIpForward: true,
    deletionPolicy: true,
    deletionProtection: true,
    description: true,
    desiredStatus: true,
    guestAccelerators: ["count", "type"],
    hostname: true,
    labels: true,
    machineType: true,
    metadata: true,
    metadataStartupScript: true,
    minCpuPlatform: true,
    name: true,
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
    zone: true,
};

/** Inputs of an instance that the stand-in would have to ignore. */
export function unknownInputs(inputs: Properties): CheckFailure[] {
    return unknownTo(KNOWN, inputs);
}

/** The body of `instances.insert`. */
export async function instanceBody(client: GcpClient, inputs: Properties, name: string): Promise<object> {
    const zone = client.zone(inputs);
    const type = text(inputs.machineType) as string;
    const given = inputs as Json;
    return {
        name,
        machineType: type.includes("/") ? type : `zones/${zone}/machineTypes/${type}`,
        description: given.description,
        canIpForward: given.canIpForward ?? false,
        deletionProtection: given.deletionProtection ?? false,
        disks: [await bootDisk(client, given.bootDisk, client.project(inputs), zone)],
        guestAccelerators: given.guestAccelerators?.map(({ type: kind, count }: Json) => ({
            acceleratorType: kind.includes("/") ? kind : `zones/${zone}/acceleratorTypes/${kind}`,
            acceleratorCount: count,
        })),
        hostname: given.hostname,
        labels: client.labels(given.labels as Properties),
        metadata: { items: metadataItems(inputs) },
        minCpuPlatform: given.minCpuPlatform,
        networkInterfaces: given.networkInterfaces.map(networkInterface),
        resourcePolicies: given.resourcePolicies && [given.resourcePolicies],
        scheduling: schedulingBody(inputs.scheduling),
        serviceAccounts: given.serviceAccount && [serviceAccountBody(given.serviceAccount)],
        shieldedInstanceConfig: given.shieldedInstanceConfig,
        tags: { items: given.tags ?? [] },
    };
}

export function metadataItems({
    metadata,
    metadataStartupScript,
}: Properties): { key: string; value: string }[] {
    const script = text(metadataStartupScript);
    const all: Record<string, string> = {
        ...(metadata as Record<string, string>),
        ...(script !== undefined && { "startup-script": script }),
    };
    return Object.keys(all)
        .sort()
        .map((key) => ({ key, value: all[key] as string }));
}

/** With the provider's defaults: restart by itself, unless something is said against it. */
export function schedulingBody(scheduling: Value | undefined): object {
    const { automaticRestart = true, maxRunDuration, ...rest } = (scheduling ?? {}) as Json;
    return {
        automaticRestart,
        ...rest,
        ...(maxRunDuration && {
            maxRunDuration: { seconds: String(maxRunDuration.seconds), nanos: maxRunDuration.nanos },
        }),
    };
}

export function serviceAccountBody({ email, scopes }: Json): object {
    return { email: email ?? "default", scopes: scopes.map(wholeScope) };
}

// `cloud-platform` is short for the URL.
function wholeScope(scope: string): string {
    return scope.includes("://") ? scope : `https://www.googleapis.com/auth/${scope}`;
}

export function networkInterface({ network, subnetwork, networkIp, nicType, accessConfigs }: Json): object {
    return {
        network: network && (network.includes("/") ? network : `global/networks/${network}`),
        subnetwork,
        networkIP: networkIp,
        nicType,
        accessConfigs: accessConfigs?.map(({ natIp, networkTier }: Json) => ({
            type: "ONE_TO_ONE_NAT",
            natIP: natIp,
            networkTier,
        })),
    };
}

async function bootDisk(client: GcpClient, disk: Json, project: string, zone: string): Promise<object> {
    const { initializeParams: params, ...rest } = disk;
    return {
        boot: true,
        type: "PERSISTENT",
        mode: rest.mode ?? "READ_WRITE",
        autoDelete: rest.autoDelete ?? true,
        deviceName: rest.deviceName,
        source: rest.source,
        ...(params && {
            initializeParams: {
                sourceImage: await resolveImage(client, params.image as string, project),
                diskSizeGb: params.size === undefined ? undefined : String(params.size),
                diskType: params.type && `zones/${zone}/diskTypes/${params.type}`,
                labels: params.labels,
            },
        }),
    };
}

// `project/name` is an image, and if there is none a family; a name alone is one of the own project.
export async function resolveImage(client: GcpClient, image: string, own: string): Promise<string> {
    const path = image.replace(/^https?:\/\/[^/]+\/(compute\/)?v1\//, "");
    if (/^projects\/[^/]+\/global\/images\//.test(path)) {
        return path;
    }
    const [project, name] = path.includes("/") ? path.replace(/^projects\//, "").split("/") : [own, path];
    for (const where of [`images/${name}`, `images/family/${name}`]) {
        const found = await client.find("compute", `projects/${project}/global/${where}`);
        if (found) {
            return `projects/${project}/global/${where}`;
        }
    }
    throw new Error(`Error resolving image name '${image}': Could not find image or family ${image}`);
}
