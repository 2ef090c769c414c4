import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { runnerScript } from "../../../src/runner/script";
import { describeShells, describeWithTool, hasTool, toolPath } from "../../support/shells";
import { expectNoProcess, plan, step, type TestRun, testRuns } from "./harness";

/** What the runner needs, beside a shell. */
const NEEDED = ["awk", "cat", "cp", "date", "ln", "mkdir", "mkfifo", "mv", "rm", "rmdir", "sleep", "tail"];
/** What it uses where it is there. */
const USED = ["setsid", "sed", "tr", "stdbuf"];
const DATA = Buffer.from(`one\n${"x".repeat(5000)}hunter2\nnul\0nul\nend`);
const SHOWN = `s\tone\ns\t${"x".repeat(5000)}***\ns\tnul?nul\ns\tend\n`;

/** A folder with links to tools: a PATH with nothing else on it. */
function pathWith(run: TestRun, tools: Record<string, string>): string {
    const folder = path.join(run.base, "bin");
    fs.mkdirSync(folder);
    for (const [name, target] of Object.entries(tools)) {
        fs.symlinkSync(target, path.join(folder, name));
    }
    return folder;
}

function realTools(...without: string[]): Record<string, string> {
    const names = ["sh", ...NEEDED, ...USED].filter((name) => !without.includes(name));
    return Object.fromEntries(names.map((name) => [name, toolPath(name)]));
}

async function showData(run: TestRun, tools: Record<string, string>, shell: string) {
    fs.writeFileSync(run.path("code/data"), DATA);
    await run.write(plan([step("s", "cat data")], { secrets: ["S"] }));
    const PATH = pathWith(run, tools);
    fs.symlinkSync(toolPath(shell), path.join(PATH, shell));
    return run.start({ env: { PATH, S: "hunter2" } }).ended;
}

describeWithTool("shellcheck", "the runner's text", () => {
    test("has nothing that shellcheck would change", () => {
        const { stdout, status } = spawnSync("shellcheck", ["--shell=sh", "-"], {
            input: runnerScript(),
            encoding: "utf8",
        });
        expect({ stdout, status }).toEqual({ stdout: "", status: 0 });
    });
});

describeShells("tools", (shell) => {
    const newRun = testRuns(shell);

    test("a PATH with nothing but busybox will do", async () => {
        const run = newRun();
        const busybox = toolPath("busybox");
        const names = ["sh", ...NEEDED, "setsid", "tr", "sed"];
        const { code, stdout, stderr } = await showData(
            run,
            Object.fromEntries(names.map((name) => [name, busybox])),
            shell.argv[0],
        );
        expect({ code, stderr, stdout: stdout.toString() }).toEqual({ code: 0, stderr: "", stdout: SHOWN });
        await expectNoProcess(run);
    });

    test.each(["mawk", "gawk", "original-awk"].filter(hasTool))("%s will do", async (awk) => {
        const run = newRun();
        const { code, stdout, stderr } = await showData(
            run,
            { ...realTools("awk"), awk: toolPath(awk) },
            shell.argv[0],
        );
        expect({ code, stderr, stdout: stdout.toString() }).toEqual({ code: 0, stderr: "", stdout: SHOWN });
    });

    test("without sed and tr only the rest of a line behind NUL is lost", async () => {
        const run = newRun();
        const { code, stdout } = await showData(run, realTools("stdbuf", "sed", "tr"), shell.argv[0]);
        expect(code).toBe(0);
        expect(stdout.toString().split("\n").slice(0, 2)).toEqual(SHOWN.split("\n").slice(0, 2));
    });

    test("each process group comes from setsid or from the shell's job control", async () => {
        const run = newRun();
        const script = "trap 'exit 3' TERM; sleep 60 & wait";
        await run.write(plan([step("s", script, { timeoutSeconds: 0.3 })]));
        const PATH = pathWith(run, { ...realTools("setsid"), [shell.argv[0]]: toolPath(shell.argv[0]) });
        const { code, stderr } = await run.start({ env: { PATH } }).ended;
        const ended = run.exists("events.jsonl") ? run.only("step.finished") : undefined;
        const refused = stderr.includes("lacks the tool setsid");
        // busybox sh knows setsid by itself, and dash has no job control without a terminal.
        expect({ code, refused, ended }).toMatchObject(
            shell.name === "dash"
                ? { code: 64, refused: true, ended: undefined }
                : { code: 1, refused: false, ended: { exitCode: 3, reason: "StepTimedOut" } },
        );
        await expectNoProcess(run);
    });

    test("a step's process killed for want of memory is told from one killed otherwise, where the kernel counts them", async () => {
        const run = newRun();
        const counter = path.join(run.base, "memory.events");
        fs.writeFileSync(counter, "low 0\nhigh 0\nmax 3\noom 0\noom_kill 0\noom_group_kill 0\n");
        fs.writeFileSync(run.script, runnerScript().replaceAll("/sys/fs/cgroup", run.base));
        const oom = `sed 's/oom_kill 0/oom_kill 1/' "${counter}" > new && mv new "${counter}"; kill -9 $$`;
        await run.run(
            plan([step("killed", "kill -9 $$", { retries: { limit: 1, delaySeconds: 0, factor: 1 } })]),
        );
        expect(run.only("step.finished", "killed")).toMatchObject({
            exitCode: 137,
            reason: "StepFailed",
            try: 2,
        });
        await run.run(plan([step("eater", oom)], { attempt: 2 }));
        expect(run.only("step.finished", "eater")).toMatchObject({ exitCode: 137, reason: "OutOfMemory" });
        expect(run.all("run.finished").at(-1)).toMatchObject({ state: "Failed", reason: "OutOfMemory" });
    });
});

describeWithTool("dash", "a tool that is missing", () => {
    const newRun = testRuns({ name: "dash", argv: ["dash"] });

    test.each(NEEDED)("%s is named", async (tool) => {
        const run = newRun();
        await run.write(plan([step("s", "true")]));
        const PATH = pathWith(run, { ...realTools(tool), dash: toolPath("dash") });
        const { code, stderr } = await run.start({ env: { PATH } }).ended;
        expect({ code, stderr }).toEqual({
            code: 64,
            stderr: `stackrun runner: this machine or image lacks the tool ${tool}\n`,
        });
    });
});
