import { parseDuration } from "../../src/pipeline/duration";
import type { KubernetesOrchestratorArgs } from "./args";

const PENDING_SECONDS = 600;
const GRACE_SECONDS = 10;
/** For the runner to end its steps, write down how, and go. */
const GRACE_MARGIN_SECONDS = 15;
const DEADLINE_MARGIN_SECONDS = 60;

/** How long things may take. */
export interface Times {
    readonly pendingSeconds: number;
    /** From TERM to KILL. */
    readonly terminationSeconds: number;
    /** Of the Job: the run's own timeout ends it in order; this one ends what could not be ended so. */
    deadlineSeconds(timeoutSeconds: number | undefined): number | undefined;
}

/** The arguments have been checked before. */
export function readTimes(args: KubernetesOrchestratorArgs): Times {
    const seconds = (value: string | number | undefined, otherwise: number) =>
        value === undefined ? otherwise : (parseDuration(value) ?? otherwise);
    const pendingSeconds = seconds(args.pendingTimeout, PENDING_SECONDS);
    const grace = seconds(args.grace, GRACE_SECONDS);
    const terminationSeconds = Math.ceil(seconds(args.terminationGracePeriod, grace + GRACE_MARGIN_SECONDS));
    return {
        pendingSeconds,
        terminationSeconds,
        deadlineSeconds: (timeout) =>
            timeout === undefined
                ? undefined
                : Math.ceil(timeout + pendingSeconds + terminationSeconds + DEADLINE_MARGIN_SECONDS),
    };
}
