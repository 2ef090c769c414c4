import type { CheckFailure, ResourceHandler } from "../../../../src/provider/handler";
import { serve } from "../../../../src/provider/serve";
import type { Decoded, Properties } from "../../../../src/provider/values";
import { StandInServer } from "../server";
import { strictFailures } from "../strict";
import { accountHandler } from "./account";
import { GcpClient } from "./client";
import { customRoleHandler } from "./customRole";
import { groupHandler } from "./group";
import { instanceHandler } from "./instance";
import { bucketMember, projectMember, repositoryMember, secretMember } from "./members";
import { secretHandler, secretVersionHandler } from "./secrets";
import { bucketHandler } from "./storage";
import { templateHandler } from "./template";
import { gcpTypes } from "./types";

/** A stand-in for `pulumi-resource-gcp`, where the real one can't be had: the same resources by real API calls. */
export function main(argv: readonly string[]): Promise<void> {
    const client = new GcpClient();
    const handlers: Record<string, ResourceHandler> = {
        "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": strict(
            "RepositoryIamMemberArgs",
            repositoryMember(client),
        ),
        "gcp:compute/instance:Instance": strict("InstanceArgs", instanceHandler(client)),
        "gcp:compute/instanceGroupManager:InstanceGroupManager": strict(
            "InstanceGroupManagerArgs",
            groupHandler(client, "zones"),
        ),
        "gcp:compute/instanceTemplate:InstanceTemplate": strict(
            "InstanceTemplateArgs",
            templateHandler(client),
        ),
        "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager": strict(
            "RegionInstanceGroupManagerArgs",
            groupHandler(client, "regions"),
        ),
        "gcp:projects/iAMCustomRole:IAMCustomRole": strict("IAMCustomRoleArgs", customRoleHandler(client)),
        "gcp:projects/iAMMember:IAMMember": strict("IAMMemberArgs", projectMember(client)),
        "gcp:secretmanager/secret:Secret": strict("SecretArgs", secretHandler(client)),
        "gcp:secretmanager/secretIamMember:SecretIamMember": strict(
            "SecretIamMemberArgs",
            secretMember(client),
        ),
        "gcp:secretmanager/secretVersion:SecretVersion": strict(
            "SecretVersionArgs",
            secretVersionHandler(client),
        ),
        "gcp:serviceaccount/account:Account": strict("AccountArgs", accountHandler(client)),
        "gcp:storage/bucket:Bucket": strict("BucketArgs", bucketHandler(client)),
        "gcp:storage/bucketIAMMember:BucketIAMMember": strict("BucketIAMMemberArgs", bucketMember(client)),
    };
    return serve(
        (engineAddress) =>
            new StandInServer({
                version: "9.37.0",
                schema: "{}",
                handlers,
                engineAddress,
                deletesFirst: isNamed,
                checkConfig: (config) => strictFailures(gcpTypes, "ProviderArgs", config),
                configure: (config) => client.configure(config),
            }),
        argv,
    );
}

// What has a name of the program's, and not one of its own, can't be there twice: as the real plugin sees it.
function isNamed(inputs: Properties): boolean {
    return ["name", "accountId", "roleId", "secretId"].some((field) => (inputs[field] ?? null) !== null);
}

function strict(type: string, handler: ResourceHandler): ResourceHandler {
    const check = (request: { urn: string; inputs: Decoded }): CheckFailure[] => [
        ...strictFailures(gcpTypes, type, request.inputs.value),
        ...handler.check(request),
    ];
    return { ...handler, check };
}
