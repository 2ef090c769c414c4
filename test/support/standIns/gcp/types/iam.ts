import type { Types } from "../../strict";

/** What `gcp.serviceaccount.Account`, custom roles and the members of policies take. */
export const iamTypes: Types = {
    AccountArgs: {
        accountId: "string",
        createIgnoreAlreadyExists: "boolean",
        deletionPolicy: "string",
        description: "string",
        disabled: "boolean",
        displayName: "string",
        project: "string",
    },
    IAMCustomRoleArgs: {
        deletionPolicy: "string",
        description: "string",
        permissions: "string[]!",
        project: "string",
        roleId: "string",
        stage: "string",
        title: "string!",
    },
    IAMMemberArgs: {
        condition: "IAMMemberCondition",
        member: "string!",
        project: "string!",
        role: "string!",
    },
    IAMMemberCondition: {
        description: "string",
        expression: "string!",
        title: "string!",
    },
    RepositoryIamMemberArgs: {
        condition: "RepositoryIamMemberCondition",
        location: "string",
        member: "string!",
        project: "string",
        repository: "string!",
        role: "string!",
    },
    RepositoryIamMemberCondition: {
        description: "string",
        expression: "string!",
        title: "string!",
    },
};
