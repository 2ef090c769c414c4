import { definePipeline } from "../../../src/pipeline";
import { parse, withSteps, withTop } from "./support";

const WEATHER = `
name: weather
description: Forecasts
image: {build: {dockerfile: Dockerfile, args: {PYTHON: 3.10}, platform: linux/amd64}}
params:
  horizon: 7
  rate: 1.0
  region: eu
  fast: true
  model: {type: string, default: small, enum: [small, large], description: Size}
  since: {type: string, pattern: '^\\d{4}$'}
env: {LOG_LEVEL: info, VERSION: 1.10, PORT: 0x1F, DEBUG: true}
secrets: [API_TOKEN]
timeout: 1h30m
parallelism: 2
retries: {limit: 1, delay: 5s}
steps:
  - name: load
    run: python load.py "$STACKRUN_OUTPUTS/raw.csv"
    outputs: [./raw.csv, model//weights/]
    env: {LOG_LEVEL: debug}
  - name: train
    run: [python, train.py, ""]
    inputs: {raw: load/raw.csv}
    retries: 3
    timeout: 90
    cache: true
    resources: {cpu: 500m, memory: 4Gi, gpu: 1}
  - name: score
    run: score
    after: [train, load, train]
    processing: dataflow
`;

test("a pipeline with everything in it", () => {
    expect(parse(WEATHER)).toEqual({
        name: "weather",
        description: "Forecasts",
        image: {
            build: {
                context: ".",
                dockerfile: "Dockerfile",
                args: { PYTHON: "3.10" },
                platform: "linux/amd64",
            },
        },
        params: {
            horizon: { type: "integer", default: 7 },
            rate: { type: "number", default: 1 },
            region: { type: "string", default: "eu" },
            fast: { type: "boolean", default: true },
            model: { type: "string", default: "small", enum: ["small", "large"], description: "Size" },
            since: { type: "string", pattern: "^\\d{4}$" },
        },
        env: { LOG_LEVEL: "info", VERSION: "1.10", PORT: "0x1F", DEBUG: "true" },
        secrets: ["API_TOKEN"],
        timeoutSeconds: 5400,
        parallelism: 2,
        steps: [
            {
                name: "load",
                run: 'python load.py "$STACKRUN_OUTPUTS/raw.csv"',
                after: [],
                inputs: {},
                outputs: ["raw.csv", "model/weights"],
                env: { LOG_LEVEL: "debug" },
                retries: { limit: 1, delaySeconds: 5, factor: 2 },
                cache: false,
            },
            {
                name: "train",
                run: ["python", "train.py", ""],
                after: ["load"],
                inputs: { raw: { step: "load", output: "raw.csv" } },
                outputs: [],
                env: {},
                retries: { limit: 3, delaySeconds: 5, factor: 2 },
                timeoutSeconds: 90,
                cache: true,
                resources: { cpu: 0.5, memory: "4Gi", gpu: 1 },
            },
            {
                name: "score",
                run: "score",
                after: ["load", "train"],
                inputs: {},
                outputs: [],
                env: {},
                retries: { limit: 1, delaySeconds: 5, factor: 2 },
                cache: false,
                processing: "dataflow",
            },
        ],
    });
});

test("the smallest pipeline has defaults for the rest", () => {
    expect(parse(withTop())).toEqual({
        name: "x",
        params: {},
        env: {},
        secrets: [],
        parallelism: 1,
        steps: [
            {
                name: "a",
                run: "x",
                after: [],
                inputs: {},
                outputs: [],
                env: {},
                retries: { limit: 0, delaySeconds: 1, factor: 2 },
                cache: false,
            },
        ],
    });
});

test("cache of the pipeline is the default of its steps", () => {
    const { steps } = parse(`cache: true\n${withSteps("name: a, run: x", "name: b, run: x, cache: false")}`);
    expect(steps.map(({ cache }) => cache)).toEqual([true, false]);
});

test.each([
    ["10s", 10],
    ["30m", 1800],
    ["2h", 7200],
    ["1d", 86400],
    ["1h30m", 5400],
    ["1.5h", 5400],
    ["0.25", 0.25],
    ["'45'", 45],
    ["365d", 31536000],
])("the timeout %s is %d seconds", (text, seconds) => {
    expect(parse(withTop(`timeout: ${text}`)).timeoutSeconds).toBe(seconds);
});

test.each(["512Mi", "4Gi", "2G", "1.5Gi", "100k", "1073741824"])("the memory %s is a quantity", (memory) => {
    const { steps } = parse(withSteps(`name: a, run: x, resources: {memory: ${memory}}`));
    expect(steps[0].resources).toEqual({ memory });
});

test.each([
    "python:3.12-slim",
    "ghcr.io/owner/some_name.x/y:v1",
    "localhost:5000/a/b@sha256:0123456789abcdef0123456789abcdef",
    "redis",
])("%s is an image", (image) => {
    expect(parse(withTop(`image: ${image}`)).image).toBe(image);
});

test.each(['Wetter "heute" – für Ölmühlen 🌦', "it's", "a".repeat(100), "50%"])("%s is a name", (name) => {
    expect(parse(withTop().replace("name: x", `name: ${JSON.stringify(name)}`)).name).toBe(name);
});

describe("order", () => {
    const order = (...steps: string[]): string[] =>
        parse(withSteps(...steps)).steps.map(({ name, after }) => [name, ...after].join("<"));

    test("each step waits for the one before it", () => {
        expect(order("name: a, run: x", "name: b, run: x", "name: c, run: x")).toEqual(["a", "b<a", "c<b"]);
    });

    test("after: [] waits for nothing", () => {
        expect(order("name: a, run: x", "name: b, run: x, after: []")).toEqual(["a", "b"]);
    });

    test("after replaces the default, inputs add to it", () => {
        const steps = [
            "name: a, run: x, outputs: [o]",
            "name: b, run: x, after: []",
            "name: c, run: x, inputs: {i: a/o}",
            "name: d, run: x, after: [a]",
        ];
        expect(order(...steps)).toEqual(["a", "b", "c<a<b", "d<a"]);
    });

    test("a step that waits for a later one moves behind it, the others stay", () => {
        const steps = [
            "name: a, run: x, after: [d]",
            "name: b, run: x, after: []",
            "name: c, run: x",
            "name: d, run: x, after: [], outputs: [o]",
            "name: e, run: x, after: [c, a]",
        ];
        expect(order(...steps)).toEqual(["b", "c<b", "d", "a<d", "e<c<a"]);
    });

    test("an input of a later step is fine too", () => {
        expect(
            order("name: a, run: x, inputs: {i: b/o}", "name: b, run: x, after: [], outputs: [o]"),
        ).toEqual(["b", "a<b"]);
    });
});

describe("YAML", () => {
    const plain = parse(withTop("env: {A: b}"));

    test.each([
        ["a byte order mark and CRLF", "\uFEFF" + withTop("env: {A: b}").replaceAll("\n", "\r\n")],
        [
            "comments and another order",
            `# hi\nsteps: [{run: x, name: a}]\n\n"env": {"A": 'b'} # yes\nname: x`,
        ],
        ["JSON", JSON.stringify({ name: "x", env: { A: "b" }, steps: [{ name: "a", run: "x" }] })],
        ["markers of the document", `%YAML 1.1\n---\n${withTop("env: {A: b}")}...\n`],
        ["anchors", "name: &n x\nenv: {A: &b b}\nsteps: [{name: a, run: *n}]"],
        ["merge keys", "name: x\nenv: {<<: {A: b}}\nsteps: [{<<: [{name: a}, {name: c}], run: x}]"],
    ])("%s", (_, text) => {
        expect(parse(text)).toEqual(plain);
    });

    test("CRLF does not get into scripts", () => {
        const { steps } = parse(
            "name: x\r\nsteps:\r\n  - name: a\r\n    run: |\r\n      one\r\n      two\r\n",
        );
        expect(steps[0].run).toBe("one\ntwo\n");
    });

    test("names of JavaScript's own objects are names like others", () => {
        const names = ["constructor", "toString", "hasOwnProperty", "valueOf"];
        const text = `name: x\nparams: {constructor: 1}\nenv: {toString: a}\nsecrets: [valueOf]\n${names
            .map((name, i) => `${i === 0 ? "steps:\n" : ""} - {name: ${name}, run: x, outputs: [${name}]}\n`)
            .join("")} - {name: z, run: x, inputs: {toString: toString/toString}}`;
        const pipeline = parse(text);
        expect(pipeline.params).toEqual({ constructor: { type: "integer", default: 1 } });
        expect(pipeline.env).toEqual({ toString: "a" });
        expect(pipeline.steps[4].inputs).toEqual({ toString: { step: "toString", output: "toString" } });
    });
});

test("the same pipeline in TypeScript", () => {
    const pipeline = definePipeline({
        name: "x",
        timeout: undefined,
        params: { horizon: 7, region: { type: "string" } },
        env: { PORT: 8080 },
        steps: [
            { name: "a", run: "x", outputs: ["o"], retries: { limit: 2, delay: 0 } },
            { name: "b", run: ["y"], inputs: { i: "a/o" }, timeout: "1m" },
        ],
    });
    const yaml = `
name: x
params: {horizon: 7, region: {type: string}}
env: {PORT: 8080}
steps:
  - {name: a, run: x, outputs: [o], retries: {limit: 2, delay: 0s}}
  - {name: b, run: [y], inputs: {i: a/o}, timeout: 60}
`;
    expect(pipeline).toEqual(parse(yaml));
});

test("a pipeline in TypeScript is independent of what it was made from", () => {
    const step = { name: "a", run: ["x"] };
    const pipeline = definePipeline({ name: "x", steps: [step] });
    step.run.push("y");
    expect(pipeline.steps[0].run).toEqual(["x"]);
});
