import { mistakesOf, withStepKey, withSteps, withTop } from "./support";

// One line at the top of the file (in line 2), and what is said about it behind `p.yaml:2:`.
test.each<[string, ...string[]]>([
    [
        "params: {a: [1]}",
        "13: params.a: found a list; allowed: a value (a text, a number, true or false), or {type, default, description, …}",
    ],
    [
        "params: {a: }",
        "10: params.a: found nothing; allowed: a value (a text, a number, true or false), or {type, default, description, …}",
    ],
    [
        "params: {a: {type: int}}",
        '20: params.a.type: found "int"; allowed: string, integer, number or boolean; did you mean "integer"?',
    ],
    [
        "params: {a: {type: constructor}}",
        '20: params.a.type: found "constructor"; allowed: string, integer, number or boolean',
    ],
    [
        "params: {a: {typ: string, default: b}}",
        '14: params.a.typ: unknown key; allowed: type, default, description, enum, minimum, maximum, pattern; did you mean "type"?',
    ],
    [
        "params: {a: {}}",
        "13: params.a.type: is missing, and there is no default to tell it; allowed: string, integer, number or boolean",
    ],
    ["params: {a: {type: integer, default: b}}", '38: params.a.default: found "b"; allowed: a whole number'],
    [
        'params: {a: {type: integer, default: "7"}}',
        '38: params.a.default: found "7"; allowed: a whole number; did you mean 7?',
    ],
    [
        "params: {a: {type: integer, default: 7.5}}",
        "38: params.a.default: found 7.5; allowed: a whole number",
    ],
    [
        "params: {a: {type: boolean, default: off}}",
        '38: params.a.default: found "off"; allowed: true or false; did you mean false?',
    ],
    ["params: {a: {type: string, default: 7}}", "37: params.a.default: found 7; allowed: a text"],
    [
        "params: {a: {default: 7, minimum: 8}}",
        "23: params.a.default: found 7; allowed: a whole number from 8 on",
    ],
    ["params: {a: {default: 7.5, maximum: 2}}", "23: params.a.default: found 7.5; allowed: a number up to 2"],
    [
        "params: {a: {default: 31, minimum: 1, maximum: 30}}",
        "23: params.a.default: found 31; allowed: a whole number from 1 to 30",
    ],
    [
        "params: {a: {default: smal, enum: [small, large]}}",
        '23: params.a.default: found "smal"; allowed: one of "small", "large"; did you mean "small"?',
    ],
    [
        "params: {a: {default: x, pattern: '^\\d+$'}}",
        '23: params.a.default: "x" does not match; allowed: a text that matches /^\\d+$/',
    ],
    [
        "params: {a: {type: string, pattern: '('}}",
        '37: params.a.pattern: "(" is not a regular expression; allowed: one of JavaScript, with the flag u',
    ],
    [
        "params: {a: {type: integer, pattern: x}}",
        "29: params.a.pattern: does not apply to the type integer; allowed: only with the type string",
    ],
    [
        "params: {a: {type: string, minimum: 1}}",
        "28: params.a.minimum: does not apply to the type string; allowed: only with the types integer and number",
    ],
    [
        "params: {a: {type: integer, minimum: 5, maximum: 2}}",
        "50: params.a.maximum: found 2, less than the minimum; allowed: 5 or more",
    ],
    ["params: {a: {type: integer, minimum: low}}", '38: params.a.minimum: found "low"; allowed: a number'],
    ["params: {a: {type: integer, enum: []}}", "35: params.a.enum: is empty; allowed: a list of values"],
    [
        "params: {a: {type: integer, enum: [1, two, 1]}}",
        '39: params.a.enum[1]: found "two"; allowed: a whole number',
        "44: params.a.enum[2]: 1 is there twice",
    ],
    [
        "params: {a: 12345678901234567890}",
        "13: params.a: is too large for a whole number; allowed: up to 9007199254740991, or a text",
    ],
    [
        "params: {horizon: 1, Horizon: 2}",
        '22: params.Horizon: differs from "horizon" only in case: both would be STACKRUN_PARAM_HORIZON',
    ],
    [
        "env: {STACKRUN_RUN_ID: x}",
        "7: env.STACKRUN_RUN_ID: names that start with STACKRUN_ are reserved; allowed: another name",
    ],
    [
        "secrets: [STACKRUN_KEY]",
        "11: secrets[0]: names that start with STACKRUN_ are reserved; allowed: another name",
    ],
    ["secrets: [A, B, A]", '17: secrets[2]: "A" is there twice'],
])("%s", (line, ...expected) => {
    expect(mistakesOf(withTop(line))).toEqual(expected.map((mistake) => `p.yaml:2:${mistake}`));
});

test("a secret is not in env too, neither the pipeline's nor a step's", () => {
    const text =
        "name: x\nsecrets: [A, B]\nenv: {A: 1}\nsteps:\n  - {name: a, run: x, env: {B: 2, STACKRUN_X: 3}}\n";
    expect(mistakesOf(text)).toEqual([
        'p.yaml:3:7: env.A: "A" is also in secrets; allowed: a variable is either in env or in secrets',
        'p.yaml:5:29: steps[0].env.B: "B" is also in secrets; allowed: a variable is either in env or in secrets',
        "p.yaml:5:35: steps[0].env.STACKRUN_X: names that start with STACKRUN_ are reserved; allowed: another name",
    ]);
});

const OUTPUT = "allowed: a path below the step's output folder, such as raw.csv or model/weights.bin";

// One line of a step (line 5), and what is said about it behind `p.yaml:5:`.
test.each<[string, ...string[]]>([
    [
        "outputs: [/tmp/x]",
        `15: steps[0].outputs[0]: "/tmp/x" is not below the step's output folder; ${OUTPUT}; did you mean "tmp/x"?`,
    ],
    [
        "outputs: [~/x]",
        `15: steps[0].outputs[0]: "~/x" is not below the step's output folder; ${OUTPUT}; did you mean "x"?`,
    ],
    [
        "outputs: ['C:\\x']",
        `15: steps[0].outputs[0]: "C:\\\\x" is not below the step's output folder; ${OUTPUT}; did you mean "x"?`,
    ],
    ["outputs: ['a\\b']", `15: steps[0].outputs[0]: contains a backslash; ${OUTPUT}; did you mean "a/b"?`],
    ["outputs: [../x]", `15: steps[0].outputs[0]: "../x" leaves the step's output folder; ${OUTPUT}`],
    [
        "outputs: [a/../../x]",
        `15: steps[0].outputs[0]: "a/../../x" leaves the step's output folder; ${OUTPUT}`,
    ],
    ["outputs: ['']", `15: steps[0].outputs[0]: is empty; ${OUTPUT}`],
    [
        "outputs: [./]",
        `15: steps[0].outputs[0]: "./" is the output folder itself: name files or folders in it; ${OUTPUT}`,
    ],
    ['outputs: ["a\\nb"]', `15: steps[0].outputs[0]: contains a control character; ${OUTPUT}`],
    ['outputs: ["a\\0b"]', "15: steps[0].outputs[0]: contains a NUL character"],
    [
        "outputs: [5]",
        "15: steps[0].outputs[0]: found the number 5, not a text (put it in quotes); allowed: a text",
    ],
    ["outputs: [a, b, ./a/]", '21: steps[0].outputs[2]: "a" is there twice'],
    [
        "outputs: [a/b/c, a]",
        '15: steps[0].outputs[0]: "a/b/c" lies in "a", which is an output too; allowed: outputs beside each other',
    ],
    [`outputs: [${"a/".repeat(600)}b]`, `15: steps[0].outputs[0]: is longer than 1000 bytes; ${OUTPUT}`],
    ["after: [a]", '13: steps[0].after[0]: step "a" waits for itself; allowed: other steps'],
    ["after: ['']", "13: steps[0].after[0]: is empty; allowed: there are no others"],
    ["inputs: {i: a/o}", '17: steps[0].inputs.i: step "a" waits for itself; allowed: other steps'],
])("step with %s", (line, ...expected) => {
    expect(mistakesOf(withStepKey(line))).toEqual(expected.map((mistake) => `p.yaml:5:${mistake}`));
});

const LOAD = "name: load, run: x, outputs: [raw.csv, model]";
const PAIR = 'allowed: "load/raw.csv", "load/model"';

// What the second step says (line 4), and what is said about it behind `p.yaml:4:`.
test.each<[string, ...string[]]>([
    [
        "after: [laod]",
        '35: steps[1].after[0]: there is no step "laod"; allowed: "load"; did you mean "load"?',
    ],
    [
        "after: [other, load, another]",
        '35: steps[1].after[0]: there is no step "other"; allowed: "load"',
        '48: steps[1].after[2]: there is no step "another"; allowed: "load"',
    ],
    [
        "inputs: {i: load/raw.cvs}",
        '39: steps[1].inputs.i: step "load" declares no output "raw.cvs"; allowed: "raw.csv", "model"; did you mean "load/raw.csv"?',
    ],
    [
        "inputs: {i: load/model/best.bin}",
        '39: steps[1].inputs.i: step "load" declares no output "model/best.bin"; allowed: "raw.csv", "model"; did you mean "load/model"?',
    ],
    [
        "inputs: {i: load/../x}",
        '39: steps[1].inputs.i: step "load" declares no output "../x"; allowed: "raw.csv", "model"',
    ],
    [
        "inputs: {i: laod/raw.csv}",
        `39: steps[1].inputs.i: there is no step "laod"; ${PAIR}; did you mean "load/raw.csv"?`,
    ],
    [
        "inputs: {i: load}",
        '39: steps[1].inputs.i: "load" names no output of a step; allowed: step/output, such as load/raw.csv',
    ],
    [
        "inputs: {i: load/}",
        '39: steps[1].inputs.i: "load/" names no output of a step; allowed: step/output, such as load/raw.csv',
    ],
    ["inputs: {i: ''}", "39: steps[1].inputs.i: is empty; allowed: step/output, such as load/raw.csv"],
    [
        "inputs: {a/b: load/model}",
        '36: steps[1].inputs["a/b"]: is not a plain file name; allowed: the name of a file, without / and \\',
    ],
    [
        "inputs: {..: load/model}",
        '36: steps[1].inputs[".."]: ".." is not a file name; allowed: the name of a file, without / and \\',
    ],
    [
        "inputs: {'': load/model}",
        '36: steps[1].inputs[""]: "" is not a file name; allowed: the name of a file, without / and \\',
    ],
])("second step with %s", (line, ...expected) => {
    const text = withSteps(LOAD, `name: train, run: x, ${line}`);
    expect(mistakesOf(text)).toEqual(expected.map((mistake) => `p.yaml:4:${mistake}`));
});

test("an output of a step that has one", () => {
    expect(mistakesOf(withSteps("name: a, run: x, outputs: [o]", "name: b, run: x, inputs: {i: a}"))).toEqual(
        [
            'p.yaml:4:35: steps[1].inputs.i: "a" names no output of a step; allowed: step/output, such as load/raw.csv; ' +
                'did you mean "a/o"?',
        ],
    );
});

test("names that are there twice, whatever the case", () => {
    const steps = ["name: a, run: x", "name: b, run: x", "name: a, run: x", "name: B, run: x"];
    expect(mistakesOf(withSteps(...steps))).toEqual([
        'p.yaml:5:12: steps[2].name: steps[0] has the same name, "a"; allowed: a name that no other step has',
        'p.yaml:6:12: steps[3].name: differs from the name of steps[1], "b", only in case; ' +
            "allowed: a name that no other step has",
    ]);
});

describe("cycles", () => {
    test("of two", () => {
        expect(mistakesOf(withSteps("name: a, run: x, after: [b]", "name: b, run: x, after: [a]"))).toEqual([
            "p.yaml:3:31: steps[0].after[0]: these steps wait for each other: a -> b -> a",
        ]);
    });

    test("by an input", () => {
        const steps = ["name: a, run: x, inputs: {i: b/o}", "name: b, run: x, outputs: [o], after: [a]"];
        expect(mistakesOf(withSteps(...steps))).toEqual([
            "p.yaml:3:35: steps[0].inputs.i: these steps wait for each other: a -> b -> a",
        ]);
    });

    test("that the default of after closes", () => {
        expect(mistakesOf(withSteps("name: a, run: x, after: [b]", "name: b, run: x"))).toEqual([
            "p.yaml:3:31: steps[0].after[0]: these steps wait for each other: a -> b -> a; b waits only by default, " +
                'for the step before it in the list: "after: […]" there replaces that',
        ]);
        expect(
            mistakesOf(withSteps("name: a, run: x, after: [c]", "name: b, run: x", "name: c, run: x")),
        ).toEqual([
            "p.yaml:3:31: steps[0].after[0]: these steps wait for each other: a -> c -> b -> a; c, b wait only by " +
                'default, for the step before them in the list: "after: […]" there replaces that',
        ]);
    });

    test("several, each with all its steps in order", () => {
        const steps = [
            "name: a, run: x, after: []",
            "name: b, run: x, after: [d, a]",
            "name: c, run: x, after: [b]",
            "name: d, run: x, after: [c]",
            "name: e, run: x, after: [f]",
            "name: f, run: x, after: [a, e]",
        ];
        expect(mistakesOf(withSteps(...steps))).toEqual([
            "p.yaml:4:31: steps[1].after[0]: these steps wait for each other: b -> d -> c -> b",
            "p.yaml:7:31: steps[4].after[0]: these steps wait for each other: e -> f -> e",
        ]);
    });

    test("of a thousand steps", () => {
        const steps = Array.from(
            { length: 1000 },
            (_, i) => `name: s${i}, run: x, after: [s${(i + 1) % 1000}]`,
        );
        const [mistake, ...more] = mistakesOf(withSteps(...steps));
        expect(more).toEqual([]);
        expect(mistake).toContain("s0 -> s1 -> s2 -> ");
        expect(mistake.endsWith(" -> s999 -> s0")).toBe(true);
    });
});

test("all mistakes at once, in the order of the file, each one once", () => {
    const text = `name: weather
params: {horizon: {type: int}}
timeout: 2 hours
steps:
  - name: load
    run: python load.py
    outputs: [../raw.csv]
  - name: train
    run: python train.py
    inputs: {raw: laod/raw.csv}
    retries: {limt: 2}
  - name: Train
    command: python score.py
    after: [trian]
`;
    expect(mistakesOf(text).map((line) => line.replace(/; allowed: .*?(?=;|$)/, ""))).toEqual([
        'p.yaml:2:26: params.horizon.type: found "int"; did you mean "integer"?',
        'p.yaml:3:10: timeout: found "2 hours"; did you mean "2h"?',
        'p.yaml:7:15: steps[0].outputs[0]: "../raw.csv" leaves the step\'s output folder',
        'p.yaml:10:19: steps[1].inputs.raw: there is no step "laod"',
        "p.yaml:11:14: steps[1].retries.limit: is missing",
        'p.yaml:11:15: steps[1].retries.limt: unknown key; did you mean "limit"?',
        "p.yaml:12:5: steps[2].run: is missing",
        'p.yaml:12:11: steps[2].name: differs from the name of steps[1], "train", only in case',
        'p.yaml:13:5: steps[2].command: unknown key; did you mean "run"?',
        'p.yaml:14:13: steps[2].after[0]: there is no step "trian"; did you mean "train"?',
    ]);
});
