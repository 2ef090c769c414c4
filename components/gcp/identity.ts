import { createHash } from "node:crypto";
import { RepositoryIamMember } from "@pulumi/gcp/artifactregistry/repositoryIamMember";
import { IAMMember } from "@pulumi/gcp/projects/iammember";
import { Account } from "@pulumi/gcp/serviceaccount/account";
import { BucketIAMMember } from "@pulumi/gcp/storage/bucketIAMMember";
import { getProject, getStack } from "@pulumi/pulumi/metadata";
import type { StorePlace } from "../../src/stores/artifacts/url";
import { checkedPlace } from "../artifactStore";
import * as pulumi from "../sdk";
import { repositoryOf } from "./repository";

/** What the machine is to whom it asks. */
export interface Identity {
    /** The service account's address. */
    readonly email: pulumi.Input<string>;
    /** Undefined: the account is the user's, and nothing is granted to it. */
    readonly member?: pulumi.Output<string>;
    /** What has to be there before the machine. */
    readonly resources: readonly pulumi.Resource[];
}

export interface IdentityParts {
    readonly project: pulumi.Output<string>;
    /** The URL of the artifact store. */
    readonly store: pulumi.Output<string>;
    /** The bucket is the component's own: there is nothing else in it. */
    readonly ownBucket: boolean;
    /** The image, as far as its name is known. */
    readonly image: unknown;
}

/** A service account of the component's own. It outlives its runs: what is granted takes minutes to hold everywhere. */
export function ownIdentity(
    name: string,
    { project, store, ownBucket, image }: IdentityParts,
    opts: pulumi.CustomResourceOptions,
): Identity {
    const account = new Account(
        `${name}-account`,
        {
            project,
            accountId: store.apply((url) => `stackrun-${stackHash(name, url)}`),
            displayName: `stackrun: ${name}`.slice(0, 100),
        },
        opts,
    );
    const { email, member } = account;
    const place = store.apply((url) => bucketOf(url));
    const bucket = place.apply((one) => one.bucket);
    const condition = (title: string, folder: string) => ({
        title,
        expression: place.apply((one) => below(one, folder)),
    });
    const granted = [
        new BucketIAMMember(
            `${name}-runs`,
            {
                bucket,
                role: "roles/storage.objectUser",
                member,
                condition: condition("stackrun-runs", "runs/"),
            },
            opts,
        ),
        new BucketIAMMember(
            `${name}-reads`,
            {
                bucket,
                role: "roles/storage.objectViewer",
                member,
                condition: ownBucket ? undefined : condition("stackrun-code", "bundles/"),
            },
            opts,
        ),
        new IAMMember(`${name}-logs`, { project, role: "roles/logging.logWriter", member }, opts),
    ];
    const repository = repositoryOf(image);
    const pulls =
        repository &&
        new RepositoryIamMember(
            `${name}-pulls`,
            { ...repository, role: "roles/artifactregistry.reader", member },
            opts,
        );
    return { email, member, resources: [account, ...granted, ...(pulls ? [pulls] : [])] };
}

/** Names something of the stack's: the same each time, another one for each store. */
export function stackHash(name: string, store: string): string {
    const parts = [getProject(), getStack(), name, store];
    return createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 20);
}

/** Objects below a folder of the store, and the listing of them. */
function below({ bucket, prefix }: GcsPlace, folder: string): string {
    const path = prefix ? `${prefix}/${folder}` : folder;
    return (
        `resource.name.startsWith("projects/_/buckets/${bucket}/objects/${path}") || ` +
        `api.getAttribute("storage.googleapis.com/objectListPrefix", "").startsWith("${path}")`
    );
}

type GcsPlace = Extract<StorePlace, { kind: "gs" }>;

function bucketOf(url: string): GcsPlace {
    return checkedPlace(url, "the artifact store", ["gs"]) as GcsPlace;
}
