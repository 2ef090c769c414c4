import type { Cloud } from "./cloud";
import type { Clock } from "./clock";
import type { AttemptObjects } from "./objects";
import type { VmFollowerOptions } from "./options";

/** What following one attempt needs. */
export interface Context {
    readonly cloud: Cloud;
    readonly objects: AttemptObjects;
    readonly clock: Clock;
    readonly limits: Limits;
    /** The machine's name. */
    readonly name: string;
    readonly signal: AbortSignal;
}

/** {@link VmFollowerOptions}, complete. */
export interface Limits {
    readonly made: boolean;
    readonly maxRecoveries: number;
    readonly standardInTheEnd: boolean;
    readonly bootMs: number;
    readonly silenceMs: number;
    readonly capacityMs: number;
}

export function limitsOf(options: VmFollowerOptions): Limits {
    return {
        made: options.made,
        maxRecoveries: options.maxRecoveries ?? 10,
        standardInTheEnd: options.made && options.fallback === "standard",
        bootMs: (options.bootTimeoutSeconds ?? 600) * 1000,
        silenceMs: (options.silenceSeconds ?? 300) * 1000,
        capacityMs: (options.capacityTimeoutSeconds ?? 3600) * 1000,
    };
}
