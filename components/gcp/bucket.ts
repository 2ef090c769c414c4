import { createHash } from "node:crypto";
import { Bucket } from "@pulumi/gcp/storage/bucket";
import type * as pulumi from "../sdk";
import type { GcpOrchestratorArgs } from "./args";
import { regionOf, type Place } from "./place";

const KEEP_DAYS = 30;

/** The component's own bucket, where no `artifactStore` is given. All that is in it goes with it. */
export function ownBucket(
    name: string,
    args: GcpOrchestratorArgs,
    place: Place,
    opts: pulumi.CustomResourceOptions,
): Bucket {
    return new Bucket(
        bucketName(name),
        {
            project: place.project,
            location: args.bucketLocation ?? place.zones[0].apply(regionOf),
            uniformBucketLevelAccess: true,
            publicAccessPrevention: "enforced",
            forceDestroy: true,
            labels: args.labels,
            // What is deleted would else be kept, and paid for, seven days more.
            softDeletePolicy: { retentionDurationSeconds: 0 },
            lifecycleRules: [
                {
                    action: { type: "Delete" },
                    condition: { age: args.keepDays ?? KEEP_DAYS, matchesPrefixes: ["runs/"] },
                },
            ],
        },
        opts,
    );
}

/** The resource's name, to which the provider adds a few digits for the bucket's: that has stricter rules. */
export function bucketName(name: string): string {
    const fits = /^[a-z0-9][a-z0-9-]{0,39}$/.test(name) && !/^goog|g[o0]{2}g[l1i]e/.test(name);
    return `${fits ? name : `stackrun-${createHash("sha256").update(name).digest("hex").slice(0, 12)}`}-store`;
}
