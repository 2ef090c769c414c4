import type { VmFollowerOptions } from "../vm/options";

/** What the component tells the follower `gcp`; nothing in it depends on the run. */
export interface GcpFollowerOptions extends VmFollowerOptions {
    readonly project: string;
    /** In this order; where the machine is declared, it is in the first one. */
    readonly zones: readonly string[];
    /** @default - GOOGLE_COMPUTE_CUSTOM_ENDPOINT, or else Google's own */
    readonly computeEndpoint?: string;
}
