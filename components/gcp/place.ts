import { Config } from "@pulumi/pulumi/config";
import * as pulumi from "../sdk";
import type { GcpOrchestratorArgs } from "./args";

/** Where the machine is made, and by which address that is asked for. */
export interface Place {
    readonly project: pulumi.Output<string>;
    /** One at least. */
    readonly zones: readonly pulumi.Output<string>[];
    /** Of Compute Engine, where it is not Google's own. */
    readonly computeEndpoint?: string;
}

/** The variables that Pulumi's provider reads, where the stack's configuration says nothing. */
const VARIABLES = {
    project: ["GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT"],
    zone: ["GOOGLE_ZONE", "GCLOUD_ZONE", "CLOUDSDK_COMPUTE_ZONE"],
} as const;

/** The project and the zones that are meant; `undefined` where nobody says. */
export function givenPlace({ project, zone, zones }: GcpOrchestratorArgs): {
    project?: pulumi.Input<string>;
    zones: readonly pulumi.Input<string>[];
} {
    const one = zone ?? (zones === undefined ? configured("zone") : undefined);
    return {
        project: project ?? configured("project"),
        zones: zones ?? (one === undefined ? [] : [one]),
    };
}

/** The arguments have been checked before. */
export function placeOf(args: GcpOrchestratorArgs): Place {
    const { project, zones } = givenPlace(args);
    return {
        project: pulumi.output(project as pulumi.Input<string>),
        zones: zones.map((zone) => pulumi.output(zone)),
        computeEndpoint: new Config("gcp").get("computeCustomEndpoint"),
    };
}

/** `us-central1` of `us-central1-a`. */
export function regionOf(zone: string): string {
    return zone.replace(/-[^-]*$/, "");
}

function configured(key: keyof typeof VARIABLES): string | undefined {
    const variables = VARIABLES[key].map((name) => process.env[name]);
    return new Config("gcp").get(key) ?? variables.find((value) => value !== undefined && value !== "");
}
