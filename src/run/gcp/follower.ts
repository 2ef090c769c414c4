import type { Patience } from "../../stores/artifacts/retry";
import type { Follower } from "../follower";
import type { Clock } from "../vm/clock";
import { VmFollower } from "../vm/follower";
import { ComputeApi } from "./api";
import { ComputeCloud } from "./cloud";
import type { GcpFollowerOptions } from "./options";

/** Follows an attempt on an instance of Compute Engine; tests have another pace. */
export function gcpFollower(
    options: GcpFollowerOptions,
    { clock, patience }: { readonly clock?: Clock; readonly patience?: Patience } = {},
): Follower {
    const api = { ...options, patience };
    return new VmFollower(options, () => new ComputeCloud(new ComputeApi(api), options.zones), clock);
}

/** The options are those of {@link GcpFollowerOptions}. */
export function createFollower(options: Readonly<Record<string, unknown>>): Follower {
    return gcpFollower(options as unknown as GcpFollowerOptions);
}
