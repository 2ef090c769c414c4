import type { Types } from "../../strict";

/** What `gcp.compute.RegionInstanceGroupManager` takes. */
export const regionGroupTypes: Types = {
    RegionInstanceGroupManagerArgs: {
        allInstancesConfig: "RegionInstanceGroupManagerAllInstancesConfig",
        autoHealingPolicies: "RegionInstanceGroupManagerAutoHealingPolicies",
        baseInstanceName: "string!",
        deletionPolicy: "string",
        description: "string",
        distributionPolicyTargetShape: "string",
        distributionPolicyZones: "string[]",
        instanceFlexibilityPolicy: "RegionInstanceGroupManagerInstanceFlexibilityPolicy",
        instanceLifecyclePolicy: "RegionInstanceGroupManagerInstanceLifecyclePolicy",
        listManagedInstancesResults: "string",
        name: "string",
        namedPorts: "RegionInstanceGroupManagerNamedPort[]",
        params: "RegionInstanceGroupManagerParams",
        project: "string",
        region: "string",
        resourcePolicies: "RegionInstanceGroupManagerResourcePolicies",
        standbyPolicy: "RegionInstanceGroupManagerStandbyPolicy",
        statefulDisks: "RegionInstanceGroupManagerStatefulDisk[]",
        statefulExternalIps: "RegionInstanceGroupManagerStatefulExternalIp[]",
        statefulInternalIps: "RegionInstanceGroupManagerStatefulInternalIp[]",
        targetPools: "string[]",
        targetSize: "number",
        targetSizePolicies: "RegionInstanceGroupManagerTargetSizePolicy[]",
        targetStoppedSize: "number",
        targetSuspendedSize: "number",
        updatePolicy: "RegionInstanceGroupManagerUpdatePolicy",
        versions: "RegionInstanceGroupManagerVersion[]!",
        waitForInstances: "boolean",
        waitForInstancesStatus: "string",
    },
    RegionInstanceGroupManagerAllInstancesConfig: {
        labels: "{string}",
        metadata: "{string}",
    },
    RegionInstanceGroupManagerAutoHealingPolicies: {
        healthCheck: "string!",
        initialDelaySec: "number!",
    },
    RegionInstanceGroupManagerInstanceFlexibilityPolicy: {
        instanceSelections: "RegionInstanceGroupManagerInstanceFlexibilityPolicyInstanceSelection[]",
    },
    RegionInstanceGroupManagerInstanceFlexibilityPolicyInstanceSelection: {
        disks: "RegionInstanceGroupManagerInstanceFlexibilityPolicyInstanceSelectionDisk[]",
        machineTypes: "string[]!",
        minCpuPlatform: "string",
        name: "string!",
        rank: "number",
    },
    RegionInstanceGroupManagerInstanceFlexibilityPolicyInstanceSelectionDisk: {
        architecture: "string",
        autoDelete: "boolean",
        boot: "boolean",
        deviceName: "string",
        diskEncryptionKey:
            "RegionInstanceGroupManagerInstanceFlexibilityPolicyInstanceSelectionDiskDiskEncryptionKey",
        diskName: "string",
        diskSizeGb: "number",
        diskType: "string",
        guestOsFeatures: "string[]",
        interface: "string",
        labels: "RegionInstanceGroupManagerInstanceFlexibilityPolicyInstanceSelectionDiskLabel[]",
        mode: "string",
        provisionedIops: "number",
        provisionedThroughput: "number",
        resourceManagerTags:
            "RegionInstanceGroupManagerInstanceFlexibilityPolicyInstanceSelectionDiskResourceManagerTag[]",
        resourcePolicies: "string",
        source: "string",
        sourceImage: "string",
        sourceImageEncryptionKey:
            "RegionInstanceGroupManagerInstanceFlexibilityPolicyInstanceSelectionDiskSourceImageEncryptionKey",
        sourceSnapshot: "string",
        sourceSnapshotEncryptionKey:
            "RegionInstanceGroupManagerInstanceFlexibilityPolicyInstanceSelectionDiskSourceSnapshotEncryptionKey",
        type: "string",
    },
    RegionInstanceGroupManagerInstanceFlexibilityPolicyInstanceSelectionDiskDiskEncryptionKey: {
        kmsKeySelfLink: "string",
        kmsKeyServiceAccount: "string",
        rawKey: "string",
        rsaEncryptedKey: "string",
    },
    RegionInstanceGroupManagerInstanceFlexibilityPolicyInstanceSelectionDiskLabel: {
        key: "string!",
        value: "string!",
    },
    RegionInstanceGroupManagerInstanceFlexibilityPolicyInstanceSelectionDiskResourceManagerTag: {
        key: "string!",
        value: "string!",
    },
    RegionInstanceGroupManagerInstanceFlexibilityPolicyInstanceSelectionDiskSourceImageEncryptionKey: {
        kmsKeySelfLink: "string",
        kmsKeyServiceAccount: "string",
        rawKey: "string",
        rsaEncryptedKey: "string",
    },
    RegionInstanceGroupManagerInstanceFlexibilityPolicyInstanceSelectionDiskSourceSnapshotEncryptionKey: {
        kmsKeySelfLink: "string",
        kmsKeyServiceAccount: "string",
        rawKey: "string",
        rsaEncryptedKey: "string",
    },
    RegionInstanceGroupManagerInstanceLifecyclePolicy: {
        defaultActionOnFailure: "string",
        forceUpdateOnRepair: "string",
        onFailedHealthCheck: "string",
        onRepair: "RegionInstanceGroupManagerInstanceLifecyclePolicyOnRepair",
    },
    RegionInstanceGroupManagerInstanceLifecyclePolicyOnRepair: {
        allowChangingZone: "string",
    },
    RegionInstanceGroupManagerNamedPort: {
        name: "string!",
        port: "number!",
    },
    RegionInstanceGroupManagerParams: {
        resourceManagerTags: "{string}",
    },
    RegionInstanceGroupManagerResourcePolicies: {
        workloadPolicy: "string",
    },
    RegionInstanceGroupManagerStandbyPolicy: {
        initialDelaySec: "number",
        mode: "string",
    },
    RegionInstanceGroupManagerStatefulDisk: {
        deleteRule: "string",
        deviceName: "string!",
    },
    RegionInstanceGroupManagerStatefulExternalIp: {
        deleteRule: "string",
        interfaceName: "string",
    },
    RegionInstanceGroupManagerStatefulInternalIp: {
        deleteRule: "string",
        interfaceName: "string",
    },
    RegionInstanceGroupManagerTargetSizePolicy: {
        mode: "string!",
    },
    RegionInstanceGroupManagerUpdatePolicy: {
        instanceRedistributionType: "string",
        maxSurgeFixed: "number",
        maxSurgePercent: "number",
        maxUnavailableFixed: "number",
        maxUnavailablePercent: "number",
        minReadySec: "number",
        minimalAction: "string!",
        mostDisruptiveAllowedAction: "string",
        replacementMethod: "string",
        type: "string!",
    },
    RegionInstanceGroupManagerVersion: {
        instanceTemplate: "string!",
        name: "string",
        targetSize: "RegionInstanceGroupManagerVersionTargetSize",
    },
    RegionInstanceGroupManagerVersionTargetSize: {
        fixed: "number",
        percent: "number",
    },
};
