import type { Types } from "../../strict";

/** What Secret Manager's resources take. */
export const secretsTypes: Types = {
    SecretArgs: {
        annotations: "{string}",
        deletionPolicy: "string",
        deletionProtection: "boolean",
        expireTime: "string",
        labels: "{string}",
        project: "string",
        replication: "SecretReplication!",
        rotation: "SecretRotation",
        secretId: "string",
        tags: "{string}",
        topics: "SecretTopic[]",
        ttl: "string",
        versionAliases: "{string}",
        versionDestroyTtl: "string",
    },
    SecretReplication: {
        auto: "SecretReplicationAuto",
        userManaged: "SecretReplicationUserManaged",
    },
    SecretReplicationAuto: {
        customerManagedEncryption: "SecretReplicationAutoCustomerManagedEncryption",
    },
    SecretReplicationAutoCustomerManagedEncryption: {
        kmsKeyName: "string!",
    },
    SecretReplicationUserManaged: {
        replicas: "SecretReplicationUserManagedReplica[]!",
    },
    SecretReplicationUserManagedReplica: {
        customerManagedEncryption: "SecretReplicationUserManagedReplicaCustomerManagedEncryption",
        location: "string!",
    },
    SecretReplicationUserManagedReplicaCustomerManagedEncryption: {
        kmsKeyName: "string!",
    },
    SecretRotation: {
        nextRotationTime: "string",
        rotationPeriod: "string",
    },
    SecretTopic: {
        name: "string!",
    },
    SecretVersionArgs: {
        deletionPolicy: "string",
        enabled: "boolean",
        isSecretDataBase64: "boolean",
        project: "string",
        secret: "string!",
        secretData: "string",
        secretDataWo: "string",
        secretDataWoVersion: "number",
    },
    SecretIamMemberArgs: {
        condition: "SecretIamMemberCondition",
        member: "string!",
        project: "string",
        role: "string!",
        secretId: "string!",
    },
    SecretIamMemberCondition: {
        description: "string",
        expression: "string!",
        title: "string!",
    },
};
