import { ApiError, invalid, notFound } from "../api/errors";
import { ACCELERATORS, DISK_TYPES, IMAGES, MACHINE_TYPES, NETWORKS, regionOf } from "./catalog";
import { lastPart, pathOf } from "./links";
import type { InstanceInsert, Scheduling } from "./types";

const NAME = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
const LABEL_KEY = /^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u;
const LABEL_VALUE = /^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u;
const KB = 1024;

export interface Place {
    readonly project: string;
    readonly zone: string;
    serviceAccountExists(email: string): boolean;
}

/** Everything about an instance that Google refuses before it makes one. Throws the first. */
export function checkInstance(instance: InstanceInsert, place: Place): void {
    checkName("resource.name", instance.name);
    checkMachineType(instance.machineType, place);
    checkLabels(instance.labels);
    checkMetadata(instance.metadata?.items ?? []);
    checkDisks(instance, place);
    checkNetwork(instance, place);
    checkAccelerators(instance, place);
    checkScheduling(instance);
    checkServiceAccounts(instance, place);
}

export function checkName(field: string, name: string): void {
    if (!NAME.test(name)) {
        throw invalid(field, `'${name}'. Must be a match of regex '(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)'`);
    }
}

export function checkMachineType(link: string, { project, zone }: Place): void {
    const path = pathOf(link);
    const found = /^(?:projects\/([^/]+)\/)?zones\/([^/]+)\/machineTypes\/([^/]+)$/.exec(path);
    if (!found) {
        throw invalid("resource.machineType", `'${link}'. The URL is malformed.`);
    }
    if (found[2] !== zone) {
        throw invalid(
            "resource.machineType",
            `'${link}'. The referenced machine type is not in zone '${zone}'.`,
        );
    }
    if (!MACHINE_TYPES[found[3] ?? ""]) {
        const message = `'${link}'. Machine type with name '${found[3]}' does not exist in zone '${zone}'.`;
        throw Object.assign(invalid("resource.machineType", message), { project });
    }
}

export function checkLabels(labels: Readonly<Record<string, string>> = {}): void {
    for (const [key, value] of Object.entries(labels)) {
        if (!LABEL_KEY.test(key) || !LABEL_VALUE.test(value)) {
            throw invalid(
                "resource.labels",
                `'{"${key}": "${value}"}'. Label key or value violates format constraints.`,
            );
        }
    }
    if (Object.keys(labels).length > 64) {
        throw invalid("resource.labels", "a resource has 64 labels at most");
    }
}

export function checkMetadata(items: readonly { readonly key: string; readonly value?: string }[]): void {
    let total = 0;
    for (const { key, value = "" } of items) {
        const size = Buffer.byteLength(value);
        total += size + Buffer.byteLength(key);
        if (!/^[a-zA-Z0-9_-]{1,128}$/.test(key)) {
            throw invalid(
                "resource.metadata.items[].key",
                `'${key}'. Must be a match of regex '[a-zA-Z0-9-_]{1,128}'`,
            );
        }
        if (size > 256 * KB) {
            throw new ApiError(
                413,
                "uploadTooLarge",
                `Value for field 'metadata.items[${key}].value' is too large: maximum size 262144 character(s); actual size ${size}.`,
            );
        }
    }
    if (total > 512 * KB) {
        throw new ApiError(
            413,
            "uploadTooLarge",
            `The total size of all metadata keys and values must be less than 512 KB; actual size ${total}.`,
        );
    }
    const keys = items.map(({ key }) => key);
    const twice = keys.find((key, index) => keys.indexOf(key) !== index);
    if (twice !== undefined) {
        throw invalid("resource.metadata.items[].key", `'${twice}'. Metadata has duplicate keys.`);
    }
}

function checkDisks({ disks }: InstanceInsert, { zone }: Place): void {
    if (disks.length === 0 || !disks[0]?.boot) {
        throw invalid("resource.disks", "''. Boot disk must be specified.");
    }
    for (const { source, initializeParams: params } of disks) {
        if ((source === undefined) === (params === undefined)) {
            throw invalid("resource.disks[].source", "''. Must specify either a source or initializeParams.");
        }
        if (params?.diskType !== undefined && !DISK_TYPES.includes(lastPart(params.diskType))) {
            throw notFound(`zones/${zone}/diskTypes/${lastPart(params.diskType)}`);
        }
        const image = params && imageOf(params.sourceImage ?? "");
        if (image && Number(params.diskSizeGb ?? image.sizeGb) < image.sizeGb) {
            throw invalid(
                "resource.disks[0].initializeParams.diskSizeGb",
                `'${params.diskSizeGb}'. Requested disk size cannot be smaller than the image size (${image.sizeGb} GB)`,
            );
        }
    }
}

/** By name or by family. */
export function imageOf(link: string): (typeof IMAGES)[number] {
    const path = pathOf(link);
    const found = /^projects\/([^/]+)\/global\/images\/(family\/)?([^/]+)$/.exec(path);
    const image = IMAGES.find(
        ({ project, family, name }) => project === found?.[1] && (found[2] ? family : name) === found[3],
    );
    if (!image) {
        throw found
            ? notFound(path)
            : invalid("resource.disks[0].initializeParams.sourceImage", `'${link}'. The URL is malformed.`);
    }
    return image;
}

function checkNetwork({ networkInterfaces }: InstanceInsert, { project, zone }: Place): void {
    if (networkInterfaces.length === 0) {
        throw invalid("resource.networkInterfaces", "''. At least one network interface is required.");
    }
    for (const { network, subnetwork } of networkInterfaces) {
        const own = network === undefined ? undefined : pathOf(network);
        if (own !== undefined && !NETWORKS.includes(lastPart(own))) {
            throw notFound(`projects/${project}/global/networks/${lastPart(own)}`);
        }
        if (subnetwork !== undefined) {
            const region = /regions\/([^/]+)\//.exec(subnetwork)?.[1] ?? regionOf(zone);
            if (!NETWORKS.includes(lastPart(subnetwork)) || region !== regionOf(zone)) {
                throw notFound(`projects/${project}/regions/${region}/subnetworks/${lastPart(subnetwork)}`);
            }
        }
    }
}

function checkAccelerators(
    { guestAccelerators = [], scheduling }: InstanceInsert,
    { project, zone }: Place,
): void {
    for (const { acceleratorType } of guestAccelerators) {
        const name = lastPart(acceleratorType);
        if (!ACCELERATORS[name]?.includes(zone)) {
            throw notFound(`projects/${project}/zones/${zone}/acceleratorTypes/${name}`);
        }
        if (scheduling?.onHostMaintenance !== "TERMINATE") {
            throw new ApiError(
                400,
                "badRequest",
                "Instances with guest accelerators do not support live migration.",
            );
        }
    }
}

export function checkScheduling({ scheduling = {} }: Pick<InstanceInsert, "scheduling">): void {
    const {
        provisioningModel = "STANDARD",
        onHostMaintenance,
        instanceTerminationAction: action,
    } = scheduling;
    oneOf("provisioningModel", provisioningModel, ["STANDARD", "SPOT"]);
    oneOf("onHostMaintenance", onHostMaintenance ?? "MIGRATE", ["MIGRATE", "TERMINATE"]);
    oneOf("instanceTerminationAction", action ?? "STOP", ["STOP", "DELETE"]);
    if (scheduling.preemptible === false && provisioningModel === "SPOT") {
        throw invalid("resource.scheduling.preemptible", "'false'. Spot instances are preemptible.");
    }
    if (isPreemptible(scheduling)) {
        if (scheduling.automaticRestart !== false) {
            throw invalid(
                "resource.scheduling.preemptible",
                "'true'. Scheduling must have preemptible be false when AutomaticRestart is true.",
            );
        }
        if (onHostMaintenance === "MIGRATE") {
            throw invalid(
                "resource.scheduling.preemptible",
                "'true'. Scheduling must have preemptible be false when OnHostMaintenance isn't TERMINATE.",
            );
        }
    }
    checkDuration(scheduling);
}

function checkDuration(scheduling: Scheduling): void {
    const { maxRunDuration, instanceTerminationAction: action } = scheduling;
    const seconds = maxRunDuration === undefined ? undefined : Number(maxRunDuration.seconds);
    if (seconds !== undefined && !(seconds >= 30 && seconds <= 120 * 24 * 3600)) {
        throw invalid(
            "resource.scheduling.maxRunDuration.seconds",
            `'${seconds}'. Must be between 30 seconds and 120 days.`,
        );
    }
    if (seconds !== undefined && action === undefined) {
        throw invalid(
            "resource.scheduling.instanceTerminationAction",
            "''. Instance termination action must be specified with max run duration.",
        );
    }
    if (action !== undefined && seconds === undefined && scheduling.provisioningModel !== "SPOT") {
        throw invalid(
            "resource.scheduling.instanceTerminationAction",
            `'${action}'. You cannot specify a termination action for a VM instance that has the standard provisioning model (default).`,
        );
    }
}

function checkServiceAccounts({ serviceAccounts = [] }: InstanceInsert, place: Place): void {
    if (serviceAccounts.length > 1) {
        throw invalid("resource.serviceAccounts", "an instance has one service account at most");
    }
    for (const { email } of serviceAccounts) {
        if (email !== undefined && !place.serviceAccountExists(email)) {
            throw new ApiError(
                400,
                "badRequest",
                `The user does not have access to service account '${email}'. Ask a project owner to grant you the iam.serviceAccountUser role on the service account`,
            );
        }
    }
}

/** Spot, or a preemptible machine as they were before there was Spot. */
export function isPreemptible({ preemptible, provisioningModel }: Scheduling): boolean {
    return preemptible === true || provisioningModel === "SPOT";
}

function oneOf(field: string, value: string, allowed: readonly string[]): void {
    if (!allowed.includes(value)) {
        throw invalid(`resource.scheduling.${field}`, `'${value}'. Must be one of ${allowed.join(", ")}.`);
    }
}
