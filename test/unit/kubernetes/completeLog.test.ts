import * as fc from "fast-check";
import type { RunnerEvent } from "../../../src/run/events";
import type { FollowItem } from "../../../src/run/follower";
import {
    CompleteLog,
    type CompleteLogOptions,
    type PodRecord,
} from "../../../src/run/kubernetes/completeLog";
import type { StepPosition } from "../../../src/run/kubernetes/stepLines";
import { RecordStream } from "../../../src/run/stream";

const NONCE = "n0";
const HEAD = { nonce: NONCE, attempt: 1 };
const MOST = 20;

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
        const at = this.written.get(step)?.length ?? 0;
        this.event("step.started", { step, try: 1 });
        let told = 0;
        let bytes = 0;
        const count = () =>
            this.said.push(
                `\u001e${JSON.stringify({ ...HEAD, type: "log.count", step, lines: told, at, bytes, most: MOST })}`,
            );
        for (const [index, line] of lines.entries()) {
            bytes += line.length + 1;
            this.written.set(step, `${this.written.get(step) ?? ""}${line}\n`);
            for (const piece of line.match(new RegExp(`.{1,${MOST}}`, "g")) ?? [""]) {
                this.said.push(`${step}\t${piece}`);
                told++;
            }
            if ((index + 1) % every === 0) {
                count();
            }
        }
        count();
        this.event("step.finished", { step, state: "Succeeded", try: 1, exitCode: 0 });
    }

    log(step: string, start: number, bytes: number): Promise<Buffer> {
        const text = this.written.get(step) ?? "";
        return this.refuses
            ? Promise.reject(new Error("forbidden"))
            : Promise.resolve(Buffer.from(text.slice(start, start + bytes)));
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
    readonly steps: Record<string, StepPosition>;
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
    let mark: Mark = { next: 0, steps: {} };
    const emit = (item: FollowItem) => {
        items.push(item);
        mark = item.bookmark ? (JSON.parse(item.bookmark) as Mark) : mark;
        return Promise.resolve();
    };
    const open = (steps?: Record<string, StepPosition>) =>
        new CompleteLog({ record: runner, emit, holdFromBytes: 0, holdMs: 60_000, steps, ...options });
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
        await log.take(stream.push(part), part.length, (steps) => JSON.stringify({ next, steps }));
        at = next;
        if (restarts.has(at) && !done.has(at)) {
            done.add(at);
            // What was passed on behind the last bookmark is dropped by who keeps the record.
            items.splice(items.findLastIndex((item) => item.bookmark !== undefined) + 1);
            at = mark.next;
            log = open(mark.steps);
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
        const text = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 50 });
        await fc.assert(
            fc.asyncProperty(
                fc.array(text, { maxLength: 60 }),
                fc.array(text, { maxLength: 20 }),
                fc.integer({ min: 1, max: 10 }),
                fc.integer({ min: 1, max: 15 }),
                fc.array(fc.nat(120), { maxLength: 40 }),
                async (first, second, every, batch, gone) => {
                    const runner = new Runner();
                    runner.event("run.started");
                    runner.step("a", first, every);
                    runner.step("b", second, every);
                    runner.event("run.finished", { state: "Succeeded" });
                    const whole = await read(runner, new Set());
                    const ends = new Set([0, runner.said.length - 1]);
                    const finalCounts = runner.said.flatMap((line, index) =>
                        line.includes('"step.finished"') ? [index - 1] : [],
                    );
                    const starts = runner.said.flatMap((line, index) =>
                        line.includes('"step.started"') ? [index] : [],
                    );
                    // Lines that nobody counts, and counts of what has not begun, can't be missed.
                    const kept = new Set([...ends, ...finalCounts, ...starts]);
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
