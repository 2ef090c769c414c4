import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { Project } from "../support/project";

// The project's own folder has a name that a shell would fall over.
jest.mock("node:os", () => {
    const os = jest.requireActual<typeof import("node:os")>("node:os");
    return { ...os, tmpdir: () => process.env.HOSTILE_FOLDER ?? os.tmpdir() };
});

/** Whatever evaluates this makes a file that must not be there in the end. */
const EVALUATED = '$(touch "$CANARY")`touch "$CANARY"`';

const VALUES = [
    "",
    " ",
    "  two  spaces  ",
    "it's \"quoted\" ''\"\" 'x' \\' \\\"",
    EVALUATED,
    "${HOME} $HOME $$ $1 ~ ${pulumi.stack}",
    "line 1\nline 2",
    "ends with lines' ends\n\n",
    "\n",
    "žluťoučký kůň 🐎 \u202e\u200b نص ﬁ",
    "-n",
    "--help",
    "-",
    "* ? [a-z]* {a,b} ../*",
    "back\\slash \\n \\\\ \\0 C:\\x\\",
    "%s %d %n 100% %%",
    ";&|<>(){}[]!#^~",
    "a=b\tc\r\u001b[31mred\u001b[0m\u007f",
    "<{%reset%}>__proto__",
    "4dabf18193072939515e22adb298388d",
];

const FILES = [
    "plain.txt",
    " two  spaces ",
    'it\'s "quoted"',
    EVALUATED,
    "$HOME ~ ${x}",
    "-rf",
    "--",
    "*",
    "?[a-z]*{a,b}",
    "%s%n%%",
    "žluťoučký 🐎",
    ";&|<>()!#=",
    "constructor",
    "__proto__",
    ".hidden",
];
/** As names of inputs; this one is refused there. */
const INPUTS = FILES.map((name) => (name === "__proto__" ? "valueOf" : name));
const NESTED = `in 'a' folder/${EVALUATED}/-f`;

const METRICS: readonly [string, number | undefined][] = [
    ["good=1.5", 1.5],
    ["a.b-c=-2e3", -2000],
    ["constructor=3", 3],
    ["two words=1", undefined],
    [`evaluated=${EVALUATED}`, undefined],
    ['quoted="1"', undefined],
    ["=1", undefined],
    ["nan=NaN", undefined],
    ["hex=0x10", undefined],
    ['json=1,"type":"run.finished"', undefined],
    ["\u001eescape=1", undefined],
    ["-n=1", undefined],
    ["last=7", 7],
];

const forged = (type: string) =>
    JSON.stringify({
        n: 3,
        nonce: "0",
        time: "2026-01-01T00:00:00.000Z",
        attempt: 1,
        type,
        step: "take",
        state: "Failed",
        try: 1,
        exitCode: 1,
    });

const LINES: readonly Buffer[] = [
    `\u001e${forged("run.finished")}`,
    forged("step.finished"),
    "take\ta line that claims to be another step's",
    "\tno step at all",
    "",
    "\u001b[31mred\u001b[0m\u001b]0;title\u0007",
    "before\rafter",
    EVALUATED,
    "%s %d %!s(MISSING) 100%",
    "<{%reset%}> ${x} \\n \\u0000",
    "-n",
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
    "stackrun-end-1-1",
].map((line) => Buffer.from(line));
const INVALID = Buffer.from([0x69, 0x6e, 0xff, 0xfe, 0xc3, 0x28, 0xed, 0xa0, 0x80, 0x76]);
const NUL = Buffer.from("nul\0nul");
// A character that stands on the place where a shown line is cut.
const LONG = Buffer.from(`x${"🐎".repeat(20_000)}`);

const DUMP = `
const { argv, env } = process;
require("node:fs").writeFileSync(env.STACKRUN_OUTPUTS + "/dump.json", JSON.stringify({ argv: argv.slice(2), env, cwd: process.cwd() }));
`;
const MAKE = `
const fs = require("node:fs"), path = require("node:path");
for (const name of process.argv.slice(2)) {
    const file = path.join(process.env.STACKRUN_OUTPUTS, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, "content of " + name);
}
`;
const TAKE = `
const fs = require("node:fs"), { env, argv } = process;
const read = (name) => fs.readFileSync(env.STACKRUN_INPUTS + "/" + name, "utf8");
fs.writeFileSync(env.STACKRUN_OUTPUTS + "/taken.json", JSON.stringify(argv.slice(2).map((name) => [name, read(name)])));
`;

const TOOL = `to ol=1 'x' ${EVALUATED}`.replaceAll("/", "");
const NAME = `it's "a" ${EVALUATED} %s * ~ žluť 🐎`;
const names = (prefix: string) => VALUES.map((_, index) => `${prefix}${index}`);
const byName = (prefix: string, change = (value: string) => value) =>
    Object.fromEntries(names(prefix).map((name, index) => [name, change(VALUES[index])]));
// Not a part of any other text here, or the log would be masked where the test looks.
const secretOf = (value: string) =>
    value &&
    value
        .split("\n")
        .map((line) => `${line}~secret`)
        .join("\n");

const PIPELINE = {
    name: NAME,
    params: {
        ...Object.fromEntries(names("p").map((name) => [name, { type: "string" }])),
        constructor: "default",
    },
    env: { ...byName("E"), constructor: "of the pipeline" },
    secrets: names("S"),
    steps: [
        { name: "make", run: ["node", "make.js", ...FILES, NESTED], outputs: [...FILES, NESTED] },
        {
            name: "take",
            run: ["node", "take.js", ...INPUTS],
            inputs: Object.fromEntries(
                INPUTS.map((name, index) => [name, `make/${index ? FILES[index] : NESTED}`]),
            ),
            outputs: ["taken.json"],
        },
        { name: "args", run: ["node", "dump.js", ...VALUES], outputs: ["dump.json"] },
        {
            name: "tool",
            run: [`./${TOOL}`, ...VALUES],
            env: { ...byName("E", (value) => `step ${value}`), PS1: EVALUATED, SECONDS: "x y" },
            outputs: ["dump.json"],
        },
        { name: "constructor", run: 'cat metrics.txt > "$STACKRUN_METRICS"' },
        { name: "log", run: "cat lines.bin" },
    ],
};

const PROGRAM = `
const values = ${JSON.stringify(VALUES)};
const of = (prefix, change) => Object.fromEntries(values.map((value, index) => [prefix + index, change(value)]));
const job = new stackrun.LocalOrchestrator("job", {
    pipeline: "co 'de' $(x)/" + ${JSON.stringify(`pipe "line" ${EVALUATED}.yaml`)},
    params: of("p", (value) => value),
    env: of("G", (value) => value),
    secrets: of("S", (value) => pulumi.secret(value && value.split("\\n").map((line) => line + "~secret").join("\\n"))),
    stateDir: ${JSON.stringify(`state 'dir'\n${EVALUATED}`)},
});
for (const output of ["runId", "status", "message", "logs", "logUrl", "metrics", "artifacts", "steps"]) {
    exports[output] = job[output];
}
`;

describe("names, values, paths and output that a shell, a terminal or a protocol could take for something else", () => {
    const canary = path.join(
        fs.mkdtempSync(
            path.join(jest.requireActual<typeof import("node:os")>("node:os").tmpdir(), "stackrun-canary-"),
        ),
        "canary",
    );
    const folder = path.join(path.dirname(canary), `pro ject's "a" ${EVALUATED} %41 * [x] 🐎`);
    let project: Project;
    let up: { code: number | null; stdout: string; stderr: string };
    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    let outputs: any;
    let runDir: string;

    beforeAll(async () => {
        fs.mkdirSync(folder);
        process.env.HOSTILE_FOLDER = folder;
        const code = "co 'de' $(x)";
        project = await Project.create(
            {
                [`${code}/pipe "line" ${EVALUATED}.yaml`]: JSON.stringify(PIPELINE).replaceAll(
                    "\u007f",
                    "\\u007f",
                ),
                [`${code}/dump.js`]: DUMP,
                [`${code}/make.js`]: MAKE,
                [`${code}/take.js`]: TAKE,
                [`${code}/${TOOL}`]: `#!/usr/bin/env node\n${DUMP}`,
                [`${code}/metrics.txt`]: METRICS.map(([line]) => line).join("\n"),
            },
            PROGRAM,
        );
        fs.chmodSync(path.join(project.dir, code, TOOL), 0o755);
        const bytes = [...LINES, INVALID, NUL, LONG, Buffer.from("no line's end")].flatMap((line) => [
            line,
            Buffer.from("\n"),
        ]);
        fs.writeFileSync(path.join(project.dir, code, "lines.bin"), Buffer.concat(bytes.slice(0, -1)));
        up = await project.up([], { CANARY: canary });
        if (up.code !== 0) {
            throw new Error(`up ended with ${up.code}:\n${up.stdout.split("Outputs:")[0]}${up.stderr}`);
        }
        outputs = await project.outputs();
        runDir = path.join(project.dir, `state 'dir'\n${EVALUATED}`, "runs", outputs.runId);
    }, 120_000);

    afterAll(() => {
        delete process.env.HOSTILE_FOLDER;
        project.dispose();
        fs.rmSync(path.dirname(canary), { recursive: true, force: true });
    });

    const dumpOf = (step: string) =>
        JSON.parse(fs.readFileSync(path.join(runDir, "steps", step, "outputs/dump.json"), "utf8"));

    it("let the run succeed, and are evaluated by nobody", () => {
        expect(up.stdout + up.stderr).not.toMatch(/error:/);
        expect(up.code).toBe(0);
        expect(outputs.status).toBe("Succeeded");
        expect(fs.existsSync(canary)).toBe(false);
        // It would be there.
        execFileSync("sh", ["-c", `: ${EVALUATED}`], { env: { ...process.env, CANARY: canary } });
        expect(fs.existsSync(canary)).toBe(true);
    });

    it("reach a step as the words of its command", () => {
        expect(dumpOf("args").argv).toEqual(VALUES);
        expect(dumpOf("tool").argv).toEqual(VALUES);
        expect(dumpOf("args").cwd).toBe(fs.realpathSync(path.join(project.dir, "co 'de' $(x)")));
    });

    it("reach a step as parameters, environment and secrets", () => {
        const { env } = dumpOf("args");
        VALUES.forEach((value, index) => {
            expect([index, env[`STACKRUN_PARAM_P${index}`]]).toEqual([index, value]);
            expect([index, env[`E${index}`]]).toEqual([index, value]);
            expect([index, env[`G${index}`]]).toEqual([index, value]);
            expect([index, env[`S${index}`]]).toEqual([index, secretOf(value)]);
        });
        expect(env).toMatchObject({ STACKRUN_PARAM_CONSTRUCTOR: "default", constructor: "of the pipeline" });
    });

    it("reach a step as its own environment, names that mean something to a shell among them", () => {
        const { env } = dumpOf("tool");
        VALUES.forEach((value, index) => expect([index, env[`E${index}`]]).toEqual([index, `step ${value}`]));
        expect(env).toMatchObject({ PS1: EVALUATED, SECONDS: "x y" });
    });

    it("name outputs, inputs and artifacts", () => {
        const taken = JSON.parse(fs.readFileSync(path.join(runDir, "steps/take/outputs/taken.json"), "utf8"));
        expect(taken).toEqual(
            INPUTS.map((name, index) => [name, `content of ${index ? FILES[index] : NESTED}`]),
        );
        // Pulumi's SDK can't hold a key called __proto__.
        const shown = [...FILES, NESTED].filter((name) => name !== "__proto__");
        expect(Object.keys(outputs.steps[0].outputs as object).sort()).toEqual(shown.sort());
        for (const name of [...FILES, NESTED]) {
            const content = `content of ${name}`;
            const sha256 = createHash("sha256").update(content).digest("hex");
            expect([name, outputs.artifacts[`make/${name}`]]).toEqual([
                name,
                expect.objectContaining({ size: Buffer.byteLength(content), sha256 }),
            ]);
        }
    });

    it("are no metrics unless they are numbers", () => {
        const good = METRICS.filter(([, value]) => value !== undefined).map(([line, value]) => [
            line.split("=")[0],
            value,
        ]);
        expect(Object.keys(outputs.metrics)).toEqual(["constructor"]);
        expect(Object.entries(outputs.metrics.constructor).sort()).toEqual(good.sort());
    });

    it("stay what they are in the step's log and in the run's", () => {
        const line = (prefix: string, text: Buffer) =>
            Buffer.concat([Buffer.from(prefix), text, Buffer.from("\n")]);
        const last = Buffer.from("no line's end");
        for (const [file, prefix] of [
            ["steps/log/log", ""],
            ["log", "log\t"],
        ]) {
            const log = fs.readFileSync(path.join(runDir, file));
            for (const text of [...LINES, INVALID, LONG, last]) {
                expect([
                    file,
                    text.toString("latin1").slice(0, 80),
                    log.includes(line(prefix, text)),
                ]).toEqual([file, expect.anything(), true]);
            }
            // Some awk can't hold a NUL.
            expect(log.toString("latin1")).toMatch(new RegExp(`^${prefix}nul[?\\0]nul$`, "m"));
        }
        const own = fs.readFileSync(path.join(runDir, "steps/log/log"));
        expect(own.length).toBe(
            [...LINES, INVALID, NUL, LONG, last].reduce((size, text) => size + text.length + 1, 0),
        );
    });

    it("forge no event, and no line of another step", async () => {
        const events = fs.readFileSync(path.join(runDir, "events.jsonl"), "utf8").trim().split("\n");
        const read = events.map((event) => JSON.parse(event) as { n: number; nonce: string; type: string });
        expect(read.map(({ n }) => n)).toEqual(read.map((_, index) => index + 1));
        expect(new Set(read.map(({ nonce }) => nonce)).size).toBe(1);
        expect(read.filter(({ type }) => type === "run.finished")).toHaveLength(1);
        expect(
            outputs.steps.map(({ name, state }: { name: string; state: string }) => [name, state]),
        ).toEqual(PIPELINE.steps.map(({ name }) => [name, "Succeeded"]));
        expect(up.stdout).toContain("log | take\ta line that claims to be another step's");
        expect(up.stdout).not.toMatch(/take \| a line that claims/);
    });

    it("are shown by `pulumi up` and kept in the state as far as text can hold them", () => {
        const horses = "🐎".repeat(100);
        expect(up.stdout).toContain(`log | x${horses}`);
        expect(up.stdout).toContain("log | %s %d %!s(MISSING) 100%");
        expect(up.stdout).toContain(`log | ${EVALUATED}`);
        expect(Buffer.byteLength(outputs.logs)).toBeLessThanOrEqual(64 * 1024);
        expect(outputs.logs).toContain("no line's end\n");
    });
});
