import type { Departure } from "../vm/cloud";
import type { Operation } from "./api";

/** An instance, as far as it is looked at. */
export interface Instance {
    readonly status: string;
    readonly statusMessage?: string;
    readonly lastStartTimestamp?: string;
    readonly lastStopTimestamp?: string;
    readonly creationTimestamp?: string;
    readonly scheduling?: {
        readonly preemptible?: boolean;
        readonly provisioningModel?: string;
        readonly maxRunDuration?: { readonly seconds: string | number };
    };
}

/** What Google does to a machine: https://docs.cloud.google.com/compute/docs/logging/system-events */
const TAKEN: Readonly<Record<string, string>> = {
    "compute.instances.preempted": "Google has preempted the Spot machine",
    "compute.instances.baremetalCaretakerPreempted": "Google has preempted the machine",
    "compute.instances.hostError": "the host below the machine broke (host error)",
    "compute.instances.terminateOnHostMaintenance": "the host below the machine was taken for maintenance",
    "compute.instances.instanceManagerHaltForRestart": "the machine was halted by its group",
    "compute.instances.localSsdRecoveryTimeoutError": "the machine's local disk was lost",
};
/** Times are the cloud's own; it keeps them to the millisecond, and rounds. */
const SLACK_MS = 5_000;
/** How long before a machine's start lies what has ended the one before it. */
const RECENT_MS = 15 * 60_000;

/** Why an instance is off, or gone; from the operations on it. */
export function departureOf(operations: readonly Operation[], instance: Instance | undefined): Departure {
    const sorted = newestFirst(operations);
    const [newest] = sorted;
    if (!instance && newest?.operationType === "insert" && newest.error) {
        const why = newest.error.errors?.[0]?.code ?? "no reason given";
        return { kind: "taken", message: `the machine could not be made (${why})` };
    }
    const since = instance
        ? timeOf(instance.lastStartTimestamp ?? instance.creationTimestamp) - SLACK_MS
        : timeOf(
              sorted.find(({ operationType, error }) => /^(insert|start)$/.test(operationType) && !error)
                  ?.insertTime,
          );
    const own = sorted.filter(({ insertTime }) => timeOf(insertTime) >= since);
    const taken = own.find(({ operationType }) => TAKEN[operationType] !== undefined);
    if (taken) {
        return { kind: "taken", message: TAKEN[taken.operationType] as string };
    }
    if (own.some(isTimeUp) || (instance && ranTooLong(instance))) {
        return { kind: "tooLong" };
    }
    for (const { operationType, user = "somebody" } of own) {
        const verb = operationType.replace(/^compute\.instances\./, "");
        if (verb === "delete" && instance === undefined) {
            return { kind: "deleted", by: user };
        }
        if ((verb === "stop" || verb === "suspend") && instance) {
            return { kind: "stopped", by: user };
        }
        if (verb === "guestTerminate") {
            return { kind: "itself" };
        }
    }
    return instance ? { kind: "unknown" } : { kind: "deleted", by: "somebody" };
}

/** Why an instance that runs was started anew. */
export function restartOf(operations: readonly Operation[], instance: Instance): Departure {
    const start = timeOf(instance.lastStartTimestamp);
    const before = newestFirst(operations).filter(({ insertTime }) => {
        const time = timeOf(insertTime);
        return time <= start + SLACK_MS && time >= start - RECENT_MS;
    });
    const taken = before.find(({ operationType }) => TAKEN[operationType] !== undefined);
    if (taken) {
        return { kind: "taken", message: TAKEN[taken.operationType] as string };
    }
    const reset = before.find(({ operationType }) => /(^|\.)reset$/.test(operationType));
    return reset
        ? { kind: "taken", message: `the machine was reset by ${reset.user ?? "somebody"}` }
        : { kind: "unknown" };
}

// Google's own end of a machine is a stop or a delete like others: by the system, or after exactly the time it had.
function isTimeUp({ operationType, user = "", statusMessage = "" }: Operation): boolean {
    return (
        /(^|\.)(stop|delete)$/.test(operationType) &&
        (/maximum|run duration|time limit/i.test(statusMessage) || /^system(@|$)/.test(user))
    );
}

function ranTooLong({ scheduling, lastStartTimestamp, lastStopTimestamp, status }: Instance): boolean {
    const limit = Number(scheduling?.maxRunDuration?.seconds ?? Infinity) * 1000;
    const ran = timeOf(lastStopTimestamp) - timeOf(lastStartTimestamp);
    return status !== "RUNNING" && ran >= limit - SLACK_MS;
}

function newestFirst(operations: readonly Operation[]): Operation[] {
    return [...operations].sort((one, other) => timeOf(other.insertTime) - timeOf(one.insertTime));
}

function timeOf(text: string | undefined): number {
    return text === undefined ? 0 : Date.parse(text);
}
