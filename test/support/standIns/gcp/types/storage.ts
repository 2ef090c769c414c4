import type { Types } from "../../strict";

/** What `gcp.storage.Bucket` and `BucketIAMMember` take. */
export const storageTypes: Types = {
    BucketArgs: {
        autoclass: "BucketAutoclass",
        cors: "BucketCor[]",
        customPlacementConfig: "BucketCustomPlacementConfig",
        defaultEventBasedHold: "boolean",
        deletionPolicy: "string",
        enableObjectRetention: "boolean",
        encryption: "BucketEncryption",
        forceDestroy: "boolean",
        hierarchicalNamespace: "BucketHierarchicalNamespace",
        ipFilter: "BucketIpFilter",
        labels: "{string}",
        lifecycleRules: "BucketLifecycleRule[]",
        location: "string!",
        logging: "BucketLogging",
        name: "string",
        project: "string",
        publicAccessPrevention: "string",
        requesterPays: "boolean",
        retentionPolicy: "BucketRetentionPolicy",
        rpo: "string",
        softDeletePolicy: "BucketSoftDeletePolicy",
        storageClass: "string",
        uniformBucketLevelAccess: "boolean",
        versioning: "BucketVersioning",
        website: "BucketWebsite",
    },
    BucketAutoclass: {
        enabled: "boolean!",
        terminalStorageClass: "string",
    },
    BucketCor: {
        maxAgeSeconds: "number",
        methods: "string[]",
        origins: "string[]",
        responseHeaders: "string[]",
    },
    BucketCustomPlacementConfig: {
        dataLocations: "string[]!",
    },
    BucketEncryption: {
        customerManagedEncryptionEnforcementConfig:
            "BucketEncryptionCustomerManagedEncryptionEnforcementConfig",
        customerSuppliedEncryptionEnforcementConfig:
            "BucketEncryptionCustomerSuppliedEncryptionEnforcementConfig",
        defaultKmsKeyName: "string",
        googleManagedEncryptionEnforcementConfig: "BucketEncryptionGoogleManagedEncryptionEnforcementConfig",
    },
    BucketEncryptionCustomerManagedEncryptionEnforcementConfig: {
        effectiveTime: "string",
        restrictionMode: "string!",
    },
    BucketEncryptionCustomerSuppliedEncryptionEnforcementConfig: {
        effectiveTime: "string",
        restrictionMode: "string!",
    },
    BucketEncryptionGoogleManagedEncryptionEnforcementConfig: {
        effectiveTime: "string",
        restrictionMode: "string!",
    },
    BucketHierarchicalNamespace: {
        enabled: "boolean!",
    },
    BucketIpFilter: {
        allowAllServiceAgentAccess: "boolean",
        allowCrossOrgVpcs: "boolean",
        mode: "string!",
        publicNetworkSource: "BucketIpFilterPublicNetworkSource",
        vpcNetworkSources: "BucketIpFilterVpcNetworkSource[]",
    },
    BucketIpFilterPublicNetworkSource: {
        allowedIpCidrRanges: "string[]!",
    },
    BucketIpFilterVpcNetworkSource: {
        allowedIpCidrRanges: "string[]!",
        network: "string!",
    },
    BucketLifecycleRule: {
        action: "BucketLifecycleRuleAction!",
        condition: "BucketLifecycleRuleCondition!",
    },
    BucketLifecycleRuleAction: {
        storageClass: "string",
        type: "string!",
    },
    BucketLifecycleRuleCondition: {
        age: "number",
        createdBefore: "string",
        customTimeBefore: "string",
        daysSinceCustomTime: "number",
        daysSinceNoncurrentTime: "number",
        matchesPrefixes: "string[]",
        matchesStorageClasses: "string[]",
        matchesSuffixes: "string[]",
        noncurrentTimeBefore: "string",
        numNewerVersions: "number",
        sendAgeIfZero: "boolean",
        sendDaysSinceCustomTimeIfZero: "boolean",
        sendDaysSinceNoncurrentTimeIfZero: "boolean",
        sendNumNewerVersionsIfZero: "boolean",
        sizeAboveBytes: "number",
        sizeBelowBytes: "number",
        withState: "string",
    },
    BucketLogging: {
        logBucket: "string!",
        logObjectPrefix: "string",
    },
    BucketRetentionPolicy: {
        isLocked: "boolean",
        retentionPeriod: "string!",
    },
    BucketSoftDeletePolicy: {
        effectiveTime: "string",
        retentionDurationSeconds: "number",
    },
    BucketVersioning: {
        enabled: "boolean!",
    },
    BucketWebsite: {
        mainPageSuffix: "string",
        notFoundPage: "string",
    },
    BucketIAMMemberArgs: {
        bucket: "string!",
        condition: "BucketIAMMemberCondition",
        member: "string!",
        role: "string!",
    },
    BucketIAMMemberCondition: {
        description: "string",
        expression: "string!",
        title: "string!",
    },
};
