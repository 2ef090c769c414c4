import type { InstanceArgs } from "@pulumi/gcp/compute/instance";
import { withoutUndefined } from "../plain";
import * as pulumi from "../sdk";
import type { GcpOrchestratorArgs } from "./args";
import { imagePath } from "./bootImage";
import { runDurationSeconds } from "./times";

export const MACHINE_TYPE = "e2-standard-2";
export const BOOT_IMAGE = "cos-cloud/cos-stable";
const DISK_GB = 30;

/** What an attempt's machine gets that its arguments don't say. */
export interface MachineParts {
    readonly name: pulumi.Output<string>;
    readonly runId: pulumi.Output<string>;
    readonly attempt: pulumi.Output<number>;
    readonly project: pulumi.Output<string>;
    /** Its name, or what stands for it. */
    readonly zone: pulumi.Input<string>;
    readonly serviceAccount: pulumi.Input<string>;
    readonly startupScript: pulumi.Output<string>;
    readonly timeoutSeconds?: number;
}

/** The machine, as Pulumi's provider takes it. It has always the same keys: see {@link keptArgs}. */
export function instanceArgs(args: GcpOrchestratorArgs, parts: MachineParts): InstanceArgs {
    const { network, subnetwork, gpu, preemptible = true } = args;
    const declared: InstanceArgs = {
        name: parts.name,
        project: parts.project,
        zone: parts.zone,
        machineType: args.machineType ?? MACHINE_TYPE,
        bootDisk: {
            initializeParams: withoutUndefined({
                image: pulumi.output(args.bootImage ?? BOOT_IMAGE).apply(imagePath),
                size: args.diskSizeGb ?? DISK_GB,
                type: args.diskType,
            }),
        },
        networkInterfaces: [
            withoutUndefined({
                network: network ?? (subnetwork === undefined ? "default" : undefined),
                subnetwork,
                accessConfigs: args.publicIp === false ? undefined : [{}],
            }),
        ],
        scheduling: scheduling(
            preemptible,
            gpu !== undefined,
            runDurationSeconds(args.maxRunDuration, parts.timeoutSeconds),
        ),
        serviceAccount: { email: parts.serviceAccount, scopes: ["cloud-platform"] },
        metadata: {
            "startup-script": parts.startupScript,
            // What the machine's system says, after it has gone: Container-Optimized OS sends it to Cloud Logging.
            "google-logging-enabled": "true",
        },
        labels: {
            ...args.labels,
            "stackrun-run": parts.runId,
            "stackrun-attempt": pulumi.interpolate`${parts.attempt}`,
        },
        tags: args.tags,
        guestAccelerators: gpu && [{ type: gpu.type, count: gpu.count ?? 1 }],
    };
    return args.transform ? args.transform(declared) : declared;
}

/** Google applies the run duration itself: a machine that nobody watches any more stops. */
function scheduling(preemptible: boolean, gpus: boolean, seconds: number): InstanceArgs["scheduling"] {
    const capped = { instanceTerminationAction: "STOP", maxRunDuration: { seconds } };
    if (preemptible) {
        return {
            ...capped,
            provisioningModel: "SPOT",
            preemptible: true,
            automaticRestart: false,
            onHostMaintenance: "TERMINATE",
        };
    }
    return {
        ...capped,
        provisioningModel: "STANDARD",
        preemptible: false,
        automaticRestart: true,
        // Machines with GPUs can't be moved.
        onHostMaintenance: gpus ? "TERMINATE" : "MIGRATE",
    };
}

/** The machine's arguments as they were when its attempt began. What has gone from `now` meanwhile can't be kept. */
export function keptArgs(now: InstanceArgs, kept: pulumi.Output<Record<string, unknown>>): InstanceArgs {
    const entries = Object.keys(now).map((key) => [key, kept.apply((all) => all?.[key])] as const);
    return Object.fromEntries(entries) as unknown as InstanceArgs;
}
