import type { Instances } from "../instances";
import type { InstanceTemplates } from "../templates";

/** The body of `instanceGroupManagers.insert`, as far as the emulator knows it: `groupTypes.ts` refuses the rest. */
export interface GroupInsert {
    readonly name: string;
    readonly baseInstanceName?: string;
    readonly description?: string;
    readonly distributionPolicy?: {
        readonly targetShape?: Shape;
        readonly zones?: readonly { readonly zone: string }[];
    };
    readonly instanceLifecyclePolicy?: {
        readonly defaultActionOnFailure?: "REPAIR" | "DO_NOTHING";
        readonly forceUpdateOnRepair?: "YES" | "NO";
        readonly onRepair?: { readonly allowChangingZone?: "YES" | "NO" };
    };
    readonly instanceTemplate?: string;
    readonly listManagedInstancesResults?: string;
    readonly targetSize: number;
    readonly updatePolicy?: UpdatePolicy;
    readonly versions?: readonly { readonly instanceTemplate: string; readonly name?: string }[];
}

export type Shape = "EVEN" | "BALANCED" | "ANY" | "ANY_SINGLE_ZONE";

export interface UpdatePolicy {
    readonly instanceRedistributionType?: "PROACTIVE" | "NONE";
    readonly maxSurge?: { readonly fixed?: number };
    readonly maxUnavailable?: { readonly fixed?: number };
    readonly minimalAction?: string;
    readonly mostDisruptiveAllowedAction?: string;
    readonly replacementMethod?: "SUBSTITUTE" | "RECREATE";
    readonly type?: "OPPORTUNISTIC" | "PROACTIVE";
}

/** What a group does with an instance just now. */
export type Action = "CREATING" | "DELETING" | "NONE" | "RECREATING";

/** Where a group is: in a zone, or in a region. */
export interface GroupPlace {
    readonly kind: "zones" | "regions";
    readonly name: string;
}

/** How long groups take; tests set it while they run. */
export interface GroupTiming {
    /** From an instance that stops, or is gone, to the beginning of its repair. */
    repairMs: number;
    /** From an instance that could not be made to the next try. */
    retryMs: number;
}

/** What groups need of the bed. */
export interface GroupWorld {
    readonly instances: Instances;
    readonly templates: InstanceTemplates;
    readonly timing: GroupTiming;
}

/** Why an instance could not be made, as an operation says it. */
export interface Failure {
    readonly code: string;
    readonly message: string;
}
