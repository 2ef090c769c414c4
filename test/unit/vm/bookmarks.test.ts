import * as fc from "fast-check";
import * as fs from "node:fs";
import * as path from "node:path";
import { attemptEvents } from "../../../src/run/outcome";
import { INTERRUPTED, STARTED, SUCCEEDED } from "../../support/vm/machine";
import { told, World } from "./world";

/** Not every bookmark of every case: they are many. */
const STEP = 5;

/** What a boot says, as the lengths of its lines; and where the pieces are cut, in bytes: within lines too. */
const boot = fc.record({
    lines: fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 12 }),
    cuts: fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1, maxLength: 20 }),
    /** The last line is torn, as by a power cut. */
    torn: fc.boolean(),
});
type Boot = typeof boot extends fc.Arbitrary<infer T> ? T : never;

function textOf({ lines, torn }: Boot, number: number, last: boolean): string {
    const text = lines.map((length, index) => `s\t${number}.${index} ${"x".repeat(length)}\n`).join("");
    const end = last ? SUCCEEDED : torn ? "s\tto" : INTERRUPTED;
    return `${STARTED}${text}${end}`;
}

function piecesOf(text: string, cuts: readonly number[]): string[] {
    const pieces: string[] = [];
    for (let at = 0, index = 0; at < text.length; index++) {
        const length = cuts[index % cuts.length] as number;
        pieces.push(text.slice(at, at + length));
        at += length;
    }
    return pieces;
}

async function recorded(boots: readonly Boot[], work: (world: World) => Promise<void>): Promise<void> {
    const world = new World({ maxRecoveries: 100 });
    try {
        await world.machine.bootFiles();
        world.cloud.on();
        for (const [index, one] of boots.entries()) {
            await world.machine.boot();
            const text = textOf(one, index + 1, index === boots.length - 1);
            for (const piece of piecesOf(text, one.cuts)) {
                await world.machine.says(piece);
            }
        }
        await work(world);
    } finally {
        world.remove();
    }
}

function expected(boots: readonly Boot[]): string[] {
    return boots.flatMap(({ lines, torn }, index) => {
        const last = index === boots.length - 1;
        return [
            "run.started",
            ...lines.map((length, line) => `${index + 1}.${line} ${"x".repeat(length)}`),
            ...(last ? ["finished Succeeded"] : torn ? ["to"] : []),
            ...(last ? [] : ["interrupted: the machine went without notice, and has booted again"]),
        ];
    });
}

test("whoever goes on at any bookmark gets all that comes behind it, once", async () => {
    const cases = fc.array(boot, { minLength: 1, maxLength: 3 });
    await fc.assert(
        fc.asyncProperty(cases, fc.double({ min: 0, max: 0.99, noNaN: true }), (boots, at) =>
            recorded(boots, async (world) => {
                const all = await world.follow();
                expect(told(all)).toEqual(expected(boots));
                const start = Math.floor(at * STEP);
                for (let index = start; index < all.length - 1; index += STEP) {
                    const bookmark = all[index]?.bookmark;
                    const rest = told(all.slice(index + 1));
                    expect([bookmark, told(await world.follow(bookmark))]).toEqual([
                        expect.any(String),
                        rest,
                    ]);
                }
            }),
        ),
        { numRuns: 12 },
    );
}, 120_000);

test("a record whose writer is killed again and again is the same in the end", async () => {
    const boots: Boot[] = [1, 2, 3].map(() => ({ lines: [5, 0, 40, 7], cuts: [30, 7, 90], torn: false }));
    await recorded(boots, async (world) => {
        const count = (await world.follow()).length;
        for (let kill = 0; kill < count; kill++) {
            await world.followFor(1 + (kill % 3));
            const events = await attemptEvents(world.run);
            if (events.at(-1)?.type === "run.finished") {
                break;
            }
        }
        const log = fs.readFileSync(path.join(world.run.runDir, "log"), "utf8");
        const lines = expected(boots).filter((text) => /^\d\.\d /.test(text));
        expect(log.split("\n").filter(Boolean)).toEqual(lines.map((text) => `s\t${text}`));
        const events = (await attemptEvents(world.run)).map(({ type }) => type);
        const between = ["run.started", "run.interrupted"];
        expect(events).toEqual([...between, ...between, "run.started", "run.finished"]);
    });
});

test("an interruption that was told is not told again by whoever brings the machine back", async () => {
    const world = new World();
    try {
        await world.machine.bootFiles();
        world.cloud.on();
        await world.machine.boot();
        await world.machine.says(STARTED, "s\tone\n");
        world.clock.at(20, () => world.cloud.off({ kind: "taken", message: "preempted" }));
        // Killed as soon as it has told it, before the machine is started.
        const items = await world.followFor(2);
        expect(told(items)).toEqual(["run.started", "one"]);
        expect(told(await world.followFor(1))).toEqual(["interrupted: preempted in a"]);
        expect(world.cloud.calls).toEqual([]);
        world.clock.at(world.clock.now() / 1000 + 50, async () => {
            await world.machine.boot();
            await world.machine.says(SUCCEEDED);
        });
        expect(told(await world.followFor(100))).toEqual(["finished Succeeded"]);
        expect(world.cloud.calls).toEqual(["start a"]);
        const events = (await attemptEvents(world.run)).map(({ type }) => type);
        expect(events).toEqual(["run.started", "run.interrupted", "run.finished"]);
    } finally {
        world.remove();
    }
});
