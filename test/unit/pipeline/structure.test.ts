import { PipelineSpec, definePipeline } from "../../../src/pipeline";
import { mistakesOf, refusal, withStepKey, withTop } from "./support";

const TOP_KEYS =
    "name, description, image, params, env, secrets, timeout, parallelism, cache, retries, steps";
const STEP_KEYS = "name, run, after, inputs, outputs, env, retries, timeout, cache, resources, processing";
const DURATION = "a duration such as 10s, 30m, 2h, 1d or 1h30m, or a number of seconds";
const IDENTIFIER = "letters, digits and _, not starting with a digit";
const ENV_VALUE = 'a text, a number, true or false ("" for an empty value)';
const IMAGE =
    "an image such as python:3.12-slim or registry.example.com/team/train@sha256:…, or {build: {context: .}}";
const STEP_NAME = "1 to 63 letters, digits, _, . and -, starting with a letter or digit";
const MEMORY = "a Kubernetes quantity such as 512Mi, 4Gi or 2G";
const RETRIES = "a whole number from 0 to 100, or {limit, delay, factor}";

// One line at the top of the file (in line 2), and what is said about it behind `p.yaml:2:`.
test.each([
    ["imag: x", `1: imag: unknown key; allowed: ${TOP_KEYS}; did you mean "image"?`],
    ["environment: {}", `1: environment: unknown key; allowed: ${TOP_KEYS}; did you mean "env"?`],
    ["foo bar: 1", `1: ["foo bar"]: unknown key; allowed: ${TOP_KEYS}`],
    ["description: [a]", "14: description: found a list; allowed: a text"],
    ["description: 5", "14: description: found the number 5, not a text (put it in quotes); allowed: a text"],
    ["image: Python 3", `8: image: found "Python 3"; allowed: ${IMAGE}`],
    ["image: --privileged", `8: image: found "--privileged"; allowed: ${IMAGE}`],
    ["image: ''", `8: image: is empty; allowed: ${IMAGE}`],
    [
        "image: {}",
        "8: image.build: is missing; allowed: a mapping of context, dockerfile, args, target and platform",
    ],
    [
        "image: {build: {contxt: .}}",
        "17: image.build.contxt: unknown key; allowed: context, dockerfile, args, target, platform; " +
            'did you mean "context"?',
    ],
    [
        "image: {build: {platform: amd64}}",
        '27: image.build.platform: found "amd64"; allowed: a platform such as linux/amd64 or linux/arm64',
    ],
    ["params: [horizon]", "9: params: found a list; allowed: a mapping of names to values"],
    ["env:", "1: env: found nothing; allowed: a mapping of names to values"],
    ["env: {A: }", `7: env.A: found nothing; allowed: ${ENV_VALUE}`],
    ["env: {A: [b]}", `10: env.A: found a list; allowed: ${ENV_VALUE}`],
    [
        "env: {MY-VAR: b}",
        `7: env.MY-VAR: "MY-VAR" can't be a name; allowed: ${IDENTIFIER}; did you mean "MY_VAR"?`,
    ],
    ["env: {1A: b}", `7: env.1A: "1A" can't be a name; allowed: ${IDENTIFIER}; did you mean "_1A"?`],
    [
        "params: {a b: 1}",
        `10: params["a b"]: "a b" can't be a name; allowed: ${IDENTIFIER}; did you mean "a_b"?`,
    ],
    ["secrets: A", '10: secrets: found "A"; allowed: a list of names; their values come from Pulumi secrets'],
    ["secrets: [A B]", `11: secrets[0]: found "A B"; allowed: ${IDENTIFIER}; did you mean "A_B"?`],
    ["timeout: soon", `10: timeout: found "soon"; allowed: ${DURATION}`],
    ["timeout: 10 minutes", `10: timeout: found "10 minutes"; allowed: ${DURATION}; did you mean "10m"?`],
    ["timeout: 1H 30Min", `10: timeout: found "1H 30Min"; allowed: ${DURATION}; did you mean "1h30m"?`],
    ["timeout: 500ms", `10: timeout: found "500ms"; allowed: ${DURATION}`],
    ["timeout: -5", `10: timeout: found -5; allowed: ${DURATION}`],
    ["timeout: .inf", `10: timeout: found Infinity; allowed: ${DURATION}`],
    ["timeout: 0s", "10: timeout: is zero; allowed: a duration such as 10s, 30m, 2h, 1d or 1h30m"],
    ["timeout: 366d", "10: timeout: is longer than a year; allowed: 365d at most"],
    ["parallelism: 0", "14: parallelism: found 0; allowed: a whole number from 1 to 1000"],
    ["parallelism: 1.5", "14: parallelism: found 1.5; allowed: a whole number from 1 to 1000"],
    [
        'parallelism: "2"',
        '14: parallelism: found "2"; allowed: a whole number from 1 to 1000; did you mean 2?',
    ],
    ["cache: yes", '8: cache: found "yes"; allowed: true or false; did you mean true?'],
    ["cache: constructor", '8: cache: found "constructor"; allowed: true or false'],
    ["constructor: 1", `1: constructor: unknown key; allowed: ${TOP_KEYS}`],
    ["retries: -1", `10: retries: found -1; allowed: ${RETRIES}`],
    ["retries: {}", `10: retries: is empty; allowed: ${RETRIES}`],
    ["retries: {times: 2}", "11: retries.times: unknown key; allowed: limit, delay, factor"],
])("%s", (line, expected) => {
    expect(mistakesOf(withTop(line))).toEqual([`p.yaml:2:${expected}`]);
});

// One line of a step (line 5), and what is said about it behind `p.yaml:5:`.
test.each([
    ["outputss: []", `5: steps[0].outputss: unknown key; allowed: ${STEP_KEYS}; did you mean "outputs"?`],
    ["depends_on: []", `5: steps[0].depends_on: unknown key; allowed: ${STEP_KEYS}; did you mean "after"?`],
    ["command: y", `5: steps[0].command: unknown key; allowed: ${STEP_KEYS}`],
    ["after: a", '12: steps[0].after: found "a"; allowed: a list of step names, [] for none'],
    ["after:", "5: steps[0].after: found nothing; allowed: a list of step names, [] for none"],
    [
        "inputs: [load/raw]",
        "13: steps[0].inputs: found a list; allowed: a mapping of names to step/output, such as {raw: load/raw.csv}",
    ],
    [
        "inputs: {raw: 3}",
        "19: steps[0].inputs.raw: found the number 3, not a text (put it in quotes); " +
            "allowed: step/output, such as load/raw.csv",
    ],
    ["outputs: raw.csv", '14: steps[0].outputs: found "raw.csv"; allowed: a list of paths such as [raw.csv]'],
    ["retries: two", `14: steps[0].retries: found "two"; allowed: ${RETRIES}`],
    ["retries: 101", `14: steps[0].retries: found 101; allowed: ${RETRIES}`],
    [
        "retries: {limit: two}",
        '22: steps[0].retries.limit: found "two"; allowed: a whole number from 0 to 100',
    ],
    ["retries: {limit: 1, delay: often}", `32: steps[0].retries.delay: found "often"; allowed: ${DURATION}`],
    [
        "retries: {limit: 1, factor: 0.5}",
        "33: steps[0].retries.factor: found 0.5; allowed: a number from 1 to 100",
    ],
    ["retries: {delay: 5s}", "14: steps[0].retries.limit: is missing; allowed: the number of further tries"],
    [
        "retries: {limit: 50, delay: 10s, factor: 10}",
        "14: steps[0].retries: the pause before the last try would be longer than a year; " +
            "allowed: a smaller limit, delay or factor",
    ],
    ["resources: {disk: 5}", "17: steps[0].resources.disk: unknown key; allowed: cpu, memory, gpu"],
    [
        "resources: {cpu: 0}",
        "22: steps[0].resources.cpu: found 0; allowed: a number of cores such as 2, 0.5 or 500m",
    ],
    [
        "resources: {memory: 4GB}",
        `25: steps[0].resources.memory: found "4GB"; allowed: ${MEMORY}; did you mean "4G"?`,
    ],
    [
        "resources: {memory: 512m}",
        `25: steps[0].resources.memory: found "512m"; allowed: ${MEMORY}; did you mean "512Mi"?`,
    ],
    [
        "resources: {memory: 4gi}",
        `25: steps[0].resources.memory: found "4gi"; allowed: ${MEMORY}; did you mean "4Gi"?`,
    ],
    ["resources: {memory: 0}", `25: steps[0].resources.memory: found 0; allowed: ${MEMORY}`],
    ["resources: {memory: 0Gi}", `25: steps[0].resources.memory: found "0Gi"; allowed: ${MEMORY}`],
    [
        "resources: {gpu: 0.5}",
        "22: steps[0].resources.gpu: found 0.5; allowed: a whole number from 0 to 1000",
    ],
    ["processing: a b", `17: steps[0].processing: found "a b"; allowed: ${STEP_NAME}`],
])("step with %s", (line, expected) => {
    expect(mistakesOf(withStepKey(line))).toEqual([`p.yaml:5:${expected}`]);
});

const RUN = "a command for the shell, or a list of a program and its arguments";

test.each<[string, string, ...string[]]>([
    [
        "no keys",
        "{}",
        "p.yaml:1:1: name: is missing; allowed: 1 to 100 characters on one line",
        "p.yaml:1:1: steps: is missing; allowed: a list of steps",
    ],
    ["no steps", "name: x\nsteps: []\n", "p.yaml:2:8: steps: is empty; allowed: a list of steps"],
    [
        "steps that are a mapping",
        "name: x\nsteps: {a: b}\n",
        "p.yaml:2:8: steps: found a mapping; allowed: a list of steps",
    ],
    [
        "a step that is a text",
        "name: x\nsteps:\n  - echo hi\n",
        'p.yaml:3:5: steps[0]: found "echo hi"; allowed: a mapping with name and run',
    ],
    [
        "a step without name and run",
        "name: x\nsteps:\n  - after: []\n",
        `p.yaml:3:5: steps[0].name: is missing; allowed: ${STEP_NAME}`,
        `p.yaml:3:5: steps[0].run: is missing; allowed: ${RUN}`,
    ],
    [
        "an empty run",
        "name: x\nsteps: [{name: a, run: ' '}]",
        `p.yaml:2:24: steps[0].run: is empty; allowed: ${RUN}`,
    ],
    [
        "an empty list as run",
        "name: x\nsteps: [{name: a, run: []}]",
        `p.yaml:2:24: steps[0].run: is empty; allowed: ${RUN}`,
    ],
    [
        "an empty program",
        "name: x\nsteps: [{name: a, run: ['', b]}]",
        "p.yaml:2:25: steps[0].run[0]: is empty; allowed: the program to execute",
    ],
    [
        "a number as argument",
        "name: x\nsteps: [{name: a, run: [sleep, 5]}]",
        "p.yaml:2:32: steps[0].run[1]: found the number 5, not a text (put it in quotes); " +
            "allowed: a text (numbers in quotes)",
    ],
    [
        "a step name with spaces",
        "name: x\nsteps: [{name: a b, run: x}]",
        `p.yaml:2:16: steps[0].name: found "a b"; allowed: ${STEP_NAME}`,
    ],
    [
        "a step named ..",
        "name: x\nsteps: [{name: .., run: x}]",
        `p.yaml:2:16: steps[0].name: found ".."; allowed: ${STEP_NAME}`,
    ],
    [
        "a name of two lines",
        'name: "a\\nb"\nsteps: [{name: a, run: x}]',
        'p.yaml:1:7: name: found "a\\nb"; allowed: 1 to 100 characters on one line',
    ],
    [
        "a long name",
        `name: ${"n".repeat(101)}\nsteps: [{name: a, run: x}]`,
        `p.yaml:1:7: name: found "${"n".repeat(59)}…"; allowed: 1 to 100 characters on one line`,
    ],
    [
        "too many steps",
        `name: x\nsteps:\n${Array.from({ length: 1001 }, (_, i) => ` - {name: s${i}, run: x}`).join("\n")}`,
        "p.yaml:3:2: steps: has 1001 entries; allowed: 1000 at most",
    ],
])("%s", (_, text, ...expected) => {
    expect(mistakesOf(text)).toEqual(expected);
});

test("a pipeline-wide mistake is said once, not for each step that inherits it", () => {
    const text = "name: x\nretries: {limit: 100, delay: 1d}\nsteps: [{name: a, run: x}, {name: b, run: x}]";
    expect(mistakesOf(text)).toEqual([
        "p.yaml:2:10: retries: the pause before the last try would be longer than a year; " +
            "allowed: a smaller limit, delay or factor",
    ]);
});

test("no end of mistakes: the rest is counted", () => {
    const lines = mistakesOf(withTop(...Array.from({ length: 250 }, (_, i) => `key${i}: 1`)));
    expect(lines).toHaveLength(201);
    expect(lines[200]).toBe("… and 50 more");
});

describe("in TypeScript the path stands alone", () => {
    const define = (spec: unknown): string[] => refusal(() => definePipeline(spec as PipelineSpec));
    const PLAIN = "plain data: texts, numbers, booleans, lists, objects";

    test("schema and meaning", () => {
        expect(
            define({ name: "x", steps: [{ name: "a", run: 5, after: ["b"], timeout: Infinity }] }),
        ).toEqual([
            `steps[0].run: found 5; allowed: ${RUN}`,
            `steps[0].timeout: found Infinity; allowed: ${DURATION}`,
            'steps[0].after[0]: there is no step "b"; allowed: there are no others',
        ]);
    });

    test.each([
        ["nothing", undefined, "found undefined; allowed: " + PLAIN],
        ["null", null, "found nothing; allowed: a mapping with name and steps"],
    ])("%s", (_, spec, expected) => {
        expect(define(spec)).toContain(expected);
    });

    test.each<[string, unknown, string]>([
        ["a function", () => 1, `description: found a function; allowed: ${PLAIN}`],
        ["a date", new Date(0), `description: found an instance of Date; allowed: ${PLAIN}`],
        ["a bigint", BigInt(1), `description: found a bigint; allowed: ${PLAIN}`],
        ["a NUL character", "a\0b", "description: contains a NUL character"],
        [
            "a Pulumi output",
            { __pulumiOutput: true },
            "description: found a Pulumi output: a pipeline has to be known before anything is created, " +
                `so hand it over as a secret or parameter; allowed: ${PLAIN}`,
        ],
    ])("%s", (_, description, expected) => {
        expect(define({ name: "x", description, steps: [{ name: "a", run: "x" }] })).toEqual([expected]);
    });

    test("data that contains itself", () => {
        const steps: unknown[] = [{ name: "a", run: "x" }];
        steps.push(steps);
        expect(define({ name: "x", steps })).toEqual(["steps[1]: contains itself"]);
    });
});
