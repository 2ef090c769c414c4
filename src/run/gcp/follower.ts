import type { Follower } from "../follower";
import type { Clock } from "../vm/clock";
import { VmFollower } from "../vm/follower";
import { ComputeApi } from "./api";
import { ComputeCloud } from "./cloud";
import type { GcpFollowerOptions } from "./options";

/** Follows an attempt on an instance of Compute Engine. */
export function gcpFollower(options: GcpFollowerOptions, clock?: Clock): Follower {
    return new VmFollower(options, () => new ComputeCloud(new ComputeApi(options), options.zones), clock);
}

/** The options are those of {@link GcpFollowerOptions}. */
export function createFollower(options: Readonly<Record<string, unknown>>): Follower {
    return gcpFollower(options as unknown as GcpFollowerOptions);
}
