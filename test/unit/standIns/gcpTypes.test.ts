import * as path from "node:path";
import { REPO } from "../../support/project";
import { declaredTypes } from "../../support/standIns/declaredTypes";
import { gcpTypes } from "../../support/standIns/gcp/types";

const FILES = [
    "artifactregistry/repositoryIamMember",
    "compute/instance",
    "compute/instanceGroupManager",
    "compute/instanceTemplate",
    "compute/regionInstanceGroupManager",
    "projects/iamcustomRole",
    "projects/iammember",
    "provider",
    "secretmanager/secret",
    "secretmanager/secretIamMember",
    "secretmanager/secretVersion",
    "serviceaccount/account",
    "storage/bucket",
    "storage/bucketIAMMember",
    "types/input",
];
const NAMESPACES = ["artifactregistry", "compute", "projects", "secretmanager", "storage"];

test("the stand-in for pulumi-resource-gcp takes exactly the inputs that the SDK declares", () => {
    const files = FILES.map((file) => path.join(REPO, `node_modules/@pulumi/gcp/${file}.d.ts`));
    const declared = declaredTypes(files, NAMESPACES);
    const used = Object.fromEntries(Object.keys(gcpTypes).map((name) => [name, declared[name]]));
    expect(gcpTypes).toEqual(used);
    const args = Object.keys(gcpTypes).filter((name) => name.endsWith("Args"));
    expect(args.sort()).toEqual([
        "AccountArgs",
        "BucketArgs",
        "BucketIAMMemberArgs",
        "IAMCustomRoleArgs",
        "IAMMemberArgs",
        "InstanceArgs",
        "InstanceGroupManagerArgs",
        "InstanceTemplateArgs",
        "ProviderArgs",
        "RegionInstanceGroupManagerArgs",
        "RepositoryIamMemberArgs",
        "SecretArgs",
        "SecretIamMemberArgs",
        "SecretVersionArgs",
    ]);
});
