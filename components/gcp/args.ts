import type * as pulumi from "../sdk";
import type { InstanceArgs } from "@pulumi/gcp/compute/instance";
import type { OrchestratorArgs } from "../orchestrator";

/** What carries code and finished steps between the machine and the artifact store. */
export interface GcpTransfer {
    /**
     * An image with rclone (1.60 or newer), `/bin/sh` and the usual tools: `awk`, `find`, `sed`, `stat`, `tar`.
     * @default "rclone/rclone:1.69.1"
     */
    image?: pulumi.Input<string>;
    /**
     * Environment variables for rclone, `RCLONE_BWLIMIT` for example. They are in the instance's metadata, which everybody who may see
     * the instance can read: nothing secret.
     * @default - none
     */
    env?: Record<string, pulumi.Input<string>>;
}

/** What a run on a machine of Google Cloud takes beside what every orchestrator takes. */
export interface GcpOrchestratorArgs extends OrchestratorArgs {
    /**
     * The project in which all is made.
     * @default - `gcp:project` of the stack, else `GOOGLE_PROJECT` and the other variables that Pulumi's provider reads
     */
    project?: pulumi.Input<string>;
    /**
     * The machine's zone.
     * @default - `gcp:zone` of the stack, else `GOOGLE_ZONE` and the other variables that Pulumi's provider reads
     */
    zone?: pulumi.Input<string>;
    /**
     * Several zones, of one region best: the machine is made in the first one that has room, by what follows the run.
     * @default - `zone` alone
     */
    zones?: pulumi.Input<string>[];
    /**
     * The machine's type.
     * @default "e2-standard-2"
     */
    machineType?: pulumi.Input<string>;
    /**
     * A Spot machine: a third of the price, and Google may take it at any time. `false`: a standard one.
     * @default true
     */
    preemptible?: boolean;
    /**
     * After which time Google itself stops the machine, whoever watches, as a duration: 30 seconds to 120 days, anew at each start.
     * @default - the timeout and 15 minutes, else 7 days
     */
    maxRunDuration?: string | number;
    /**
     * What the machine boots: `project/family`, or `projects/<project>/global/images/<image>`. It needs Docker, systemd and curl.
     * @default "cos-cloud/cos-stable"
     */
    bootImage?: pulumi.Input<string>;
    /**
     * The size of the machine's disk, in GB.
     * @default 30
     */
    diskSizeGb?: number;
    /**
     * The disk's type, `pd-ssd` for example.
     * @default - Compute Engine's own
     */
    diskType?: pulumi.Input<string>;
    /**
     * GPUs of a type, `nvidia-tesla-t4` for example. The steps get all of them.
     * @default - none
     */
    gpu?: { type: string; count?: number };
    /**
     * The machine's network.
     * @default - `default`, unless `subnetwork` is given
     */
    network?: pulumi.Input<string>;
    /**
     * The machine's subnetwork: its name in the zone's region, or its path.
     * @default - the network's own in the zone's region
     */
    subnetwork?: pulumi.Input<string>;
    /**
     * `false`: no address of its own. The subnetwork then needs Private Google Access, and for images from elsewhere Cloud NAT.
     * @default true
     */
    publicIp?: boolean;
    /**
     * Network tags, which rules of firewalls go by.
     * @default - none
     */
    tags?: pulumi.Input<string>[];
    /**
     * Labels of all that is made and can have some, beside stackrun's own.
     * @default - none
     */
    labels?: Record<string, pulumi.Input<string>>;
    /**
     * The e-mail address of an existing service account for the machine. Nothing is granted to it then.
     * @default - one of the component's own, with the least rights that do
     */
    serviceAccount?: pulumi.Input<string>;
    /**
     * As which user of the image the steps run: `"uid"` or `"uid:gid"`; `"image"`: as the image says.
     * @default "65532:65532"
     */
    user?: string;
    /**
     * The size of `/dev/shm`, as `"1Gi"`: PyTorch's data loaders need it.
     * @default - Docker's, which is 64 MiB
     */
    shmSize?: string;
    /**
     * Registries of images, beside Google's own, that take the machine's identity.
     * @default - none
     */
    registries?: string[];
    /**
     * How often the run is brought back after its machine was taken.
     * @default 10
     */
    maxRecoveries?: number;
    /**
     * What happens then: the run has failed (`PreemptionLimit`), or goes on once more on a standard machine.
     * @default "fail"
     */
    whenExhausted?: "fail" | "standard";
    /**
     * What carries code and finished steps between the machine and the artifact store.
     * @default - rclone's own image, with the machine's identity
     */
    transfer?: GcpTransfer;
    /**
     * Without an `artifactStore`: after how many days what runs have left in the component's own bucket is deleted.
     * @default 30
     */
    keepDays?: number;
    /**
     * Without an `artifactStore`: where the component's own bucket is.
     * @default - the region of the first zone
     */
    bucketLocation?: pulumi.Input<string>;
    /**
     * The last word on the machine: gets its arguments, and returns those that are used. What is unknown to stackrun only
     * works with a single `zone`.
     * @default - as they are
     */
    transform?: (args: InstanceArgs) => InstanceArgs;
}
