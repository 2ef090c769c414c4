import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { PlanStep, RunPlan } from "../../../../src/runner/plan";
import { launcherScript } from "../../../../src/runner/launcher";
import { planFiles, planScript } from "../../../../src/runner/planDir";
import { shQuote } from "../../../../src/runner/quote";
import { toolPath, type Shell } from "../../../support/shells";
import { plan, type StartOptions, step, TestRun } from "../../runner/harness";
import type { Producers } from "./said";

const SH: Shell = { name: "sh", argv: ["sh"] };
/** Has no job control without a terminal. */
const DASH: Shell = { name: "dash", argv: ["dash"] };
const NO_OUTPUT: Shell = { name: "sh", argv: ["sh", "-c", 'exec sh "$0" "$@" > /dev/full'] };
const TOOLS = "awk cat cp date ln mkdir mkfifo mv rm rmdir sh sleep tail setsid".split(" ");

type Harm = (run: TestRun) => StartOptions | void | Promise<StartOptions | void>;

/** What a runner says of a run directory to which something was done before. */
const runner =
    (harm: Harm, more: Partial<RunPlan> = {}, shell = SH) =>
    async (): Promise<string> => {
        const run = new TestRun(shell);
        try {
            await run.write(plan([step("a", "echo x")], more));
            const { stderr } = await run.start((await harm(run)) ?? {}).ended;
            return stderr.replaceAll(/^stackrun runner: /gm, "");
        } finally {
            await run.remove();
        }
    };

/** The same, of a plan with another step. */
const during = (script: string, more: Partial<PlanStep> = {}) =>
    runner((run) => run.write(plan([step("a", script, more)])));

/** What stackrun says in a step's log. */
const logged =
    (script: string, more: Partial<PlanStep> = {}) =>
    async (): Promise<string> => {
        const run = new TestRun(SH);
        try {
            await run.run(plan([step("a", script, more)]));
            return run.read("steps/a/log");
        } finally {
            await run.remove();
        }
    };

/** A PATH with these tools only; a text is a script that takes the tool's place. */
function pathWith(run: TestRun, tools: Readonly<Record<string, string | undefined>>): StartOptions {
    const bin = path.join(run.base, "bin");
    fs.mkdirSync(bin);
    for (const [name, script] of Object.entries(tools)) {
        if (script === undefined) {
            fs.symlinkSync(toolPath(name), path.join(bin, name));
        } else {
            fs.writeFileSync(path.join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
        }
    }
    return { env: { PATH: bin } };
}

const without = (...missing: string[]): Readonly<Record<string, undefined>> =>
    Object.fromEntries(TOOLS.filter((name) => !missing.includes(name)).map((name) => [name, undefined]));

const inTheWay =
    (name: string): Harm =>
    (run) =>
        fs.writeFileSync(run.path(name), "");

const STARTING: Producers = {
    "this machine or image lacks the tool …": runner((run) => pathWith(run, without("awk"))),
    "this machine or image lacks the tool setsid (and its sh has no job control without a terminal)": runner(
        (run) => pathWith(run, { ...without("setsid"), dash: undefined }),
        {},
        DASH,
    ),
    "the working directory … does not exist": runner(() => undefined, { codeDir: "/no/such/folder" }),
    "another runner, process …, is at work in …": runner((run) =>
        fs.writeFileSync(run.path("runner.pid"), `${process.pid} ${startTime(process.pid)}\n`),
    ),
    "usage: sh runner.sh RUNDIR": runner(() => ({ runDirArgument: "" })),
    "… is not a folder": runner((run) => ({ runDirArgument: `${run.base}/nothing` })),
    "…/plan can't be read": runner((run) => fs.rmSync(run.path("plan"), { recursive: true })),
    "…/plan is not whole": runner((run) => {
        const text = run.read("plan/plan.sh");
        fs.writeFileSync(run.path("plan/plan.sh"), text.replace(/sr_plan_ends=.*/, ""));
    }),
};

const WRITING: Producers = {
    "… can't be written": runner((run) => {
        fs.rmSync(run.path("code"), { recursive: true });
        return inTheWay("code")(run);
    }),
    "events.jsonl can't be written": runner((run) => fs.symlinkSync("/dev/full", run.path("events.jsonl"))),
    "…/events.jsonl can't be written": runner((run) => fs.mkdirSync(run.path("events.jsonl"))),
    'the log of step "…" can\'t be written': runner((run) => {
        fs.mkdirSync(run.path("steps/a/log"), { recursive: true });
    }),
    "the folders of the steps can't be made": runner(inTheWay("steps")),
    "standard output can't be written": runner(() => undefined, { stream: "stdout" }, NO_OUTPUT),
    'the folder of step "…" can\'t be written': runner((run) => {
        fs.mkdirSync(run.path("steps/a/metrics"), { recursive: true });
    }),
    'the status of step "…" can\'t be written': during(
        'cd "$STACKRUN_OUTPUTS/.." && rm pid && mkdir pid && touch pid/x',
    ),
    "no named pipe can be made in … nor in …": runner((run) =>
        pathWith(run, { ...without("mkfifo"), mkfifo: "exit 1" }),
    ),
};

/** What a container says that can't become a runner. */
const launched =
    (harm: (folder: string) => NodeJS.ProcessEnv | void) =>
    (folder: string): string => {
        const inside = (name: string) => path.join(folder, name);
        fs.writeFileSync(inside("launcher.sh"), launcherScript());
        fs.writeFileSync(inside("plan.sh"), planScript(plan([step("a", "true")])));
        fs.writeFileSync(inside("runner.sh"), "exit 0");
        const env: NodeJS.ProcessEnv = {
            PATH: process.env.PATH,
            STACKRUN_BOOT: folder,
            STACKRUN_TERMINATION_LOG: inside("log"),
            ...harm(folder),
        };
        const { stderr } = spawnSync("/bin/sh", [inside("launcher.sh"), inside("run")], { env });
        return stderr.toString().replaceAll(/^stackrun: /gm, "");
    };
const code = (folder: string, text: string) => {
    fs.mkdirSync(path.join(folder, "code"));
    fs.writeFileSync(path.join(folder, "code/0"), text);
    return { STACKRUN_CODE: path.join(folder, "code"), STACKRUN_CODE_HASH: "x" };
};

const LAUNCHING: Producers = {
    "the image lacks the tool …, which unpacks the code: use an image that has it, or one that holds the code":
        launched((folder) => {
            fs.mkdirSync(path.join(folder, "bin"));
            for (const tool of ["mkdir", "cat"]) {
                fs.symlinkSync(toolPath(tool), path.join(folder, "bin", tool));
            }
            return { ...code(folder, ""), PATH: path.join(folder, "bin") };
        }),
    "the code can't be unpacked into …: is the disk full, or the archive damaged?": launched((folder) =>
        code(folder, "no archive"),
    ),
    "the folder of the run, …, can't be made by user …": launched((folder) =>
        fs.writeFileSync(path.join(folder, "run"), ""),
    ),
    "…/plan can't be written": launched((folder) =>
        fs.writeFileSync(path.join(folder, "plan.sh"), "false\n"),
    ),
    "the secrets are not in …: they are read once": launched((folder) => ({
        STACKRUN_SECRETS: path.join(folder, "secrets"),
    })),
};

/** What stands in the log of a step. */
export const STEP_LOG: Producers = {
    'stackrun: input "…" is missing: step "…" left no output "…"': logged("true", {
        inputs: { i: { step: "b", output: "o" } },
    }),
    'stackrun: output "…" is missing: the step left nothing of that name in $STACKRUN_OUTPUTS': logged(
        "true",
        {
            outputs: ["o"],
        },
    ),
    "stackrun: …: no such command": logged("", { argv: ["no-such-command"] }),
    "stackrun: … does not exist": logged("", { argv: ["./nothing"] }),
    "stackrun: … can't be executed": logged("", { argv: ["/etc/passwd"] }),
    "stackrun: the working directory … can't be entered": logged('rm -rf "$PWD"; exit 1', {
        retries: { limit: 1, delaySeconds: 0, factor: 1 },
    }),
    "stackrun: line … of $STACKRUN_METRICS is left out, because it is not NAME=NUMBER: …": logged(
        'echo nonsense > "$STACKRUN_METRICS"',
    ),
};

function startTime(pid: number): string {
    return fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ")[19];
}

/** What is wrong with a plan. */
const refused =
    (more: Partial<RunPlan>, change: Partial<PlanStep> = {}) =>
    () => {
        try {
            planFiles(plan([step("a", "true", change)], more));
        } catch (error) {
            return (error as Error).message.replace(/^the plan can't be written: /, "");
        }
        throw new Error("nothing was refused");
    };

const PLAN: Producers = {
    "the plan can't be written: …": () => planFiles(plan([], { nonce: "a b" })),
    "the nonce has other characters than letters, digits, ., _ and -": refused({ nonce: "a b" }),
    "two steps have the same name": () => refused({ steps: [step("a", "x"), step("a", "y")] })(),
    "the secret's name … can't be a variable of sh": refused({ secrets: ["a-b"] }),
    "the name of … can't be a folder's name": refused({}, { name: "a/b" }),
    "… has no command": refused({}, { argv: [] }),
    "the command of … contains a NUL character": refused({}, { argv: ["a\0b"] }),
    "… is after …, which is no step": refused({}, { after: ["b"] }),
    "… has a variable with the name …": refused({}, { env: { "A=B": "c" } }),
    "the variable … of … contains a NUL character": refused({ env: { A: "b\0c" } }),
    "a text with a NUL character can't be handed to a program: …": () => shQuote("a\0b"),
};

/** What the runner says, and what is said of its plan. */
export const RUNNER: Producers = { ...STARTING, ...WRITING, ...LAUNCHING, ...PLAN };
