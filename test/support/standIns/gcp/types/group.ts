import type { Types } from "../../strict";

/** What `gcp.compute.InstanceGroupManager` takes. */
export const groupTypes: Types = {
    InstanceGroupManagerArgs: {
        allInstancesConfig: "InstanceGroupManagerAllInstancesConfig",
        autoHealingPolicies: "InstanceGroupManagerAutoHealingPolicies",
        baseInstanceName: "string!",
        deletionPolicy: "string",
        description: "string",
        instanceLifecyclePolicy: "InstanceGroupManagerInstanceLifecyclePolicy",
        listManagedInstancesResults: "string",
        name: "string",
        namedPorts: "InstanceGroupManagerNamedPort[]",
        params: "InstanceGroupManagerParams",
        project: "string",
        resourcePolicies: "InstanceGroupManagerResourcePolicies",
        standbyPolicy: "InstanceGroupManagerStandbyPolicy",
        statefulDisks: "InstanceGroupManagerStatefulDisk[]",
        statefulExternalIps: "InstanceGroupManagerStatefulExternalIp[]",
        statefulInternalIps: "InstanceGroupManagerStatefulInternalIp[]",
        targetPools: "string[]",
        targetSize: "number",
        targetSizePolicies: "InstanceGroupManagerTargetSizePolicy[]",
        targetStoppedSize: "number",
        targetSuspendedSize: "number",
        updatePolicy: "InstanceGroupManagerUpdatePolicy",
        versions: "InstanceGroupManagerVersion[]!",
        waitForInstances: "boolean",
        waitForInstancesStatus: "string",
        zone: "string",
    },
    InstanceGroupManagerAllInstancesConfig: {
        labels: "{string}",
        metadata: "{string}",
    },
    InstanceGroupManagerAutoHealingPolicies: {
        healthCheck: "string!",
        initialDelaySec: "number!",
    },
    InstanceGroupManagerInstanceLifecyclePolicy: {
        defaultActionOnFailure: "string",
        forceUpdateOnRepair: "string",
        onFailedHealthCheck: "string",
        onRepair: "InstanceGroupManagerInstanceLifecyclePolicyOnRepair",
    },
    InstanceGroupManagerInstanceLifecyclePolicyOnRepair: {
        allowChangingZone: "string",
    },
    InstanceGroupManagerNamedPort: {
        name: "string!",
        port: "number!",
    },
    InstanceGroupManagerParams: {
        resourceManagerTags: "{string}",
    },
    InstanceGroupManagerResourcePolicies: {
        workloadPolicy: "string",
    },
    InstanceGroupManagerStandbyPolicy: {
        initialDelaySec: "number",
        mode: "string",
    },
    InstanceGroupManagerStatefulDisk: {
        deleteRule: "string",
        deviceName: "string!",
    },
    InstanceGroupManagerStatefulExternalIp: {
        deleteRule: "string",
        interfaceName: "string",
    },
    InstanceGroupManagerStatefulInternalIp: {
        deleteRule: "string",
        interfaceName: "string",
    },
    InstanceGroupManagerTargetSizePolicy: {
        mode: "string!",
    },
    InstanceGroupManagerUpdatePolicy: {
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
    InstanceGroupManagerVersion: {
        instanceTemplate: "string!",
        name: "string",
        targetSize: "InstanceGroupManagerVersionTargetSize",
    },
    InstanceGroupManagerVersionTargetSize: {
        fixed: "number",
        percent: "number",
    },
};
