import { prepareRunDir } from "../../../src/run/record";
import { World } from "./world";

let world: World;
afterEach(() => world.remove());
const outcome = () => world.follower.lastOutcome(world.run);

/** An attempt whose machine was seen on. */
async function seen(made = false): Promise<void> {
    world = new World({ made });
    await world.machine.bootFiles();
    world.cloud.on();
    expect(await outcome()).toEqual({ kind: "Running" });
}

describe("what became of an attempt", () => {
    test("is not known where there is neither a machine nor a record", async () => {
        world = new World();
        expect(await outcome()).toMatchObject({
            kind: "NoRecord",
            message: expect.stringMatching(/^there is no machine stackrun-r-1, and no /) as string,
        });
    });

    test("is that it was not started, where the run is known and a machine was never seen", async () => {
        world = new World();
        await prepareRunDir(world.run.runDir);
        expect(await outcome()).toEqual({ kind: "NotStarted" });
        // Nothing can have been declared where nobody can be asked.
        world.cloud.failures.push(["find", new Error("no credentials")]);
        expect(await outcome()).toEqual({ kind: "NotStarted" });
    });

    test.each(["starting", "running", "stopping", "off"] as const)(
        "is that it runs, while there is a machine that is %s and no end",
        async (state) => {
            await seen();
            world.cloud.machine = { place: "a", state, spot: true, startedAt: "1" };
            expect(await outcome()).toEqual({ kind: "Running" });
        },
    );

    test("is an error where a machine was seen and nobody can be asked", async () => {
        await seen();
        world.cloud.failures.push(["find", new Error("no credentials")]);
        await expect(outcome()).rejects.toThrow("no credentials");
    });

    test.each([
        [0, "", "Succeeded", ""],
        [1, "", "Failed", "StepFailed"],
        [64, "", "Failed", "ImageUnusable"],
        [65, "", "Failed", "RecordFailed"],
        [66, "", "TimedOut", "DeadlineExceeded"],
        [67, "", "Cancelled", "Cancelled"],
        [69, "", "Failed", "ArtifactStoreFailed"],
        [70, "", "Failed", "BundleFetchFailed"],
        [127, "", "Failed", "ImageUnusable"],
        [137, "", "Lost", "RunnerKilled"],
        [125, "ImagePullFailed", "Failed", "ImagePullFailed"],
    ])("is what the machine wrote: %d %s", async (exitCode, reason, state, told) => {
        await seen();
        await world.machine.end(exitCode, reason, "said");
        expect(await outcome()).toMatchObject({ kind: "Finished", state, reason: told });
    });

    test("is the cancel, when the machine is off or gone", async () => {
        await seen();
        await world.machine.put("cancel", "reason=not wanted\n");
        expect(await outcome()).toEqual({ kind: "Running" });
        world.cloud.off();
        const cancelled = {
            kind: "Finished",
            state: "Cancelled",
            reason: "Cancelled",
            message: "not wanted",
        };
        expect(await outcome()).toEqual(cancelled);
        world.cloud.machine = undefined;
        expect(await outcome()).toEqual(cancelled);
    });

    test("is lost with a machine that was deleted, unless it is being brought back", async () => {
        await seen();
        world.cloud.machine = undefined;
        world.cloud.why = { kind: "deleted", by: "eva" };
        expect(await outcome()).toMatchObject({ state: "Lost", reason: "MachineDeleted" });
        await world.machine.put("recovery", "why=preempted\n");
        expect(await outcome()).toEqual({ kind: "Running" });
    });

    test("of a machine that the platform has taken and deleted: made ones come back", async () => {
        for (const made of [false, true]) {
            await seen(made);
            world.cloud.machine = undefined;
            world.cloud.why = { kind: "taken", message: "preempted" };
            expect(await outcome()).toMatchObject(
                made ? { kind: "Running" } : { kind: "Finished", reason: "MachineDeleted" },
            );
            world.remove();
        }
    });
});

test("whoever follows an attempt whose plan is gone is told so", async () => {
    world = new World();
    world.cloud.on();
    await expect(world.follow()).rejects.toThrow(
        /^the plan of run r, attempt 1, is not in the artifact store file:.* \(any more\)/,
    );
});
