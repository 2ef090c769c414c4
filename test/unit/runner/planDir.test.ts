import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import fc from "fast-check";
import { planFiles } from "../../../src/runner/planDir";
import { shQuote } from "../../../src/runner/quote";
import { describeShells } from "../../support/shells";
import { plan, step, testRuns } from "./harness";

const AWKWARD = [
    "",
    " ",
    "'",
    "''",
    "-n",
    "--",
    "$(touch x)",
    "`x`",
    "$HOME",
    "\\",
    "\\n",
    '"',
    "a\nb\n\n",
    "\n",
    "\t\r\x1b\x7f",
    "*",
    "~",
    "é\u2028😀",
    "!",
    "{a,b}",
    "#",
    "a=b",
    "%s",
];
const anyText = fc.oneof(
    fc.constantFrom(...AWKWARD),
    fc.string({ unit: "binary", maxLength: 30 }).map((text) => text.replaceAll("\0", "0")),
    fc.string({ unit: fc.constantFrom(..."'\"\\$`\n -=*?[]{}~!#&;|<>()%"), maxLength: 12 }),
);

describeShells("values of a plan", (shell) => {
    const newRun = testRuns(shell);
    const quoted = (text: string) =>
        execFileSync(shell.argv[0], [...shell.argv.slice(1), "-c", `printf %s ${shQuote(text)}`]).toString();

    test.each(AWKWARD)("%j quoted is one word, the same", (text) => {
        expect(quoted(text)).toBe(text);
    });

    test("property: commands, variables, outputs and inputs pass unharmed", async () => {
        const dump = 'for v; do printf "%s\\0" "$v"; done > argv; env -0 > env';
        const name = fc.stringMatching(/^[A-Z_][A-Za-z0-9_]{0,10}$/).map((text) => `V_${text}`);
        await fc.assert(
            fc.asyncProperty(
                fc.array(anyText, { maxLength: 30 }),
                fc.dictionary(name, anyText),
                fc.dictionary(name, anyText),
                async (words, runEnv, stepEnv) => {
                    const run = newRun();
                    const one = step("s", "", { argv: ["sh", "-c", dump, "sh", ...words], env: stepEnv });
                    expect((await run.run(plan([one], { env: runEnv }))).code).toBe(0);
                    expect(run.read("code/argv")).toBe(words.map((word) => `${word}\0`).join(""));
                    const seen = run.read("code/env").split("\0");
                    const expected = Object.entries({ ...runEnv, ...stepEnv }).map(
                        ([key, value]) => `${key}=${value}`,
                    );
                    expect(seen).toEqual(expect.arrayContaining(expected));
                    await run.remove();
                },
            ),
            { numRuns: 12 },
        );
    });

    test("variables that a shell keeps for itself, or can't name, reach the step", async () => {
        const run = newRun();
        const env = {
            UID: "7",
            PPID: "x",
            IFS: "abc",
            "dotted.name": "a b",
            OPTIND: "y",
            BASH_ENV: "",
            sr_dir: "/",
            RANDOM: "4",
            "a-b": "'",
        };
        const script = "env -0 > env";
        // With `sh` between, the shell of the step would drop some of them again.
        const one = step("s", "", { argv: ["env", "-0"], env });
        const { code } = await run.run(
            plan([one, step("t", script)], { env: { UID: "8", SECONDS: "later" } }),
        );
        expect(code).toBe(0);
        const seen = run.read("steps/s/log").split("?");
        for (const [name, value] of Object.entries({ ...env, SECONDS: "later" })) {
            expect(seen).toContain(`${name}=${value}`);
        }
    });

    test("a file name of any kind may be an output", async () => {
        const run = newRun();
        const names = ["-rf", "a b", "it's", "$x", "`y`", "*", "dir/ü.txt"];
        const script = 'cd "$STACKRUN_OUTPUTS"; mkdir dir; for v; do : > "./$v"; done';
        const one = step("s", "", { argv: ["sh", "-c", script, "sh", ...names], outputs: names });
        const { stdout, code } = await run.run(plan([one]));
        expect({ code, stdout: stdout.toString() }).toEqual({ code: 0, stdout: "" });
    });

    test("a plan that was not written to its end is refused", async () => {
        const run = newRun();
        await run.write(plan([step("a", "true"), step("b", "true")]));
        const file = run.path("plan/plan.sh");
        fs.writeFileSync(file, fs.readFileSync(file, "utf8").split("\n").slice(0, -2).join("\n"));
        const { code, stderr } = await run.start().ended;
        expect(code).toBe(64);
        expect(stderr).toContain("plan is not whole");
    });
});

describe("writing a plan", () => {
    const newRun = testRuns({ name: "sh", argv: ["sh"] });

    test("takes the place of an earlier one and leaves nothing of it", async () => {
        const run = newRun();
        await run.write(plan([step("a", "true"), step("b", "true")]));
        await run.write(plan([step("c", "true")], { attempt: 2 }));
        expect(fs.readdirSync(run.path("plan/steps"))).toEqual(["1.sh"]);
        expect(run.read("plan/plan.sh")).toContain("sr_attempt='2'");
        expect(fs.readdirSync(run.dir).sort()).toEqual(["code", "plan"]);
    });

    test("is for the owner's eyes only", async () => {
        const run = newRun();
        await run.write(plan([step("a", "true")]));
        for (const name of ["plan.sh", "env.sh", "steps/1.sh"]) {
            expect(fs.statSync(path.join(run.path("plan"), name)).mode & 0o077).toBe(0);
        }
    });

    test.each([
        [
            "a NUL character in a command",
            plan([step("a", "x\0y")]),
            'the command of step "a" contains a NUL character',
        ],
        [
            "one in a variable",
            plan([], { env: { A: "\0" } }),
            'the variable "A" of the run contains a NUL character',
        ],
        ["one in an output's name", plan([step("a", "true", { outputs: ["x\0"] })]), "NUL"],
        [
            "a variable without a name",
            plan([step("a", "true", { env: { "": "x" } })]),
            'a variable with the name ""',
        ],
        ["a step that leaves the folder", plan([step("../a", "true")]), 'the name of step "../a"'],
        [
            "two steps of one name",
            plan([step("a", "true"), step("a", "true")]),
            "two steps have the same name",
        ],
        [
            "a step after one that is not there",
            plan([step("a", "true", { after: ["b"] })]),
            'is after "b", which is no step',
        ],
        ["a step without a command", plan([step("a", "", { argv: [] })]), 'step "a" has no command'],
        ["a secret that sh can't name", plan([], { secrets: ["a b"] }), 'the secret\'s name "a b"'],
        ["a nonce that is no plain word", plan([], { nonce: '"' }), "the nonce"],
    ])("refuses %s", (_, bad, message) => {
        expect(() => planFiles(bad)).toThrow(message);
    });
});
