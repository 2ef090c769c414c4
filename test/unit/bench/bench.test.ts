import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

const BENCH = path.resolve(__dirname, "../../../bench");

interface Figure {
    readonly name: string;
    readonly title: string;
    readonly unit: string;
    readonly max?: number;
    readonly min?: number;
    readonly of?: readonly string[];
}
interface Result extends Figure {
    readonly median: number;
    readonly low: number;
    readonly high: number;
    readonly met: boolean;
    readonly detail?: string;
    readonly raw?: Record<string, number[]>;
}
interface Options {
    readonly only: string[];
    readonly rounds?: number;
    readonly json?: string;
    readonly check: boolean;
    readonly help: boolean;
}

const { judge, quantile } = jest.requireActual<{
    judge(figure: Figure, values: number[]): Result;
    quantile(values: number[], part: number): number;
}>(path.join(BENCH, "lib/stats.js"));
const { format, table } = jest.requireActual<{
    format(value: number, unit: string): string;
    table(results: Result[]): string;
}>(path.join(BENCH, "lib/table.js"));
const { parseOptions } = jest.requireActual<{
    parseOptions(argv: string[], measures: { name: string }[]): { options: Options; mistakes: string[] };
}>(path.join(BENCH, "lib/options.js"));
const { measure, measureOrSkip, Unable } = jest.requireActual<{
    measure(one: unknown, how: { rounds?: number; say(text: string): void }): Promise<Result[]>;
    measureOrSkip(one: unknown, how: { asked: boolean; say(text: string): void }): Promise<Result[]>;
    Unable: new (message: string) => Error;
}>(path.join(BENCH, "lib/measure.js"));
const { exitCodeOf, writeReport } = jest.requireActual<{
    exitCodeOf(results: Result[], options: { check: boolean }): number;
    writeReport(results: Result[], file: string): string;
}>(path.join(BENCH, "lib/report.js"));
const { alternating, run } = jest.requireActual<{
    run(
        command: string,
        args: string[],
        options: { seen?: RegExp },
    ): Promise<{ seconds: number; seenAfter?: number }>;
    alternating(
        round: number,
        things: Record<string, () => Promise<number>>,
    ): Promise<Record<string, number>>;
}>(path.join(BENCH, "lib/exec.js"));

const atMost: Figure = { name: "ratio", title: "a ratio", unit: "x", max: 1.5, of: ["a", "b"] };
const MEASURES = [{ name: "update" }, { name: "log" }];

describe("figures", () => {
    it.each([
        [[3, 1, 2], 0.5, 2],
        [[4, 1, 2, 3], 0.5, 2.5],
        [[4, 1, 2, 3], 0.25, 1.75],
        [[7], 0.75, 7],
        [[10, 9], 1, 10],
    ])("%j: the quantile %d is %d", (values, part, expected) => {
        expect(quantile(values, part)).toBe(expected);
    });

    it("are judged by their median, whatever single rounds say", () => {
        expect(judge(atMost, [1.4, 9, 1.5])).toMatchObject({ median: 1.5, met: true });
        expect(judge(atMost, [1.6, 0.1, 1.51])).toMatchObject({ median: 1.51, met: false });
    });

    it("may have a goal that is a least value", () => {
        const rate: Figure = { name: "rate", title: "lines", unit: "lines/s", min: 100 };
        expect(judge(rate, [100, 90, 110])).toMatchObject({ median: 100, met: true });
        expect(judge(rate, [99])).toMatchObject({ met: false });
    });
});

describe("the table", () => {
    it.each([
        [1.234, "x", "1.23x"],
        [4.256, "ms", "4.26 ms"],
        [123456.7, "lines/s", "123,457 lines/s"],
    ])("shows %d %s as %s", (value, unit, text) => {
        expect(format(value, unit)).toBe(text);
    });

    it("has a line for each figure, with goal and verdict", () => {
        const lines = table([
            { ...judge(atMost, [1.1, 1.2, 1.3]), detail: "a 1 s, b 1.2 s" },
            judge({ name: "r", title: "rate", unit: "lines/s", min: 5 }, [4]),
        ]).split("\n");
        expect(lines).toHaveLength(3);
        expect(lines[1]).toMatch(/^a ratio +1\.20x +1\.15x to 1\.25x +≤ 1\.50x +met +a 1 s, b 1\.2 s$/);
        expect(lines[2]).toMatch(/^rate +4 lines\/s .* ≥ 5 lines\/s +MISSED$/);
    });
});

describe("the rounds of a measure", () => {
    const said: string[] = [];
    const say = (text: string) => void said.push(text);
    const one = (round: (number: number) => Promise<unknown>, disposed: () => void) => ({
        ...{ name: "one", rounds: 3, figures: [atMost] },
        prepare: () => Promise.resolve({ round, dispose: disposed }),
    });

    it("make one result of each figure, with what it was computed from", async () => {
        const dispose = jest.fn();
        const round = (number: number) =>
            Promise.resolve({ figures: { ratio: number }, raw: { a: [1, "s"], b: [number, "s"] } });
        const [result] = await measure(one(round, dispose), { say });
        expect(result).toMatchObject({
            median: 2,
            met: false,
            detail: "a 1 s, b 2 s",
            raw: { b: [1, 2, 3] },
        });
        expect(said.at(-1)).toBe("one: round 3/3: a 1 s, b 3 s");
        expect(dispose).toHaveBeenCalledTimes(1);
    });

    it("clean up when one of them fails", async () => {
        const dispose = jest.fn();
        const round = () => Promise.reject(new Error("no tar"));
        await expect(measure(one(round, dispose), { rounds: 1, say })).rejects.toThrow("no tar");
        expect(dispose).toHaveBeenCalledTimes(1);
    });

    it("are left out with a line that says why where they can't be, unless they were asked for", async () => {
        const prepare = () => Promise.reject(new Unable("it needs root"));
        const unable = { name: "one", rounds: 1, figures: [atMost], prepare };
        await expect(measureOrSkip(unable, { asked: false, say })).resolves.toEqual([]);
        expect(said.at(-1)).toBe("one: NOT MEASURED: it needs root");
        await expect(measureOrSkip(unable, { asked: true, say })).rejects.toThrow("it needs root");
        const broken = { ...unable, prepare: () => Promise.reject(new Error("no tar")) };
        await expect(measureOrSkip(broken, { asked: false, say })).rejects.toThrow("no tar");
    });

    it("begin with another thing each time", async () => {
        const order: string[] = [];
        const thing = (name: string) => () => Promise.resolve(order.push(name));
        const things = { a: thing("a"), b: thing("b"), c: thing("c") };
        await alternating(1, things);
        await alternating(2, things);
        expect(order).toEqual(["b", "c", "a", "c", "a", "b"]);
    });
});

describe("a command", () => {
    const sh = (line: string, seen?: RegExp) => run("sh", ["-c", line], { seen });

    it("is timed to its end, and to the moment when its output matched", async () => {
        const { seconds, seenAfter } = await sh("echo one; sleep 0.4; echo two; sleep 0.4", /^two$/m);
        expect(seenAfter).toBeGreaterThanOrEqual(0.4);
        expect(seconds - Number(seenAfter)).toBeGreaterThanOrEqual(0.3);
    });

    it("fails when nothing matched, and when it failed", async () => {
        await expect(sh("echo one", /two/)).rejects.toThrow(/printed nothing that matches \/two\/:\none/);
        await expect(sh("echo one; exit 3")).rejects.toThrow(/ended with 3:\none/);
    });
});

describe("the command line", () => {
    it("is read", () => {
        const argv = ["--only", "log", "--rounds=2", "--json", "x.json", "--check"];
        expect(parseOptions(argv, MEASURES)).toEqual({
            options: { only: ["log"], rounds: 2, json: "x.json", check: true, help: false },
            mistakes: [],
        });
    });

    it.each([
        [["--only", "logs"], "--only logs: there is no such measure; allowed: update, log"],
        [["--rounds", "0"], "--rounds 0: allowed: a whole number from 1"],
        [["--rounds"], "--rounds needs a value"],
        [["--json", "--check"], "--json needs a value"],
        [["fast"], "fast is not known; see --help"],
    ])("%j is refused", (argv, mistake) => {
        expect(parseOptions(argv, MEASURES).mistakes).toContain(mistake);
    });

    it("names all measures in its help, and ends with 2 on bad input", () => {
        const bench = (...argv: string[]) =>
            spawnSync(process.execPath, [path.join(BENCH, "run.js"), ...argv], { encoding: "utf8" });
        const help = bench("--help");
        expect(help.status).toBe(0);
        expect(help.stdout).toMatch(
            /update .*\n.*runner .*\n.*bundle .*\n.*log .*\n.*import .*\n.*docker .*\n.*kubernetes .*\n.*gcp /,
        );
        const bad = bench("--only", "nothing", "--rounds", "x");
        expect(bad.status).toBe(2);
        expect(bad.stderr.trim().split("\n")).toHaveLength(2);
    });
});

describe("the report", () => {
    it.each([
        [true, 2, 1],
        [true, 1, 0],
        [false, 2, 0],
    ])("with --check %p and a median of %d ends with %d", (check, value, code) => {
        expect(exitCodeOf([judge(atMost, [1]), judge(atMost, [value])], { check })).toBe(code);
    });

    it("holds all values", () => {
        const dir = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-bench-test-"));
        try {
            const file = writeReport([judge(atMost, [1, 2])], path.join(dir, "deep", "report.json"));
            expect(JSON.parse(fs.readFileSync(file, "utf8"))).toMatchObject({
                machine: { node: process.version },
                results: [{ name: "ratio", values: [1, 2], median: 1.5, met: true }],
            });
        } finally {
            fs.rmSync(dir, { recursive: true, force: true });
        }
    });
});
