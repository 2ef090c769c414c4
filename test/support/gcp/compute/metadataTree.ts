import type { Node } from "../metadata/tree";
import type { Instance } from "./instance";
import { lastPart } from "./links";
import { imageOf, isPreemptible } from "./validate";

/** What the metadata server of an instance has to say. */
export function metadataTree(instance: Instance): Node {
    const { world } = instance;
    return {
        instance: instanceTree(instance),
        oslogin: { authenticate: { sessions: {} } },
        project: {
            attributes: Object.fromEntries(world.projectAttributes),
            "numeric-project-id": world.projectNumber,
            "project-id": world.project,
        },
    };
}

function instanceTree(instance: Instance): Node {
    const { world, resource, zone, options } = instance;
    const { scheduling = {}, disks, tags } = resource;
    const number = world.projectNumber;
    const image = disks[0]?.initializeParams?.sourceImage;
    const shown = image === undefined ? undefined : imageOf(image);
    return {
        attributes: Object.fromEntries(instance.items.map(({ key, value }) => [key, value ?? ""])),
        "cpu-platform": "Intel Broadwell",
        description: resource.description ?? "",
        disks: disks.map(({ deviceName }, index) => ({
            "device-name": deviceName ?? `persistent-disk-${index}`,
            index: String(index),
            interface: "SCSI",
            mode: "READ_WRITE",
            type: "PERSISTENT-BALANCED",
        })),
        hostname: resource.hostname ?? `${instance.name}.${zone}.c.${world.project}.internal`,
        id: instance.id,
        image: shown ? `projects/${shown.project}/global/images/${shown.name}` : "",
        licenses: [{ id: "1" }],
        "machine-type": `projects/${number}/machineTypes/${lastPart(resource.machineType)}`,
        "maintenance-event": "NONE",
        name: instance.name,
        "network-interfaces": [
            {
                "access-configs": [],
                "dns-servers": ["169.254.169.254"],
                "forwarded-ips": [],
                gateway: "10.128.0.1",
                ip: options.ip,
                "ip-aliases": [],
                mac: "42:01:0a:80:00:02",
                mtu: "1460",
                network: `projects/${number}/networks/default`,
                subnetmask: "255.255.240.0",
                "target-instance-ips": [],
            },
        ],
        preempted: instance.preempted ? "TRUE" : "FALSE",
        "remaining-cpu-time": "-1",
        scheduling: {
            "automatic-restart": truth(scheduling.automaticRestart ?? true),
            "on-host-maintenance": scheduling.onHostMaintenance ?? "MIGRATE",
            preemptible: truth(isPreemptible(scheduling)),
        },
        "service-accounts": accountsTree(instance),
        tags: [...(tags?.items ?? [])],
        "virtual-clock": { "drift-token": "0" },
        zone: `projects/${number}/zones/${zone}`,
    };
}

function accountsTree({ account, resource }: Instance): Node {
    if (account === undefined) {
        return {};
    }
    const scopes = resource.serviceAccounts?.[0]?.scopes ?? [];
    const shown = { aliases: ["default"], email: account, scopes: [...scopes] };
    return { default: shown, [account]: shown };
}

function truth(value: boolean): string {
    return value ? "TRUE" : "FALSE";
}
