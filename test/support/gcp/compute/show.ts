import type { Instance } from "./instance";
import { regionOf } from "./catalog";
import { selfLink } from "./links";
import { isPreemptible } from "./validate";

/** An instance as the API shows it: with self-links and fingerprints, without which the official provider sees changes. */
export function showInstance(instance: Instance): object {
    const { resource, world, zone, fingerprints } = instance;
    const {
        metadata,
        tags,
        labels,
        scheduling = {},
        disks,
        networkInterfaces,
        serviceAccounts,
        ...rest
    } = resource;
    return {
        kind: "compute#instance",
        id: instance.id,
        creationTimestamp: instance.created,
        ...rest,
        status: instance.status,
        ...(instance.statusMessage && { statusMessage: instance.statusMessage }),
        zone: selfLink(`projects/${world.project}/zones/${zone}`),
        machineType: selfLink(
            `projects/${world.project}/${resource.machineType.replace(/^.*(zones\/)/, "$1")}`,
        ),
        selfLink: instance.link,
        cpuPlatform: "Intel Broadwell",
        metadata: {
            kind: "compute#metadata",
            fingerprint: fingerprints.metadata,
            items: metadata?.items ?? [],
        },
        tags: { fingerprint: fingerprints.tags, ...(tags?.items && { items: tags.items }) },
        ...(labels && { labels }),
        labelFingerprint: fingerprints.labels,
        fingerprint: fingerprints.own,
        scheduling: {
            ...scheduling,
            automaticRestart: scheduling.automaticRestart ?? true,
            onHostMaintenance:
                scheduling.onHostMaintenance ?? (isPreemptible(scheduling) ? "TERMINATE" : "MIGRATE"),
            preemptible: isPreemptible(scheduling),
            provisioningModel: scheduling.provisioningModel ?? "STANDARD",
        },
        disks: disks.map((disk, index) => showDisk(instance, disk, index)),
        networkInterfaces: networkInterfaces.map((one, index) => ({
            ...one,
            kind: "compute#networkInterface",
            name: `nic${index}`,
            networkIP: one.networkIP ?? instance.options.ip,
            fingerprint: fingerprints.own,
            stackType: "IPV4_ONLY",
            network: selfLink(`projects/${world.project}/global/networks/default`),
            subnetwork: selfLink(`projects/${world.project}/regions/${regionOf(zone)}/subnetworks/default`),
            ...(one.accessConfigs && {
                accessConfigs: one.accessConfigs.map((config) => ({
                    kind: "compute#accessConfig",
                    type: "ONE_TO_ONE_NAT",
                    name: "external-nat",
                    natIP: "203.0.113.7",
                    networkTier: "PREMIUM",
                    ...config,
                })),
            }),
        })),
        ...(serviceAccounts && {
            serviceAccounts: serviceAccounts.map((one) => ({ ...one, email: instance.account })),
        }),
        ...(instance.lastStart && { lastStartTimestamp: instance.lastStart }),
        ...(instance.lastStop && { lastStopTimestamp: instance.lastStop }),
        deletionProtection: resource.deletionProtection ?? false,
        startRestricted: false,
    };
}

function showDisk(
    { name, world, zone }: Instance,
    { initializeParams, source, ...disk }: Instance["resource"]["disks"][number],
    index: number,
): object {
    return {
        kind: "compute#attachedDisk",
        type: "PERSISTENT",
        mode: "READ_WRITE",
        interface: "SCSI",
        ...disk,
        index,
        autoDelete: disk.autoDelete ?? false,
        deviceName: disk.deviceName ?? `persistent-disk-${index}`,
        diskSizeGb: String(initializeParams?.diskSizeGb ?? 10),
        source:
            source ??
            selfLink(`projects/${world.project}/zones/${zone}/disks/${initializeParams?.diskName ?? name}`),
    };
}
