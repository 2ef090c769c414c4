import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { pipeline, runWeather, withFolder, type RunOptions, type RunResult } from "./weatherRun";

interface Model {
    trainUntil: string;
    trainRows: number;
    ridge: number;
    intercept: number;
    features: { centre: number; spread: number; weight: number }[];
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "weather-"));
let run: RunResult;

beforeAll(() => {
    run = runWeather(folder);
});

afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

/** The rows of an output, without its header. */
const rowsOf = (ref: string) =>
    run
        .read(ref)
        .trimEnd()
        .split("\n")
        .slice(1)
        .map((line) => line.split(","));

/** The first fault in how a document's tags, attributes and entities are written, if there is one. */
function xmlFault(text: string): string | undefined {
    const open: string[] = [];
    const tag = /<(\/?)([A-Za-z]+)((?:\s+[A-Za-z0-9:-]+="[^"<&]*")*)\s*(\/?)>/g;
    for (const [whole, close, name, , empty] of text.matchAll(tag)) {
        if (close && open.pop() !== name) {
            return whole;
        }
        if (!close && !empty) {
            open.push(name);
        }
    }
    const bare = /<|&(?!(amp|lt|gt|quot|apos|#\d+);)/.exec(text.replace(tag, ""));
    return bare ? `"${bare[0]}" in the text` : open[0];
}

describe("the weather example's pipeline.yaml", () => {
    it("loads, with steps in order and parameters that are typed, bounded and described", () => {
        const names = ["load", "check", "features", "train", "evaluate", "chart"];
        expect(pipeline.steps.map((step) => step.name)).toEqual(names);
        expect(pipeline.steps.map((step) => step.after)).toEqual(
            names.map((_, i) => expect.arrayContaining(names.slice(Math.max(0, i - 1), i))),
        );
        expect(pipeline.params.horizon).toMatchObject({
            type: "integer",
            default: 1,
            minimum: 1,
            maximum: 14,
        });
        expect(Object.values(pipeline.params).filter((param) => !param.description)).toEqual([]);
    });
});

describe("a run of the weather example", () => {
    it("succeeds, and every step writes what it declares", () => {
        expect(run.failed).toBeUndefined();
        for (const step of pipeline.steps) {
            expect(fs.readdirSync(run.outputs(step.name)).sort()).toEqual([...step.outputs].sort());
        }
        expect(run.metrics).toMatchObject({ rows: 1461, days: 1461, train_rows: 1082, test_days: 365 });
        expect(run.read("check/quality.txt")).toBe(
            "1461 rows, 1461 days from 2012-01-01 to 2015-12-31, nothing missing\n" +
                "precipitation: 0.0 to 55.9\ntemp_max: -1.6 to 35.6\ntemp_min: -7.1 to 18.3\nwind: 0.4 to 9.5\n",
        );
    });

    it("forecasts better than persistence and climatology", () => {
        const evaluation = JSON.parse(run.read("evaluate/evaluation.json"));
        for (const baseline of ["persistence", "climatology"]) {
            expect(evaluation.forecast.mae).toBeLessThan(evaluation[baseline].mae);
            expect(evaluation.forecast.rmse).toBeLessThan(evaluation[baseline].rmse);
        }
        expect(run.metrics.mae).toBe(evaluation.forecast.mae);
        expect(run.metrics.skill).toBeGreaterThan(0.05);
        expect(run.metrics.r2).toBeGreaterThan(0.85);
    });

    it("compares each forecast with that day's measured high and with that of the day before", () => {
        const highs = rowsOf("load/weather.csv").map(([date, , high]) => [date, Number(high)] as const);
        const expected = highs
            .slice(-365)
            .map(([date, high], i) => [date, high, highs[highs.length - 366 + i][1]]);
        const rows = rowsOf("evaluate/forecast.csv");
        expect(rows.map(([date, actual, , before]) => [date, Number(actual), Number(before)])).toEqual(
            expected,
        );
    });

    it("trains weights that solve the normal equations", () => {
        const model = JSON.parse(run.read("train/model.json")) as Model;
        const training = rowsOf("features/features.csv").filter(([, target]) => target <= model.trainUntil);
        expect(training).toHaveLength(model.trainRows);
        const scaled = training.map((row) =>
            model.features.map(({ centre, spread }, i) => (Number(row[i + 3]) - centre) / spread),
        );
        const errors = scaled.map((xs, r) => {
            const forecast = xs.reduce((sum, x, i) => sum + x * model.features[i].weight, model.intercept);
            return Number(training[r][2]) - forecast;
        });
        model.features.forEach(({ weight }, i) => {
            const gradient = errors.reduce((sum, error, r) => sum + error * scaled[r][i], 0);
            expect(gradient).toBeCloseTo(model.ridge * weight, 1);
        });
    });

    it("draws a well-formed picture with lines, dots, bars and colours for the dark", () => {
        const svg = run.read("chart/chart.svg");
        expect(xmlFault(svg)).toBeUndefined();
        expect(svg.match(/<path class="line /g)).toHaveLength(2);
        expect(
            svg
                .match(/<path class="dots" [^>]*"/g)!
                .at(-1)!
                .split("M"),
        ).toHaveLength(1 + 365);
        expect(svg.match(/<rect class="bar /g)).toHaveLength(3 + 3 * 12);
        expect(svg).toContain("<title>Seattle’s daily high, forecast one day ahead</title>");
        expect(svg).toContain("prefers-color-scheme: dark");
        expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    });

    it("writes the same bytes in another folder, time zone and language", () => {
        const env = { TZ: "Pacific/Auckland", LC_ALL: "de_DE.UTF-8", LANG: "de_DE.UTF-8" };
        const refs = pipeline.steps.flatMap((step) => step.outputs.map((output) => `${step.name}/${output}`));
        withFolder((other) => {
            const again = runWeather(other, { env });
            expect(again.metrics).toEqual(run.metrics);
            expect(refs.filter((ref) => again.read(ref) !== run.read(ref))).toEqual([]);
        });
    });
});

describe("the weather example with other parameters", () => {
    it.each([3, 14])("forecasts %i days ahead, better than persistence", (horizon) => {
        withFolder((other) => {
            const result = runWeather(other, { params: { horizon: String(horizon) } });
            expect(result.failed).toBeUndefined();
            expect(result.metrics.skill).toBeGreaterThan(run.metrics.skill);
            expect(result.read("chart/chart.svg")).toContain(`forecast ${horizon} days ahead`);
        });
    });

    it("draws a hold-out of several years, with each year named once", () => {
        withFolder((other) => {
            const result = runWeather(other, { params: { train_until: "2013-06-30" } });
            const years = result.read("chart/chart.svg").match(/>[A-Z][a-z]{2} \d{4}</g);
            expect(years).toEqual([">Jul 2013<", ">Jan 2014<", ">Jan 2015<"]);
        });
    });
});

/** Changes line `number` of the data (the header is line 1); no text takes the line out. */
const line = (number: number, change: (text: string) => string | undefined) => (csv: string) =>
    csv
        .split("\n")
        .flatMap((text, i) => (i === number - 1 ? (change(text) ?? []) : text))
        .join("\n");

const cell = (number: number, column: number, value: string) =>
    line(number, (text) => Object.assign(text.split(","), { [column]: value }).join(","));

/** What goes in, which step refuses it, and what that step says. */
const faults: [string, RunOptions, string, string][] = [
    [
        "data that is not what was published",
        { data: cell(9, 2, "4.5"), keepChecksum: true },
        "load",
        "data/seattle-weather.csv is damaged",
    ],
    [
        "another header",
        { data: line(1, (text) => text.replace("wind", "gale")) },
        "check",
        "line 1: the header is",
    ],
    ["a missing value", { data: cell(10, 3, "") }, "check", "line 10: temp_min is missing"],
    [
        "a value that is no number",
        { data: cell(10, 4, "1e9") },
        "check",
        'line 10: wind is "1e9", not a number',
    ],
    [
        "an impossible value",
        { data: cell(10, 2, "99.5") },
        "check",
        "line 10: temp_max is 99.5, outside -40 to 55",
    ],
    ["a row that is cut off", { data: (csv) => csv.slice(0, -9) }, "check", "line 1462: 4 columns, not 6"],
    [
        "a day that is missing (29 February)",
        { data: line(61, () => undefined) },
        "check",
        "line 61: 2012-03-01 does not follow 2012-02-28 by one day",
    ],
    ["no data", { data: (csv) => csv.slice(0, csv.indexOf("\n") + 1) }, "check", "there is no data"],
    [
        "a horizon of no days",
        { params: { horizon: "0" } },
        "features",
        'horizon has to be a whole number from 1 to 14, not "0"',
    ],
    ["half a day", { params: { horizon: "1.5" } }, "features", 'a whole number from 1 to 14, not "1.5"'],
    [
        "a negative ridge",
        { params: { ridge: "-1" } },
        "train",
        'ridge has to be a number from 0 to 100000, not "-1"',
    ],
    [
        "a day that does not exist",
        { params: { train_until: "2014-02-31" } },
        "train",
        'train_until has to be a date such as 2014-12-31, not "2014-02-31"',
    ],
    [
        "nothing left to test on",
        { params: { train_until: "2015-12-24" } },
        "train",
        "leaves 1440 days to train on and 7 to test on: at least 365 and 30 are needed",
    ],
    [
        "a model that is not good enough",
        { params: { minimum_skill: "0.5" } },
        "evaluate",
        "below minimum_skill 0.5: it is off by 2.061 °C on average, persistence by 2.24 °C",
    ],
];

describe("the weather example refuses", () => {
    it.each(faults)("%s", (_, options, step, message) => {
        withFolder((other) => {
            const { failed } = runWeather(other, options);
            expect(failed).toEqual({ step, stderr: expect.stringContaining(message) });
            expect(failed!.stderr).toMatch(new RegExp(`^(${step}: .+\n)+$`));
        });
    });

    it("a file with many faults in a few lines", () => {
        withFolder((other) => {
            const { failed } = runWeather(other, { data: (csv) => csv.replaceAll(",rain", ",hail") });
            expect(failed!.stderr.trimEnd().split("\n")).toHaveLength(11);
            expect(failed!.stderr).toContain("check: and 631 faults more");
        });
    });
});
