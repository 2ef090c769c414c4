import { INTERRUPTED, STARTED, SUCCEEDED } from "../../support/vm/machine";
import type { VmFollowerOptions } from "../../../src/run/vm/options";
import { passing, statuses, told, World } from "./world";

let world: World;
const begin = async (options: Partial<VmFollowerOptions> = {}, places?: string[]): Promise<World> => {
    world = new World(options, places);
    await world.machine.bootFiles({ spot: true, zone: "{zone}" });
    return world;
};
afterEach(() => world.remove());

/** A machine that is on, and has said that the run begins. */
const running = async (options: Partial<VmFollowerOptions> = {}): Promise<World> => {
    await begin(options);
    world.cloud.on();
    await world.machine.boot();
    await world.machine.says(STARTED, "s\tone\n");
    return world;
};
const preempted = { kind: "taken", message: "Google has preempted the Spot machine" } as const;

describe("a machine's stream", () => {
    test("is passed on as it comes, with what is waited for, to the runner's end", async () => {
        const { machine, cloud, clock } = await begin();
        cloud.machine = { place: "a", state: "starting", spot: true, startedAt: "1" };
        clock.at(6, () => cloud.on());
        clock.at(20, async () => {
            await machine.boot();
            await machine.beat("pulling", { text: "pulling python:3.12" });
        });
        clock.at(30, () => machine.beat("running", { image: `python@sha256:${"a".repeat(64)}` }));
        clock.at(31, () => machine.says(STARTED, "s\tone\n", "s\ttwo\n"));
        clock.at(40, () => machine.says("s\tthree\n", SUCCEEDED));
        const items = await world.follow();
        expect(told(items)).toEqual([
            `image python sha256:${"a".repeat(64)}`,
            "run.started",
            "one",
            "two",
            "three",
            "finished Succeeded",
        ]);
        expect(statuses(items)).toEqual([
            "the machine starts in a",
            "the machine boots in a",
            "pulling python:3.12",
        ]);
        expect(clock.now()).toBeLessThan(42_000);
    });

    test("costs no more looks at the machine, however much it says", async () => {
        const looksWith = async (pieces: number): Promise<number> => {
            const { machine, cloud, clock } = await running();
            for (let piece = 0; piece < pieces; piece++) {
                clock.at(1 + (50 * piece) / pieces, () => machine.says(`s\tline ${piece}\n`));
            }
            clock.at(30, () => machine.beat("running"));
            clock.at(60, () => machine.says(SUCCEEDED));
            expect(told(await world.follow())).toHaveLength(3 + pieces);
            world.remove();
            return cloud.looks;
        };
        expect(await looksWith(200)).toBeLessThanOrEqual((await looksWith(2)) + 1);
    });

    test("is waited for where the store or the cloud is away, and goes on where it was", async () => {
        const { machine, cloud, clock } = await running();
        cloud.failures.push(
            ...Array.from({ length: 4 }, (): [string, Error] => ["find", passing("no answer")]),
        );
        clock.at(60, () => machine.says("s\ttwo\n", SUCCEEDED));
        const items = await world.follow();
        expect(told(items)).toEqual(["run.started", "one", "two", "finished Succeeded"]);
        expect(statuses(items)).toContain("waiting: no answer");
    });

    test("is given up where the cloud refuses", async () => {
        const { cloud } = await running();
        cloud.failures.push(["find", new Error("the permission is missing")]);
        await expect(world.follow()).rejects.toThrow("the permission is missing");
    });

    test("ends where nobody wants to know any more", async () => {
        const { clock } = await running();
        const stop = new AbortController();
        clock.at(10, () => stop.abort());
        expect(told(await world.follow(undefined, stop.signal))).toEqual(["run.started", "one"]);
    });
});

describe("a machine that goes", () => {
    test("is started again, however often; each boot's lines come once", async () => {
        const { machine, cloud, clock } = await running();
        for (const boot of [1, 2]) {
            clock.at(100 * boot, async () => {
                await machine.says(`s\tlast of ${boot}\n`, INTERRUPTED);
                await machine.left("preempted");
                cloud.off(preempted);
            });
            clock.at(100 * boot + 50, async () => {
                await machine.boot();
                await machine.says(STARTED);
            });
        }
        clock.at(300, () => machine.says(SUCCEEDED));
        expect(told(await world.follow())).toEqual([
            "run.started",
            "one",
            "last of 1",
            "interrupted: Google has preempted the Spot machine in a",
            "run.started",
            "last of 2",
            "interrupted: Google has preempted the Spot machine in a",
            "run.started",
            "finished Succeeded",
        ]);
        expect(cloud.calls).toEqual(["start a", "start a"]);
        expect(await machine.read("recovery")).toBeUndefined();
    });

    test.each([
        [{ kind: "unknown" }, "the machine in a lost its power without notice"],
        [{ kind: "itself" }, "the machine in a has switched itself off, and did not say why"],
    ] as const)("is started again also when it went like %j", async (why, message) => {
        const { machine, cloud, clock } = await running();
        clock.at(50, () => cloud.off(why));
        clock.at(90, async () => {
            await machine.boot();
            await machine.says(SUCCEEDED);
        });
        expect(told(await world.follow())).toEqual([
            "run.started",
            "one",
            `interrupted: ${message}`,
            "finished Succeeded",
        ]);
    });

    test("and has booted again by itself is told once", async () => {
        const { machine, cloud, clock } = await running();
        clock.at(50, async () => {
            cloud.why = { kind: "taken", message: "the host below the machine broke (host error)" };
            await machine.boot();
            await machine.says(SUCCEEDED);
        });
        expect(told(await world.follow())).toEqual([
            "run.started",
            "one",
            "interrupted: the host below the machine broke (host error), and has booted again",
            "finished Succeeded",
        ]);
        expect(cloud.calls).toEqual([]);
    });

    test("too often is given up, and that is written down", async () => {
        const { machine, cloud, clock } = await running({ maxRecoveries: 1 });
        clock.at(50, () => cloud.off(preempted));
        clock.at(90, () => machine.boot());
        clock.at(150, () => cloud.off(preempted));
        expect(told(await world.follow())).toEqual([
            "run.started",
            "one",
            "interrupted: Google has preempted the Spot machine in a",
            "interrupted: Google has preempted the Spot machine in a",
            "Lost PreemptionLimit: the platform took the machine more often than `maxRecoveries` allows",
        ]);
        expect(cloud.calls).toEqual(["start a"]);
        expect(await world.follower.lastOutcome(world.run)).toMatchObject({ reason: "PreemptionLimit" });
    });

    test("hangs: its beat stands still, whatever its clock says, and it is switched off and on", async () => {
        const { machine, cloud, clock } = await running({ silenceSeconds: 60 });
        // Years away.
        clock.at(20, () => machine.beat("running", { time: "1999-01-01T00:00:00Z" }));
        clock.at(50, () => machine.says("s\ttwo\n"));
        clock.at(140, async () => {
            await machine.boot();
            await machine.says(SUCCEEDED);
        });
        const items = await world.follow();
        expect(told(items)).toEqual([
            "run.started",
            "one",
            "two",
            "interrupted: no sign of life of the machine in a for 60 s",
            "finished Succeeded",
        ]);
        expect(cloud.calls).toEqual(["stop a", "start a"]);
    });

    test("is no hanging one while the cloud can't be asked", async () => {
        const { machine, cloud, clock } = await running({ silenceSeconds: 20 });
        cloud.failures.push(
            ...Array.from({ length: 8 }, (): [string, Error] => ["find", passing("no answer")]),
        );
        clock.at(70, () => machine.beat("running"));
        clock.at(80, () => machine.says(SUCCEEDED));
        expect(told(await world.follow())).toEqual(["run.started", "one", "finished Succeeded"]);
        expect(cloud.calls).toEqual([]);
    });

    test("and was switched off for hanging by somebody who was killed comes back", async () => {
        const { machine, cloud, clock } = await running();
        await machine.put("recovery", "why=no sign of life\n");
        cloud.off({ kind: "stopped", by: "follower" });
        clock.at(30, async () => {
            await machine.boot();
            await machine.says(SUCCEEDED);
        });
        expect(told(await world.follow())).toEqual([
            "run.started",
            "one",
            "interrupted: no sign of life",
            "finished Succeeded",
        ]);
    });
});

describe("the end of an attempt", () => {
    test.each([
        [
            { kind: "stopped", by: "eva@example.org" },
            "Cancelled MachineStopped: eva@example.org has stopped the machine in a",
        ],
        [
            { kind: "tooLong" },
            "TimedOut DeadlineExceeded: the machine in a was on for as long as it may be: raise `maxRunDuration` or `timeout`",
        ],
    ] as const)("where its machine went like %j", async (why, end) => {
        const { cloud, clock } = await running();
        clock.at(50, () => cloud.off(why));
        expect(told(await world.follow())).toEqual(["run.started", "one", end]);
        expect(await world.follower.lastOutcome(world.run)).toMatchObject({ kind: "Finished" });
        expect(cloud.calls).toEqual([]);
    });

    test("where its machine was deleted", async () => {
        const { cloud, clock } = await running();
        clock.at(50, () => {
            cloud.machine = undefined;
            cloud.why = { kind: "deleted", by: "eva@example.org" };
        });
        expect(told(await world.follow()).at(-1)).toBe(
            "Lost MachineDeleted: eva@example.org has deleted the machine, and nobody has seen how the run ended",
        );
    });

    test("is what the machine writes down, behind all that the runner said", async () => {
        const { machine, cloud, clock } = await running();
        clock.at(50, async () => {
            await machine.says("s\tlast\n");
            await machine.end(137, "OutOfMemory", "the container was ended for want of memory");
            cloud.off({ kind: "itself" });
        });
        expect(told(await world.follow())).toEqual([
            "run.started",
            "one",
            "last",
            "Failed OutOfMemory: the container was ended for want of memory",
        ]);
    });

    test("is what a machine writes to its console that can't reach the store", async () => {
        const { cloud, clock } = await begin();
        cloud.on();
        cloud.said =
            "[  1.0] boot\r\nstackrun: no\r\nstackrun n0 ArtifactStoreFailed: the bucket refuses\r\n";
        expect(told(await world.follow())).toEqual(["Failed ArtifactStoreFailed: the bucket refuses"]);
        expect(cloud.calls).toEqual(["stop a"]);
        expect(clock.now()).toBeLessThan(10_000);
    });

    test("comes when a machine was not heard of, with its console's last lines", async () => {
        const { cloud } = await begin({ bootTimeoutSeconds: 100 });
        cloud.on();
        cloud.said = `${Array.from({ length: 30 }, (_, n) => `\x1b[0mline ${n}`).join("\r\n")}\r\n`;
        const [end] = told(await world.follow());
        expect(end).toMatch(
            /^Failed MachineUnusable: the machine in a was not heard of within 100 s of its start\. The last/,
        );
        expect(end?.split("\n").slice(1)).toEqual(Array.from({ length: 20 }, (_, n) => `line ${n + 10}`));
        expect(cloud.calls).toEqual(["stop a"]);
    });

    test("comes when a machine goes off before it was heard of", async () => {
        const { cloud } = await begin();
        cloud.on();
        cloud.off({ kind: "itself" });
        cloud.said = "no disk\n";
        expect(told(await world.follow())).toEqual([
            "Failed MachineUnusable: the machine has switched itself off before it was heard of. The last lines of its serial console:\nno disk",
        ]);
    });

    test("is the cancel, where somebody has cancelled it and the runner was told to end", async () => {
        const { machine, cloud, clock } = await running();
        cloud.onStop = () => machine.says("s\tending\n", INTERRUPTED);
        clock.at(50, () => world.follower.cancel(world.run, "cancelled by the user"));
        const items = await world.follow();
        expect(told(items)).toEqual(["run.started", "one", "ending", "finished Cancelled"]);
        expect(items.at(-1)).toMatchObject({ event: { message: "cancelled by the user" } });
        expect(await world.follower.lastOutcome(world.run)).toMatchObject({ state: "Cancelled" });
        // It has ended: nothing is done to it again.
        await world.follower.cancel(world.run, "again");
        expect(cloud.calls).toEqual(["stop a"]);
    });

    test("is the cancel, where the machine said nothing more", async () => {
        const { clock } = await running();
        clock.at(50, () => world.follower.cancel(world.run, "no longer wanted"));
        expect(told(await world.follow()).at(-1)).toBe("Cancelled Cancelled: no longer wanted");
    });
});

describe("a machine that is made", () => {
    const made = { made: true, capacityTimeoutSeconds: 600 };

    test("is made in the first place that has one", async () => {
        const { machine, cloud, clock } = await begin(made, ["a", "b", "c"]);
        cloud.out.add("a");
        clock.at(30, async () => {
            await machine.boot();
            await machine.says(SUCCEEDED);
        });
        const items = await world.follow();
        expect(cloud.calls).toEqual(["make a", "make b"]);
        expect(statuses(items)).toEqual([
            "a machine is made in a",
            "a machine is made in b",
            "the machine boots in b",
        ]);
    });

    test("is waited for, with longer and longer pauses, where there is none anywhere", async () => {
        const { machine, cloud, clock } = await begin(made, ["a", "b"]);
        cloud.out.add("a").add("b");
        clock.at(100, () => void cloud.out.delete("b"));
        clock.at(200, async () => {
            await machine.boot();
            await machine.says(SUCCEEDED);
        });
        const items = await world.follow();
        expect(told(items)).toEqual(["finished Succeeded"]);
        expect(cloud.calls).toEqual(["a", "b", "a", "b", "a", "b", "a", "b"].map((place) => `make ${place}`));
        const waits = statuses(items).filter((text) => text.startsWith("no machine is to be had in a, b"));
        expect(waits.map((text) => /in (\d+) s/.exec(text)?.[1])).toEqual(["15", "30", "60"]);
    });

    test("is given up after as long as that may last", async () => {
        const { cloud, clock } = await begin(made, ["a", "b"]);
        cloud.out.add("a").add("b");
        expect(told(await world.follow())).toEqual([
            "Lost CapacityExhausted: no machine was to be had in a, b for 600 s: b has none",
        ]);
        expect(clock.now()).toBeGreaterThan(400_000);
        expect(clock.now()).toBeLessThanOrEqual(600_000);
    });

    test("is looked for where it may be before another one is made, also after a lost answer", async () => {
        const { machine, cloud, clock } = await begin(made, ["a", "b"]);
        const { make } = cloud;
        // It is made, and the answer is lost.
        cloud.make = async (...args: Parameters<typeof make>) => {
            await make.apply(cloud, args);
            throw passing("no answer");
        };
        clock.at(60, async () => {
            await machine.boot();
            await machine.says(SUCCEEDED);
        });
        expect(told(await world.follow())).toEqual(["finished Succeeded"]);
        expect(cloud.calls).toEqual(["make a"]);
    });

    test("goes elsewhere when it was taken and its place has none any more", async () => {
        const { machine, cloud, clock } = await begin(made, ["a", "b"]);
        clock.at(10, () => machine.boot());
        clock.at(60, () => {
            cloud.out.add("a");
            cloud.off(preempted);
        });
        clock.at(120, async () => {
            await machine.boot();
            await machine.says(SUCCEEDED);
        });
        expect(told(await world.follow())).toEqual([
            "interrupted: Google has preempted the Spot machine in a",
            "finished Succeeded",
        ]);
        expect(cloud.calls).toEqual(["make a", "start a", "remove a", "make b"]);
    });

    test("is one that nobody takes after too many interruptions, where that is wanted", async () => {
        const { machine, cloud, clock } = await begin({ ...made, maxRecoveries: 1, fallback: "standard" });
        clock.at(10, () => machine.boot());
        for (const boot of [1, 2]) {
            clock.at(100 * boot, () => cloud.off(preempted));
            clock.at(100 * boot + 50, () => machine.boot());
        }
        clock.at(300, () => machine.says(SUCCEEDED));
        expect(told(await world.follow())).toHaveLength(3);
        expect(cloud.calls).toEqual(["make a", "start a", "remove a", "make a standard"]);
    });

    test("is not made where the run was cancelled before, and none is left where it was meanwhile", async () => {
        const { cloud } = await begin(made, ["a", "b"]);
        await world.follower.cancel(world.run, "not wanted");
        expect(told(await world.follow())).toEqual(["Cancelled Cancelled: not wanted"]);
        expect(cloud.calls).toEqual([]);
        world.remove();

        await begin(made);
        const { make } = world.cloud;
        world.cloud.make = async (...args: Parameters<typeof make>) => {
            await world.follower.cancel(world.run, "too late");
            return make.apply(world.cloud, args);
        };
        expect(told(await world.follow())).toEqual(["Cancelled Cancelled: too late"]);
        expect(world.cloud.calls).toEqual(["make a", "stop a"]);
    });
});
