import { RUNNER_EXIT, type FinalState } from "../events";
import type { Departure } from "./cloud";
import type { Fields } from "./objects";

/** How an attempt has ended. */
export interface End {
    readonly state: FinalState;
    readonly reason: string;
    readonly message: string;
}

export const lost = (reason: string, message: string): End => ({ state: "Lost", reason, message });
export const failed = (reason: string, message: string): End => ({ state: "Failed", reason, message });

export function cancelledEnd(cancel: Fields): End {
    return { state: "Cancelled", reason: "Cancelled", message: cancel.reason || "the run was cancelled" };
}

/** What somebody has written as the attempt's end: the machine, or a follower (with the state). */
export function writtenEnd({ state, reason = "", message = "", exitCode }: Fields): End {
    if (state) {
        return { state: state as FinalState, reason, message };
    }
    return reason
        ? failed(reason, message || "the machine did not say more")
        : exitEnd(Number(exitCode), message);
}

// The runner has said how it ended, and that was not read: its exit code is what is left.
function exitEnd(exitCode: number, message: string): End {
    const said = message || `the runner ended with exit code ${exitCode}`;
    switch (exitCode) {
        case RUNNER_EXIT.succeeded:
            return { state: "Succeeded", reason: "", message: "the runner has ended well" };
        case RUNNER_EXIT.stepFailed:
            return failed("StepFailed", `a step has failed; ${said}`);
        case RUNNER_EXIT.unusable:
        case 126:
        case 127:
            return failed("ImageUnusable", `the image can't run the pipeline; ${said}`);
        case RUNNER_EXIT.recordFailed:
            return failed("RecordFailed", `the run directory could not be written; ${said}`);
        case RUNNER_EXIT.timedOut:
            return {
                state: "TimedOut",
                reason: "DeadlineExceeded",
                message: `the run took too long; ${said}`,
            };
        case RUNNER_EXIT.cancelled:
            return { state: "Cancelled", reason: "Cancelled", message: "the run was cancelled" };
        case RUNNER_EXIT.storeFailed:
            return failed(
                "ArtifactStoreFailed",
                `what a step has left is not in the artifact store; ${said}`,
            );
        case RUNNER_EXIT.codeMissing:
            return failed("BundleFetchFailed", `the code could not be fetched; ${said}`);
        default:
            return lost("RunnerKilled", `the container was killed; ${said}`);
    }
}

/** `stackrun <nonce> <Reason>: <message>` on the serial console: what a machine can say that can't reach the store. */
export function consoleEnd(console: string, nonce: string): End | undefined {
    const marker = `stackrun ${nonce} `;
    const line = console
        .split(/\r?\n/)
        .filter((text) => text.includes(marker))
        .at(-1);
    const said = line?.slice(line.indexOf(marker) + marker.length).trim();
    const found = /^([A-Za-z]+): (.*)$/.exec(said ?? "");
    return found ? failed(found[1] as string, found[2] as string) : undefined;
}

/** The last lines that a machine has written to its serial console, for people. */
export function lastWords(console: string, lines = 20): string {
    const said = console
        .split(/\r?\n/)
        // eslint-disable-next-line no-control-regex
        .map((line) => line.replace(/\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]/g, "").trimEnd())
        .filter(Boolean)
        .slice(-lines);
    return said.length > 0
        ? `The last lines of its serial console:\n${said.join("\n")}`
        : "Its serial console is empty";
}

/** The end of an attempt whose machine went, or what to tell when the machine is to come back. */
export function departureEnd(departure: Departure, place: string): End | { readonly interrupted: string } {
    const where = place && ` in ${place}`;
    switch (departure.kind) {
        case "taken":
            return { interrupted: `${departure.message}${where}` };
        case "unknown":
            return { interrupted: `the machine${where} lost its power without notice` };
        case "itself":
            return { interrupted: `the machine${where} has switched itself off, and did not say why` };
        case "stopped":
            return {
                state: "Cancelled",
                reason: "MachineStopped",
                message: `${departure.by} has stopped the machine${where}`,
            };
        case "deleted":
            return lost(
                "MachineDeleted",
                `${departure.by} has deleted the machine, and nobody has seen how the run ended`,
            );
        case "tooLong":
            return {
                state: "TimedOut",
                reason: "DeadlineExceeded",
                message: `the machine${where} was on for as long as it may be: raise \`maxRunDuration\` or \`timeout\``,
            };
    }
}

export const PREEMPTION_LIMIT = lost(
    "PreemptionLimit",
    "the platform took the machine more often than `maxRecoveries` allows",
);
