import type { Types } from "../../standIns/strict";
import { strictFailures } from "../../standIns/strict";
import { badRequest } from "../api/errors";
import { groupTypes } from "./groupTypes";

/**
 * What the methods take, by the names of Google's reference. The part that is not here is refused, as a name is that does
 * not exist: who needs more of it adds it, and what it does. `any` stands for int64, which is text or a number.
 */
const TYPES: Types = {
    Instance: {
        name: "string!",
        description: "string",
        machineType: "string!",
        canIpForward: "boolean",
        deletionProtection: "boolean",
        disks: "AttachedDisk[]!",
        guestAccelerators: "AcceleratorConfig[]",
        hostname: "string",
        labels: "{string}",
        metadata: "Metadata",
        minCpuPlatform: "string",
        networkInterfaces: "NetworkInterface[]!",
        params: "InstanceParams",
        resourcePolicies: "string[]",
        scheduling: "Scheduling",
        serviceAccounts: "ServiceAccount[]",
        shieldedInstanceConfig: "ShieldedInstanceConfig",
        tags: "Tags",
        zone: "string",
    },
    AttachedDisk: {
        autoDelete: "boolean",
        boot: "boolean",
        deviceName: "string",
        diskSizeGb: "any",
        initializeParams: "AttachedDiskInitializeParams",
        interface: "string",
        kind: "string",
        mode: "string",
        source: "string",
        type: "string",
    },
    AttachedDiskInitializeParams: {
        description: "string",
        diskName: "string",
        diskSizeGb: "any",
        diskType: "string",
        labels: "{string}",
        sourceImage: "string",
    },
    AcceleratorConfig: { acceleratorCount: "number!", acceleratorType: "string!" },
    Metadata: { fingerprint: "string", items: "MetadataItem[]", kind: "string" },
    MetadataItem: { key: "string!", value: "string" },
    NetworkInterface: {
        accessConfigs: "AccessConfig[]",
        network: "string",
        networkIP: "string",
        nicType: "string",
        stackType: "string",
        subnetwork: "string",
    },
    AccessConfig: { name: "string", natIP: "string", networkTier: "string", type: "string" },
    InstanceParams: { resourceManagerTags: "{string}" },
    Scheduling: {
        automaticRestart: "boolean",
        instanceTerminationAction: "string",
        maxRunDuration: "Duration",
        onHostMaintenance: "string",
        onInstanceStopAction: "OnInstanceStopAction",
        preemptible: "boolean",
        provisioningModel: "string",
        terminationTime: "string",
    },
    OnInstanceStopAction: { discardLocalSsd: "boolean" },
    Duration: { nanos: "number", seconds: "any!" },
    ServiceAccount: { email: "string", scopes: "string[]" },
    ShieldedInstanceConfig: {
        enableIntegrityMonitoring: "boolean",
        enableSecureBoot: "boolean",
        enableVtpm: "boolean",
    },
    Tags: { fingerprint: "string", items: "string[]" },
    LabelsRequest: { labelFingerprint: "string!", labels: "{string}!" },
    MachineTypeRequest: { machineType: "string!" },
    ...groupTypes,
};

/** Throws what Google answers to a body with a name that does not exist, a wrong type, or something missing. */
export function checkBody(type: string, body: unknown): void {
    const [first] = strictFailures(TYPES, type, (body ?? {}) as never);
    if (!first) {
        return;
    }
    const { property, reason } = first;
    const dot = property.lastIndexOf(".");
    const [where, name] = [property.slice(0, Math.max(0, dot)), property.slice(dot + 1)];
    throw badRequest(
        reason.endsWith("no such property")
            ? `Invalid JSON payload received. Unknown name "${name}"${where && ` at '${where}'`}: Cannot find field.`
            : reason === "is required"
              ? `Invalid value for field 'resource.${property}': ''. Required field is missing.`
              : `Invalid value at '${property}': ${reason}.`,
    );
}
