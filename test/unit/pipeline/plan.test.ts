import { canonicalJson, pipelineHash, stepHashes, toRunPlan } from "../../../src/pipeline";
import { parse } from "./support";

const TEXT = `
name: weather
params: {horizon: 7}
env: {LOG_LEVEL: info}
secrets: [TOKEN]
timeout: 1h
parallelism: 2
steps:
  - name: load
    run: echo "$STACKRUN_OUTPUTS"
    outputs: [raw.csv]
    env: {A: b}
  - name: train
    run: [python, train.py]
    inputs: {raw: load/raw.csv}
    timeout: 5m
    processing: dataflow
`;

describe("the plan for the runner", () => {
    const base = { runId: "r1", attempt: 2, nonce: "n", stream: "files", params: { horizon: 14 } } as const;

    test("has everything that the runner needs", () => {
        expect(toRunPlan(parse(TEXT), base)).toEqual({
            runId: "r1",
            attempt: 2,
            nonce: "n",
            pipeline: "weather",
            stream: "files",
            parallelism: 2,
            timeoutSeconds: 3600,
            graceSeconds: 10,
            env: { LOG_LEVEL: "info", STACKRUN_PARAM_HORIZON: "14" },
            secrets: ["TOKEN"],
            steps: [
                {
                    name: "load",
                    argv: ["sh", "-c", 'echo "$STACKRUN_OUTPUTS"'],
                    after: [],
                    inputs: {},
                    outputs: ["raw.csv"],
                    env: { A: "b" },
                    retries: { limit: 0, delaySeconds: 1, factor: 2 },
                },
                {
                    name: "train",
                    argv: ["python", "train.py"],
                    after: ["load"],
                    inputs: { raw: { step: "load", output: "raw.csv" } },
                    outputs: [],
                    env: {},
                    retries: { limit: 0, delaySeconds: 1, factor: 2 },
                    timeoutSeconds: 300,
                },
            ],
        });
    });

    test("what is asked for stands above the pipeline's", () => {
        const options = { codeDir: "/code", parallelism: 1, timeoutSeconds: 60, graceSeconds: 5 };
        expect(toRunPlan(parse(TEXT), { ...base, ...options })).toMatchObject(options);
    });
});

describe("canonical JSON", () => {
    test.each<[unknown, string]>([
        [{ b: 1, a: [{ d: null, c: "é" }] }, '{"a":[{"c":"é","d":null}],"b":1}'],
        [{ b: undefined, a: -0 }, '{"a":0}'],
        [[undefined, true], "[null,true]"],
        [{ 10: 1, 9: 2 }, '{"10":1,"9":2}'],
        ["\u2028\n", '"\u2028\\n"'],
    ])("of %j", (value, expected) => {
        expect(canonicalJson(value)).toBe(expected);
        expect(JSON.parse(expected)).toEqual(JSON.parse(JSON.stringify(value)));
    });

    test.each([NaN, Infinity, { a: () => 1 }, BigInt(1), undefined])("%p has none", (value) => {
        expect(() => canonicalJson(value)).toThrow(TypeError);
    });
});

describe("hashes", () => {
    const before = parse(TEXT);

    test("are SHA-256 in hex", () => {
        expect(pipelineHash(before)).toMatch(/^[0-9a-f]{64}$/);
        expect(Object.keys(stepHashes(before))).toEqual(["load", "train"]);
    });

    test("don't depend on how the file is written", () => {
        const after = parse(`# the same
description: for people
secrets: ["TOKEN"]
env: {"LOG_LEVEL": 'info'}
parallelism: 2
timeout: 60m
params: {horizon: {type: integer, default: 7, description: days}}
steps:
  - {outputs: [./raw.csv], env: {A: "b"}, run: 'echo "$STACKRUN_OUTPUTS"', name: load}
  - {after: [load], inputs: {raw: load/raw.csv}, run: [python, train.py], timeout: 300, processing: dataflow, name: train}
name: weather
`);
        expect(pipelineHash(after)).toBe(pipelineHash(before));
        expect(stepHashes(after)).toEqual(stepHashes(before));
    });

    test.each<[string, string, string[]]>([
        ["horizon: 7", "horizon: 8", []],
        ["info", "debug", []],
        ["python, train.py", "python, ./train.py", ["train"]],
        ["{A: b}", "{A: c}", ["load"]],
        ["raw.csv", "raw2.csv", ["load"]],
        ["timeout: 5m", "timeout: 6m", ["train"]],
    ])("%s -> %s is a change", (from, to, steps) => {
        const after = parse(
            TEXT.replace(from, to).replace("load/raw.csv", `load/${to.startsWith("raw") ? to : "raw.csv"}`),
        );
        expect(pipelineHash(after)).not.toBe(pipelineHash(before));
        const [old, now] = [stepHashes(before), stepHashes(after)];
        expect(Object.keys(now).filter((name) => now[name] !== old[name])).toEqual(
            expect.arrayContaining(steps),
        );
        expect(Object.keys(now).some((name) => now[name] !== old[name])).toBe(steps.length > 0);
    });
});
