import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import {
    definePipeline,
    loadPipelineFile,
    parsePipeline,
    PipelineError,
    type PipelineSpec,
} from "../../../../src/pipeline";
import { resolveParams } from "../../../../src/pipeline/params";
import { withStepKey, withSteps, withTop } from "../../pipeline/support";
import type { Producers } from "./said";

/** The message of the first mistake: without its place, and without what is allowed. */
function mistake(refused: () => unknown): string {
    try {
        refused();
    } catch (error) {
        if (error instanceof PipelineError) {
            return error.mistakes[0].message;
        }
        throw error;
    }
    throw new Error("nothing was refused");
}

const yaml = (text: string) => () => mistake(() => parsePipeline(text, "p.yaml"));
const top = (line: string) => yaml(withTop(line));
const steps = (...lines: string[]) => yaml(withSteps(...lines));
const step = (line: string) => yaml(withStepKey(line));
const params = (given: Record<string, unknown>) => () =>
    mistake(() => resolveParams(parsePipeline(withTop("params: {n: {type: integer}}"), "p.yaml"), given));
const typed = (spec: object) => () => mistake(() => definePipeline(spec as PipelineSpec));

/** A file with this content, or made by a function. */
const file = (content: string | Buffer | ((name: string) => unknown)) => (folder: string) => {
    const name = path.join(folder, "pipeline.yaml");
    if (typeof content === "function") {
        content(name);
    } else {
        fs.writeFileSync(name, content);
    }
    return mistake(() => loadPipelineFile(name));
};

/** A list of lists, so deep that a reader would not end; or one that holds itself. */
function nested(depth: number): unknown[] {
    const list: unknown[] = [];
    return depth > 1 ? [nested(depth - 1)] : list;
}
function circle(): object {
    const env: Record<string, unknown> = {};
    return Object.assign(env, { A: env });
}

/** Ten lists of ten aliases each: ten billion values. */
function aliases(): string {
    const lines = [..."abcdefghij"].map((name, i, all) => {
        const items = Array.from({ length: 10 }, () => (i === 0 ? "1" : `*${all[i - 1]}`));
        return `${name}: &${name} [${items.join(",")}]`;
    });
    return lines.join("\n");
}

const FILES: Producers = {
    "there is no such file": file(() => undefined),
    "is a folder": file((name) => fs.mkdirSync(name)),
    "is not a file": file((name) => execFileSync("mkfifo", [name])),
    "can't be read: …": file((name) => fs.symlinkSync(name, name)),
    "is … KiB large": file("#".repeat(600 * 1024)),
    "is UTF-16": file(Buffer.from("\uFEFFname: x\n", "utf16le")),
    "is not UTF-8: the bytes here are no character": file(Buffer.from("name: Grün\n", "latin1")),
};

const VALUES: Producers = {
    "unknown key": top("stpes: []"),
    "the same key a second time": top("env: {A: b, A: c}"),
    "is reserved": top("env: {__proto__: b}"),
    "is missing": yaml("name: x\n"),
    "is empty": yaml("name: x\nsteps: []\n"),
    "has … entries": yaml(`name: x\nsteps:\n${"  - {name: a, run: x}\n".repeat(1001)}`),
    "… can't be a name": top("env: {a-b: c}"),
    "is zero": top("timeout: 0"),
    "is longer than a year": top("timeout: 400d"),
    "does not apply to the type …": top("params: {p: {type: string, minimum: 1}}"),
    "found …, less than the minimum": top("params: {p: {type: integer, minimum: 3, maximum: 2}}"),
    "is too large for a whole number": top("params: {p: 9007199254740993}"),
    "… is not a regular expression": top('params: {p: {type: string, pattern: "("}}'),
    "… is there twice": top("secrets: [A, A]"),
    "found …": top("parallelism: many"),
    "… does not match": () =>
        mistake(() =>
            resolveParams(parsePipeline(withTop("params: {p: {type: string, pattern: '^a+$'}}"), "p.yaml"), {
                p: "b",
            }),
        ),
    "contains a NUL character": top('description: "a\\0b"'),
    "contains a control character": yaml("name: x\u0001\n"),
    "contains half of a surrogate pair, which is not a character": top('description: "\\uD800"'),
    "the pipeline has no such parameter": params({ n: 1, m: 2 }),
    "is missing, and has no default": params({}),
    "is missing, and there is no default to tell it": top("params: {p: {description: x}}"),
    "differs from … only in case: both would be STACKRUN_PARAM_…": top("params: {day: 1, Day: 2}"),
    "names that start with STACKRUN_ are reserved": top("env: {STACKRUN_X: y}"),
    "… is also in secrets": yaml(withTop("secrets: [A]", "env: {A: b}")),
};

const STEPS: Producers = {
    "there is no step …": step("after: [b]"),
    "step … waits for itself": step("after: [a]"),
    "these steps wait for each other: …": steps("name: a, run: x, after: [b]", "name: b, run: x, after: [a]"),
    "… names no output of a step": step("inputs: {i: load}"),
    "step … declares no output …": steps("name: a, run: x", "name: b, run: x, inputs: {i: a/o}"),
    "… has the same name, …": steps("name: a, run: x", "name: a, run: x"),
    "differs from the name of …, …, only in case": steps("name: a, run: x", "name: A, run: x"),
    "… is not a file name": steps("name: a, run: x, outputs: [o]", 'name: b, run: x, inputs: {"..": a/o}'),
    "is not a plain file name": steps(
        "name: a, run: x, outputs: [o]",
        'name: b, run: x, inputs: {"i/j": a/o}',
    ),
    "is longer than … bytes": step(`outputs: [${"x".repeat(1001)}]`),
    "… is not below the step's output folder": step("outputs: [/etc/passwd]"),
    "contains a backslash": step("outputs: ['a\\b']"),
    "… leaves the step's output folder": step("outputs: [../x]"),
    "… is the output folder itself: name files or folders in it": step("outputs: [./]"),
    "… lies in …, which is an output too": step("outputs: [model, model/weights]"),
    "the pause before the last try would be longer than a year": step(
        "retries: {limit: 20, delay: 1d, factor: 10}",
    ),
};

const SYNTAX: Producers = {
    "too many values": typed({ name: "x", env: { A: Array.from({ length: 100_001 }, () => 1) } }),
    "contains itself": typed({ name: "x", steps: [], env: circle() }),
    "nested too deeply": typed({ name: "x", steps: nested(70) }),
    "is nested too deeply": yaml(`name: ${"[".repeat(70)}${"]".repeat(70)}`),
    "stands for too many values (an alias counts each time)": yaml(aliases()),
    "the anchor of … is not defined above it": top("env: {A: *a}"),
    "the anchor of … contains itself": top("env: &e {A: *e}"),
    "only mappings can be taken over": top("env: {<<: x}"),
    "the file is empty": yaml(""),
    "unknown tag …": top("description: !secret x"),
    "not valid YAML: …": yaml('name: "\\q"\n'),
    "a tab used as indentation": yaml("name: x\nsteps:\n\t- name: a\n"),
    "a second document begins here": yaml(`${withTop()}---\nname: y\n`),
    "a key has to be a plain text": yaml("? [a]\n: b\n"),
    "no colon after this key": yaml("name x\nsteps: []\n"),
    "a list begins in its key's line": yaml("name: x\nsteps: - name: a\n"),
    "a list item among keys": yaml("name: x\nsteps:\n  - name: a\n    - run: x\n"),
    "a key inside another key's value": yaml("name: a: b\n"),
    "indented unlike the lines that it belongs to": yaml("name: x\nenv:\n    A: b\n  B: c\n"),
    "the list opened with [ is not closed before this": yaml("name: x\nsecrets: [A, B\nsteps: []\n"),
    "the mapping opened with { is not closed before this": yaml("name: x\nenv: {A: b\nsteps: []\n"),
    "a comma is missing before this": yaml('name: x\nsecrets: ["A" "B"]\nsteps: []\n'),
    "a list item without its dash": yaml("- a\n  :\n"),
    "nothing may follow here, where the value has ended": yaml("name: 'it's'\n"),
    "a comma without a value before it": yaml("name: x\nsecrets: [, A]\nsteps: []\n"),
    "the quote opened here is never closed": yaml('name: "x\nsteps: []\n'),
    "a value can't start with …": yaml("name: @x\n"),
};

/** What is wrong with a pipeline. */
export const PIPELINE: Producers = { ...FILES, ...VALUES, ...STEPS, ...SYNTAX };
