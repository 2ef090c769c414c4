import type { Operation } from "../../../src/run/gcp/api";
import { departureOf, restartOf, type Instance } from "../../../src/run/gcp/departure";

/** Minutes after the hour, as the cloud writes times. */
const at = (minute: number): string => `2026-11-22T12:${String(minute).padStart(2, "0")}:00.123-08:00`;
const operation = (type: string, minute: number, more: Partial<Operation> = {}): Operation => ({
    name: `o-${minute}`,
    operationType: type,
    status: "DONE",
    user: "system",
    insertTime: at(minute),
    ...more,
});
const by = (user: string): Partial<Operation> => ({ user });
const off: Instance = { status: "TERMINATED", lastStartTimestamp: at(10), lastStopTimestamp: at(30) };

describe("why a machine is off", () => {
    test.each([
        ["compute.instances.preempted", "Google has preempted the Spot machine"],
        ["compute.instances.hostError", "the host below the machine broke (host error)"],
        [
            "compute.instances.terminateOnHostMaintenance",
            "the host below the machine was taken for maintenance",
        ],
    ])("%s, whatever the guest did then", (type, message) => {
        const operations = [operation(type, 29), operation("compute.instances.guestTerminate", 30)];
        expect(departureOf(operations, off)).toEqual({ kind: "taken", message });
    });

    test("is looked for since it was switched on last, in any order", () => {
        const before = [operation("compute.instances.preempted", 5), operation("start", 9, by("eva"))];
        expect(departureOf(before, off)).toEqual({ kind: "unknown" });
        const stopped = operation("stop", 30, by("eva"));
        expect(departureOf([stopped, ...before], off)).toEqual({ kind: "stopped", by: "eva" });
        expect(departureOf([...before, stopped], off)).toEqual({ kind: "stopped", by: "eva" });
    });

    test.each([
        [[operation("compute.instances.guestTerminate", 30)], off, { kind: "itself" }],
        [[operation("suspend", 30, by("eva"))], off, { kind: "stopped", by: "eva" }],
        [[operation("stop", 30)], off, { kind: "tooLong" }],
        [
            [operation("stop", 30, { user: "x", statusMessage: "Instance ran for its maximum duration." })],
            off,
            { kind: "tooLong" },
        ],
        // Where no operation tells it, its time does.
        [[], { ...off, scheduling: { maxRunDuration: { seconds: "1200" } } }, { kind: "tooLong" }],
        [[], { ...off, scheduling: { maxRunDuration: { seconds: "1300" } } }, { kind: "unknown" }],
    ])("%j of %j", (operations, instance, departure) => {
        expect(departureOf(operations, instance)).toEqual(departure);
    });
});

describe("why a machine is gone", () => {
    test.each([
        ["somebody has deleted it", [operation("delete", 20, by("eva"))], { kind: "deleted", by: "eva" }],
        [
            "it was preempted, and deleted for that",
            [operation("compute.instances.preempted", 20), operation("delete", 21)],
            { kind: "taken", message: "Google has preempted the Spot machine" },
        ],
        ["its time was over", [operation("delete", 20)], { kind: "tooLong" }],
        [
            "it was deleted after it had come back from a preemption",
            [
                operation("insert", 1, by("eva")),
                operation("compute.instances.preempted", 5),
                operation("start", 6, by("eva")),
                operation("delete", 20, by("eva")),
            ],
            { kind: "deleted", by: "eva" },
        ],
        [
            "it could not be made",
            [operation("insert", 20, { error: { errors: [{ code: "ZONE_RESOURCE_POOL_EXHAUSTED" }] } })],
            { kind: "taken", message: "the machine could not be made (ZONE_RESOURCE_POOL_EXHAUSTED)" },
        ],
        ["nobody knows any more", [], { kind: "deleted", by: "somebody" }],
    ])("%s", (_, operations, departure) => {
        expect(departureOf(operations, undefined)).toEqual(departure);
    });
});

describe("why a machine was started anew", () => {
    const on: Instance = { status: "RUNNING", lastStartTimestamp: at(30) };

    test("is what happened right before", () => {
        const broken = operation("compute.instances.hostError", 29);
        const restarted = operation("compute.instances.automaticRestart", 30);
        expect(restartOf([broken, restarted], on)).toMatchObject({ kind: "taken" });
        expect(restartOf([operation("reset", 30, by("eva"))], on)).toEqual({
            kind: "taken",
            message: "the machine was reset by eva",
        });
        expect(restartOf([operation("compute.instances.hostError", 2)], on)).toEqual({ kind: "unknown" });
    });
});
