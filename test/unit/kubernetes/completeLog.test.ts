import * as fc from "fast-check";
import type { RunnerEvent } from "../../../src/run/events";
import type { FollowItem } from "../../../src/run/follower";
import { CompleteLog, type CompleteLogOptions } from "../../../src/run/kubernetes/completeLog";
import type { PodRecord } from "../../../src/run/kubernetes/podRecord";
import type { LogState } from "../../../src/run/kubernetes/heldItems";
import { piecesOf } from "../../../src/run/kubernetes/stepLines";
import { RecordStream } from "../../../src/run/stream";

const NONCE = "n0";
const HEAD = { nonce: NONCE, attempt: 1 };
const MOST = 4093;

/** A runner's words, and its files. */
class Runner implements PodRecord {
    readonly said: string[] = [];
    readonly written = new Map<string, string>();
    private readonly all: RunnerEvent[] = [];
    held = false;
    refuses = false;

    event(type: string, more: object = {}): void {
        const event = { n: this.all.length + 1, ...HEAD, time: "t", type, ...more } as RunnerEvent;
        this.all.push(event);
        this.said.push(`\u001e${JSON.stringify(event)}`);
    }

    /** A try of a step, counted now and then and at its end. */
    step(step: string, lines: readonly string[], every: number): void {
        this.sideBySide({ [step]: lines }, every);
    }

    /** Steps that take turns, line by line. */
    sideBySide(steps: Readonly<Record<string, readonly string[]>>, every: number): void {
        const all = Object.entries(steps).map(([step, lines]) => ({
            step,
            lines,
            at: Buffer.byteLength(this.written.get(step) ?? ""),
            bytes: 0,
            told: 0,
        }));
        const count = ({ step, told, at, bytes }: (typeof all)[number], more: object = {}) => {
            const said = { ...HEAD, type: "log.count", step, lines: told, at, bytes, most: MOST, ...more };
            this.said.push(`\u001e${JSON.stringify(said)}`);
        };
        for (const { step } of all) {
            this.event("step.started", { step, try: 1 });
        }
        const longest = Math.max(...all.map(({ lines }) => lines.length));
        for (let index = 0; index < longest; index++) {
            for (const one of all.filter(({ lines }) => index < lines.length)) {
                const line = String(one.lines[index]);
                one.bytes += Buffer.byteLength(line) + 1;
                this.written.set(one.step, `${this.written.get(one.step) ?? ""}${line}\n`);
                for (const piece of piecesOf(Buffer.from(`${line}\n`), MOST)) {
                    this.said.push(`${one.step}\t${piece}`);
                    one.told++;
                }
                if ((index + 1) % every === 0) {
                    count(one);
                }
            }
        }
        for (const one of all) {
            count(one, { last: true });
            this.event("step.finished", { step: one.step, state: "Succeeded", try: 1, exitCode: 0 });
        }
    }

    log(step: string, start: number, bytes = Infinity): Promise<Buffer> {
        const text = this.written.get(step) ?? "";
        return this.refuses
            ? Promise.reject(new Error("forbidden"))
            : Promise.resolve(Buffer.from(text).subarray(start, start + bytes));
    }

    events(): Promise<RunnerEvent[]> {
        return this.refuses ? Promise.reject(new Error("forbidden")) : Promise.resolve(this.all);
    }

    hold(): Promise<void> {
        this.held = true;
        return this.refuses ? Promise.reject(new Error("forbidden")) : Promise.resolve();
    }

    release(): Promise<void> {
        this.held = false;
        return Promise.resolve();
    }
}

interface Mark {
    readonly next: number;
    readonly state?: LogState;
}

/** Reads lines, of which some are lost, in batches; begins anew at the last bookmark where `restarts` says so. */
async function read(
    runner: Runner,
    lost: ReadonlySet<number>,
    {
        batch = 7,
        restarts = new Set<number>(),
        ...options
    }: Partial<CompleteLogOptions> & {
        batch?: number;
        restarts?: ReadonlySet<number>;
    } = {},
): Promise<FollowItem[]> {
    const items: FollowItem[] = [];
    const lines = runner.said.map((line, index) => ({ line, index })).filter(({ index }) => !lost.has(index));
    let mark: Mark = { next: 0 };
    const emit = (item: FollowItem) => {
        items.push(item);
        mark = item.bookmark ? (JSON.parse(item.bookmark) as Mark) : mark;
        return Promise.resolve();
    };
    const open = (from?: LogState) =>
        new CompleteLog({ record: runner, emit, holdFromBytes: 0, holdMs: 60_000, from, ...options });
    let log = open();
    let stream = new RecordStream(HEAD);
    const done = new Set<number>();
    for (let at = 0; at < lines.length;) {
        const next = Math.min(at + batch, lines.length);
        const part = Buffer.from(
            lines
                .slice(at, next)
                .map(({ line }) => `${line}\n`)
                .join(""),
        );
        await log.take(stream.push(part), part.length, (state) => JSON.stringify({ next, state }));
        at = next;
        if (restarts.has(at) && !done.has(at)) {
            done.add(at);
            // What was passed on behind the last bookmark is dropped by who keeps the record.
            items.splice(items.findLastIndex((item) => item.bookmark !== undefined) + 1);
            at = mark.next;
            log = open(mark.state);
            stream = new RecordStream(HEAD);
        }
    }
    await log.end();
    return items;
}

const textOf = (items: readonly FollowItem[], step: string) =>
    items.flatMap((item) =>
        item.type === "log" ? item.lines.filter((line) => line.step === step).map(({ text }) => text) : [],
    );
const eventsOf = (items: readonly FollowItem[]) =>
    items.flatMap((item) => (item.type === "event" ? [item.event.n] : []));
const numbered = (count: number) => Array.from({ length: count }, (_, index) => `line ${index}`);
const isLine = (text: string) => text.startsWith("a\t");

/** Where the runner's lines of step a are in what it said. */
const linesIn = (runner: Runner) => runner.said.flatMap((text, index) => (isLine(text) ? [index] : []));

describe("a log of which the platform loses lines", () => {
    it("is whole and in order, wherever lines, events and counts are lost, and wherever the reading begins anew", async () => {
        const short = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 5 });
        const long = short.map((one) => one.padEnd(2 * MOST + 10, "€"));
        const text = fc.oneof({ weight: 9, arbitrary: short }, { weight: 1, arbitrary: long });
        await fc.assert(
            fc.asyncProperty(
                fc.array(text, { maxLength: 60 }),
                fc.array(text, { maxLength: 20 }),
                fc.integer({ min: 1, max: 10 }),
                fc.integer({ min: 1, max: 15 }),
                fc.array(fc.nat(120), { maxLength: 40 }),
                async (first, second, every, batch, gone) => {
                    const runner = new Runner();
                    runner.event("run.started", { fresh: true });
                    runner.step("a", first, every);
                    runner.step("b", second, every);
                    runner.event("run.finished", { state: "Succeeded" });
                    const whole = await read(runner, new Set());
                    // Of what is said before the first event and behind the last one, nobody knows.
                    const kept = new Set([0, runner.said.length - 1]);
                    const lost = new Set(gone.filter((index) => !kept.has(index)));
                    const items = await read(runner, lost, { batch });
                    expect(textOf(items, "a")).toEqual(textOf(whole, "a"));
                    expect(textOf(items, "b")).toEqual(textOf(whole, "b"));
                    expect(eventsOf(items)).toEqual(eventsOf(whole));
                },
            ),
            { numRuns: 200 },
        );
    });

    it("is whole when the reading begins anew", async () => {
        await fc.assert(
            fc.asyncProperty(
                fc.integer({ min: 1, max: 10 }),
                fc.integer({ min: 1, max: 15 }),
                fc.array(fc.nat(50), { maxLength: 10 }),
                fc.array(fc.nat(60), { maxLength: 4 }),
                async (every, batch, gone, restarts) => {
                    const runner = new Runner();
                    runner.step("a", numbered(40), every);
                    const lines = linesIn(runner);
                    const lost = new Set(gone.flatMap((index) => lines[index] ?? []));
                    const items = await read(runner, lost, { batch, restarts: new Set(restarts) });
                    expect(textOf(items, "a")).toEqual(numbered(40));
                },
            ),
            { numRuns: 200 },
        );
    });

    it("is whole, and has nothing twice, when steps run side by side and the reading begins anew", async () => {
        await fc.assert(
            fc.asyncProperty(
                fc.integer({ min: 1, max: 10 }),
                fc.integer({ min: 1, max: 15 }),
                fc.array(fc.nat(120), { maxLength: 20 }),
                fc.array(fc.nat(120), { maxLength: 3 }),
                async (every, batch, gone, restarts) => {
                    const runner = new Runner();
                    runner.event("run.started", { fresh: true });
                    runner.sideBySide({ a: numbered(30), b: numbered(20) }, every);
                    runner.event("run.finished", { state: "Succeeded" });
                    const lost = new Set(gone.filter((index) => index > 0 && index < runner.said.length - 1));
                    const items = await read(runner, lost, { batch, restarts: new Set(restarts) });
                    expect(textOf(items, "a")).toEqual(numbered(30));
                    expect(textOf(items, "b")).toEqual(numbered(20));
                },
            ),
            { numRuns: 500 },
        );
    });

    it("is not guessed at: where lines were passed on uncounted before the reading began anew, it is told", async () => {
        const runner = new Runner();
        runner.event("run.started", { fresh: true });
        runner.step("a", numbered(9), 9);
        const [, second] = linesIn(runner) as [number, number];
        const restarts = new Set([6]);
        const items = await read(runner, new Set([second]), { batch: 3, holdFromBytes: Infinity, restarts });
        expect(textOf(items, "a")).toEqual([
            ...numbered(9).filter((text) => text !== "line 1"),
            "stackrun: 1 line is missing above: the platform's log has lost them",
        ]);
    });

    it("tells that its end may be missing where the pod can't be asked", async () => {
        const runner = new Runner();
        runner.refuses = true;
        runner.event("run.started", { fresh: true });
        runner.step("a", numbered(4), 9);
        const lines = linesIn(runner);
        const items = await read(runner, new Set([Number(lines[3]), Number(lines[3]) + 1]));
        expect(textOf(items, "a")).toEqual([
            ...numbered(3),
            "stackrun: lines may be missing above: the platform's log has lost how many there were",
        ]);
    });

    it("comes late where it could not be held back, and says so", async () => {
        const runner = new Runner();
        runner.step("a", numbered(6), 6);
        const [, second] = linesIn(runner) as [number, number];
        const items = await read(runner, new Set([second]), { batch: 3, holdFromBytes: Infinity });
        expect(textOf(items, "a")).toEqual([
            ...numbered(6).filter((text) => text !== "line 1"),
            "stackrun: 1 line comes late: the platform's log had lost them",
            "line 1",
        ]);
        expect(runner.held).toBe(false);
    });

    it("is passed on although nobody has counted it, after a while", async () => {
        const runner = new Runner();
        runner.step("a", numbered(3), 3);
        const items: FollowItem[] = [];
        const emit = (item: FollowItem) => Promise.resolve(void items.push(item));
        const log = new CompleteLog({ record: runner, emit, holdFromBytes: 0, holdMs: 50 });
        const stream = new RecordStream(HEAD);
        const part = Buffer.from(`${runner.said.slice(0, 3).join("\n")}\n`);
        await log.take(stream.push(part), part.length);
        expect(textOf(items, "a")).toEqual([]);
        while (textOf(items, "a").length < 2) {
            await new Promise((resolve) => setTimeout(resolve, 10));
        }
        expect(runner.held).toBe(true);
        await log.end();
        expect(runner.held).toBe(false);
    });

    it("tells what is missing where the pod can't be asked", async () => {
        const runner = new Runner();
        runner.refuses = true;
        runner.step("a", numbered(4), 2);
        const [, second] = linesIn(runner) as [number, number];
        const items = await read(runner, new Set([second]));
        expect(textOf(items, "a")).toEqual([
            "line 0",
            "stackrun: 1 line is missing above: the platform's log has lost them",
            "line 2",
            "line 3",
        ]);
    });
});
