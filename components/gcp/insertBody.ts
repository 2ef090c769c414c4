import type { InstanceArgs } from "@pulumi/gcp/compute/instance";
import { BadInputError } from "../errors";
import { withoutUndefined } from "../plain";
import { imagePath } from "./bootImage";
import { regionOf } from "./place";

/** What stands for the zone's name: the machine is made in the first zone that has room. */
export const ZONE = "{zone}";

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- resolved arguments, and the API's JSON
type Json = any;
type Part = (value: Json, zones: readonly string[]) => object;

const same = (key: string) => [key, (value: unknown) => ({ [key]: value })] as const;

/** How each of the provider's arguments is written in the body of `instances.insert`. What is not here can't be. */
const PARTS: Readonly<Record<string, Part>> = Object.fromEntries<Part>([
    ...[
        "name",
        "description",
        "canIpForward",
        "deletionProtection",
        "hostname",
        "labels",
        "minCpuPlatform",
        "shieldedInstanceConfig",
        "confidentialInstanceConfig",
        "advancedMachineFeatures",
        "networkPerformanceConfig",
        "keyRevocationActionType",
        "params",
    ].map(same),
    ["machineType", (type: string) => ({ machineType: inZone("machineTypes", type) })],
    [
        "networkInterfaces",
        (list: Json[], zones) => ({ networkInterfaces: list.map((one) => nic(one, zones)) }),
    ],
    ["scheduling", (given: Json) => ({ scheduling: durations(given) })],
    [
        "serviceAccount",
        ({ email, scopes }: Json) => ({ serviceAccounts: [{ email, scopes: scopes.map(scope) }] }),
    ],
    ["tags", (items: string[]) => ({ tags: { items } })],
    [
        "guestAccelerators",
        (list: Json[]) => ({
            guestAccelerators: list.map(({ type, count }) => ({
                acceleratorType: inZone("acceleratorTypes", type),
                acceleratorCount: count,
            })),
        }),
    ],
    ["resourcePolicies", (policy: string) => ({ resourcePolicies: [policy] })],
    [
        "reservationAffinity",
        ({ type, specificReservation = {} }: Json) => ({
            reservationAffinity: { consumeReservationType: type, ...specificReservation },
        }),
    ],
    // Where it is made is told beside the body.
    ...["project", "zone", "allowStoppingForUpdate", "deletionPolicy"].map(
        (key) => [key, () => ({})] as const,
    ),
]);
/** Those that make up the body together with others. */
const JOINED = ["bootDisk", "scratchDisks", "metadata", "metadataStartupScript"];

/**
 * The machine's arguments, resolved, as the body of Compute Engine's `instances.insert`.
 * @throws BadInputError for arguments that can't be written so
 */
export function insertBody(args: InstanceArgs, zones: readonly string[], where: string): object {
    const given = withoutUndefined(args) as Record<string, Json>;
    const known = [...Object.keys(PARTS), ...JOINED];
    const unknown = Object.keys(given).filter((key) => !known.includes(key));
    if (unknown.length > 0) {
        throw new BadInputError(
            unknown.map(
                (key) =>
                    `${where}: transform returns ${key}, which can't be passed on with several zones or whenExhausted; allowed: ${known.sort().join(", ")}`,
            ),
        );
    }
    const parts = Object.entries(given).map(([key, value]) => PARTS[key]?.(value, zones) ?? {});
    return {
        ...(Object.assign({}, ...parts) as object),
        disks: [bootDisk(given.bootDisk), ...(given.scratchDisks ?? []).map(scratchDisk)],
        metadata: { items: metadataItems(given) },
    };
}

function inZone(kind: string, name: string): string {
    return name.includes("/") ? name : `zones/${ZONE}/${kind}/${name}`;
}

function bootDisk({ initializeParams = {}, ...disk }: Json): object {
    const { image, size, type, ...params } = initializeParams;
    return withoutUndefined({
        ...disk,
        boot: true,
        type: "PERSISTENT",
        mode: disk.mode ?? "READ_WRITE",
        autoDelete: disk.autoDelete ?? true,
        initializeParams: withoutUndefined({
            ...params,
            sourceImage: image === undefined ? undefined : imagePath(image),
            diskSizeGb: size === undefined ? undefined : String(size),
            diskType: type === undefined ? undefined : inZone("diskTypes", type),
        }),
    });
}

function scratchDisk({ size, ...disk }: Json): object {
    return {
        ...disk,
        type: "SCRATCH",
        autoDelete: true,
        initializeParams: withoutUndefined({
            diskType: inZone("diskTypes", "local-ssd"),
            diskSizeGb: size === undefined ? undefined : String(size),
        }),
    };
}

function nic(
    { network, subnetwork, networkIp, accessConfigs, ...more }: Json,
    zones: readonly string[],
): object {
    return withoutUndefined({
        ...more,
        network: network && (network.includes("/") ? network : `global/networks/${network}`),
        subnetwork:
            subnetwork &&
            (subnetwork.includes("/")
                ? subnetwork
                : `regions/${regionOf(zones[0])}/subnetworks/${subnetwork}`),
        networkIP: networkIp,
        accessConfigs: accessConfigs?.map(({ natIp, ...config }: Json) =>
            withoutUndefined({ ...config, type: "ONE_TO_ONE_NAT", name: "External NAT", natIP: natIp }),
        ),
    });
}

/** 64-bit numbers are texts in the API's JSON. */
function durations(scheduling: Json): object {
    return Object.fromEntries(
        Object.entries(scheduling).map(([key, value]: [string, Json]) => [
            key,
            typeof value?.seconds === "number" ? { ...value, seconds: String(value.seconds) } : value,
        ]),
    );
}

// `cloud-platform` is short for the URL.
function scope(name: string): string {
    return name.includes("://") ? name : `https://www.googleapis.com/auth/${name}`;
}

function metadataItems({ metadata = {}, metadataStartupScript }: Json): { key: string; value: string }[] {
    const script = metadataStartupScript === undefined ? {} : { "startup-script": metadataStartupScript };
    return Object.entries({ ...metadata, ...script } as Record<string, string>).map(([key, value]) => ({
        key,
        value,
    }));
}
