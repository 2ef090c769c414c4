import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadPipelineFile } from "../../../src/pipeline";
import { mistakesOf, refusal, withTop } from "./support";

const EMPTY = "p.yaml:1:1: the file is empty; allowed: a mapping with name and steps";

test.each<[string, string, ...string[]]>([
    ["an empty file", "", EMPTY],
    ["only comments", "# nothing\n\n", EMPTY],
    ["only a byte order mark", "\uFEFF", EMPTY],
    ["a text", "hello", 'p.yaml:1:1: found "hello"; allowed: a mapping with name and steps'],
    ["a list", "- a\n- b\n", "p.yaml:1:1: found a list; allowed: a mapping with name and steps"],
    ["null", "null\n", "p.yaml:1:1: found nothing; allowed: a mapping with name and steps"],
    [
        "two documents",
        `${withTop()}---\nname: y\n`,
        "p.yaml:4:1: a second document begins here; allowed: one pipeline in a file",
    ],
    ["a tab", "name: x\nsteps:\n\t- name: a\n", "p.yaml:3:1: a tab used as indentation; allowed: spaces"],
    ["an open quote", 'name: "x\nsteps: []\n', "p.yaml:1:7: the quote opened here is never closed"],
    [
        "text after a quote",
        "name: 'it's'\n",
        "p.yaml:1:11: nothing may follow here, where the value has ended",
    ],
    ["a missing colon", "name x\nsteps: []\n", "p.yaml:1:1: no colon after this key; allowed: key: value"],
    [
        "a missing colon at the end",
        "name: x\nsteps\n",
        "p.yaml:2:1: no colon after this key; allowed: key: value",
    ],
    [
        "a colon in a text",
        "name: a: b\n",
        "p.yaml:1:7: a key inside another key's value; allowed: " +
            "keys that belong together indented alike, text with a colon in quotes",
    ],
    [
        "another indentation",
        "name: x\nenv:\n    A: b\n  B: c\n",
        "p.yaml:4:1: indented unlike the lines that it belongs to; allowed: the same column",
    ],
    [
        "an open list",
        "name: x\nsecrets: [A, B\nsteps: []\n",
        "p.yaml:3:1: the list opened with [ is not closed before this; allowed: [a, b]",
    ],
    [
        "an open mapping",
        "name: x\nenv: {A: b\nsteps: []\n",
        "p.yaml:3:1: the mapping opened with { is not closed before this; allowed: {a: 1, b: 2}",
    ],
    [
        "a list in its key's line",
        "name: x\nsteps: - name: a\n",
        "p.yaml:2:8: a list begins in its key's line; allowed: its items on lines of their own",
    ],
    [
        "reserved characters, twice",
        "name: @x\ndescription: `y`\n",
        "p.yaml:1:7: a value can't start with @; allowed: such text in quotes",
        "p.yaml:2:14: a value can't start with `; allowed: such text in quotes",
    ],
    ["a list as a key", "? [a]\n: b\n", "p.yaml:1:3: a key has to be a plain text"],
    ["an escape that is none", 'name: "\\q"\n', "p.yaml:1:8: not valid YAML: invalid escape sequence \\q"],
    [
        "NUL",
        "name: x\ndescription: a\0b\n",
        "p.yaml:2:15: contains a NUL character; allowed: text, tabs and line breaks",
    ],
    [
        "a control character",
        "name: x\u0001\n",
        "p.yaml:1:8: contains a control character U+0001; allowed: text, tabs and line breaks",
    ],
    [
        "deep nesting",
        `name: ${"[".repeat(20_000)}`,
        "p.yaml:1:#: is nested too deeply; allowed: 64 levels at most",
    ],
    [
        "nesting that the parser can take",
        `name: ${"[".repeat(70)}${"]".repeat(70)}`,
        "p.yaml:1:71: is nested too deeply; allowed: 64 levels at most",
    ],
    [
        "a large file",
        `name: ${"x".repeat(600 * 1024)}`,
        "p.yaml:1:1: is 601 KiB large; allowed: 512 KiB at most",
    ],
])("%s", (_, text, ...expected) => {
    expect(mistakesOf(text).map((line) => line.replace(/:1:\d{3,}:/, ":1:#:"))).toEqual(expected);
});

test("aliases that stand for billions of values", () => {
    const letters = [..."abcdefghij"];
    const lines = letters.map((letter, i) => {
        const items = Array.from({ length: 10 }, () => (i === 0 ? "1" : `*${letters[i - 1]}`));
        return `${letter}: &${letter} [${items.join(",")}]`;
    });
    const [mistake, ...more] = mistakesOf(lines.join("\n"));
    expect(more).toEqual([]);
    expect(mistake).toMatch(
        /^p\.yaml:1:\d+: [a-j]\S+: stands for too many values \(an alias counts each time\); allowed: 100,000 at most$/,
    );
});

// What can be trusted in spite of these is checked too.
test.each<[string, string, ...string[]]>([
    ["a key twice", withTop("env: {A: b, A: c}"), "p.yaml:2:13: env.A: the same key a second time"],
    ["__proto__", withTop("env: {__proto__: b}"), "p.yaml:2:7: env.__proto__: is reserved"],
    [
        "an anchor that is not there",
        withTop("env: {A: *a}"),
        "p.yaml:2:10: env.A: the anchor of *a is not defined above it",
    ],
    [
        "an anchor in itself",
        withTop("env: &e {A: *e}"),
        "p.yaml:2:13: env.A: the anchor of *e contains itself",
    ],
    [
        "a tag",
        withTop("description: !secret x"),
        "p.yaml:2:14: unknown tag !secret; allowed: plain YAML, without tags",
    ],
    [
        "a standard tag",
        withTop("description: !!binary aGk="),
        "p.yaml:2:14: unknown tag !!binary; allowed: plain YAML, without tags",
    ],
    ["a merged text", withTop("env: {<<: x}"), 'p.yaml:2:11: env["<<"]: only mappings can be taken over'],
    ["an escaped NUL", withTop('description: "a\\0b"'), "p.yaml:2:14: description: contains a NUL character"],
    [
        "half a character",
        withTop('description: "\\uD800"'),
        "p.yaml:2:14: description: contains half of a surrogate pair, which is not a character",
    ],
    [
        "a mistake in what an alias brings, said once",
        "name: x\nsteps:\n  - &a {name: a, run: x, cahce: true}\n  - <<: *a\n    name: b\n",
        "p.yaml:3:26: steps[0].cahce: unknown key; allowed: name, run, after, inputs, outputs, env, retries, timeout, " +
            'cache, resources, processing; did you mean "cache"?',
    ],
])("%s, and what else is wrong", (_, text, ...expected) => {
    expect(mistakesOf(text)).toEqual(expected);
    const last = `${text}timeout: 0\n`;
    expect(mistakesOf(last)).toEqual([
        ...expected,
        `p.yaml:${text.split("\n").length}:10: timeout: is zero; allowed: a duration such as 10s, 30m, 2h, 1d or 1h30m`,
    ]);
});

describe("files", () => {
    const folder = mkdtempSync(join(tmpdir(), "stackrun-pipeline-"));
    afterAll(() => rmSync(folder, { recursive: true }));
    const load = (name: string): string[] =>
        refusal(() => loadPipelineFile(join(folder, name))).map((line) => line.replaceAll(`${folder}/`, ""));

    test("a good one is read", () => {
        writeFileSync(join(folder, "good.yaml"), withTop());
        expect(loadPipelineFile(join(folder, "good.yaml")).name).toBe("x");
    });

    test("a missing one, with one of a similar name beside it", () => {
        writeFileSync(join(folder, "pipeline.yml"), withTop());
        expect(load("pipeline.yaml")).toEqual([
            'pipeline.yaml: there is no such file; did you mean "pipeline.yml"?',
        ]);
        expect(load("none/pipeline.yaml")).toEqual(["none/pipeline.yaml: there is no such file"]);
        expect(load("good.yaml/x")).toEqual(["good.yaml/x: there is no such file"]);
        expect(load("x\0y")).toEqual(["x?y: there is no such file"]);
    });

    test("a folder", () => {
        mkdirSync(join(folder, "dir"));
        expect(load("dir")).toEqual(["dir: is a folder; allowed: a YAML file such as pipeline.yaml"]);
    });

    test("a link to itself", () => {
        symlinkSync("loop", join(folder, "loop"));
        expect(load("loop")).toEqual(["loop: can't be read: ELOOP"]);
    });

    test.each<[string, Buffer, string]>([
        ["UTF-16", Buffer.from("\uFEFFname: x\n", "utf16le"), "bytes:1:1: is UTF-16; allowed: UTF-8"],
        [
            "Latin-1",
            Buffer.from("name: x\ndescription: Grün\n", "latin1"),
            "bytes:2:16: is not UTF-8: the bytes here are no character; allowed: UTF-8",
        ],
        [
            "a large file",
            Buffer.alloc(1024 * 1024, "#"),
            "bytes:1:1: is 1024 KiB large; allowed: 512 KiB at most",
        ],
    ])("%s", (_, bytes, expected) => {
        writeFileSync(join(folder, "bytes"), bytes);
        expect(load("bytes")).toEqual([expected]);
    });
});
