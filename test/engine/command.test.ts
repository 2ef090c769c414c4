import * as fs from "node:fs";
import * as path from "node:path";
import { isRunning } from "../support/processes";
import { Project, until } from "../support/project";

// The steps tell in a file what ran, and wait for a file: both where no code is looked for.
const TRACE = 'echo "$STACKRUN_STEP $STACKRUN_RUN_ID" >> .home/trace';

const PIPELINES = {
    "good.yaml": `
name: good
params: {word: hello}
steps:
  - name: first
    run: echo "$STACKRUN_PARAM_WORD" > "$STACKRUN_OUTPUTS/word"; ${TRACE}
    outputs: [word]
  - name: second
    run: cat "$STACKRUN_INPUTS/word"; echo score=0.5 >> "$STACKRUN_METRICS"; ${TRACE}
    inputs: {word: first/word}
`,
    "failing.yaml": `
name: failing
steps:
  - {name: first, run: '${TRACE}'}
  - {name: second, run: '${TRACE}; echo no luck; test -e .home/lucky || exit 7'}
`,
    "slow.yaml": `
name: slow
steps:
  - name: wait
    run: ${TRACE}; echo waiting; until test -e .home/gate; do sleep 0.05; done; echo done
`,
    "bad.yaml": "name: bad\nsecrets: [NOT_SET]\nsteps:\n  - name: a\n    rum: ls\n",
    "secret.yaml":
        "name: secret\nsecrets: [NOT_SET, NOT_SET_EITHER]\nparams: {n: 1}\nsteps: [{name: a, run: ls}]\n",
};

describe("the command", () => {
    let project: Project;
    beforeAll(async () => {
        project = await Project.create(PIPELINES);
    }, 120_000);
    afterAll(() => project.dispose());
    beforeEach(() => {
        for (const name of ["trace", "gate", "lucky"]) {
            fs.rmSync(path.join(project.dir, ".home", name), { force: true });
        }
    });

    const traced = () =>
        project.exists(".home/trace") ? project.read(".home/trace").trim().split("\n") : [];
    const tracedSteps = () => traced().map((line) => line.split(" ")[0]);
    const runs = (pipeline: string) => {
        const folder = path.join(project.dir, ".stackrun/runs");
        return fs.existsSync(folder)
            ? fs.readdirSync(folder).filter((id) => id.startsWith(`${pipeline}-`))
            : [];
    };
    const processesOf = (run: string) =>
        ["runner.pid", "steps/wait/pid"]
            .map((file) => path.join(project.dir, ".stackrun/runs", run, file))
            .filter((file) => fs.existsSync(file))
            .map((file) => Number(fs.readFileSync(file, "utf8").split(" ")[0]));

    describe("refuses, with exit code 2, all mistakes at once and nothing created,", () => {
        it.each([
            [
                "a pipeline with mistakes, and options with mistakes",
                ["bad.yaml", "--timeout", "soon", "--parallelism", "abc", "-p", "n"],
                [
                    '--param "n" is no assignment',
                    "bad.yaml:5:5: steps[0].rum: unknown key",
                    '--timeout "soon" is no duration',
                    '--parallelism "abc" is no number',
                ],
            ],
            [
                "secrets that are not set, and wrong parameters",
                ["secret.yaml", "-p", "m=1", "-p", "n=many"],
                [
                    "--param m: the pipeline has no such parameter",
                    '--param n: found "many"; allowed: a whole number',
                    "secret NOT_SET is not set: export it",
                    "secret NOT_SET_EITHER is not set",
                ],
            ],
            [
                "an orchestrator, a stack and a folder that can't be",
                ["good.yaml", "-o", "locl", "--stack", "a b", "--code", "nowhere"],
                ['did you mean "local"?', '--stack "a b" is no name of a stack', "nowhere is not a folder"],
            ],
            [
                "a file that isn't there",
                ["goood.yaml"],
                ['goood.yaml: there is no such file; did you mean "good.yaml"?'],
            ],
            ["an option that isn't there", ["good.yaml", "--fast"], ["unknown option '--fast'"]],
        ])("%s", async (_, args, messages) => {
            const refused = await project.stackrun(["run", ...args]);
            messages.forEach((message) => expect(refused.stderr).toContain(message));
            expect(refused.stderr).not.toMatch(/^\s+at /m);
            expect(refused.stdout).toBe("");
            expect(refused.code).toBe(2);
            expect(project.exists(".stackrun")).toBe(false);
        });
    });

    it("runs a pipeline, shows its log and where things are; and then has nothing to do", async () => {
        const first = await project.stackrun(["run", "good.yaml"]);
        expect(first.stderr).toBe("");
        const [runId = ""] = runs("good");
        expect(first.stdout).toContain(`▶ run ${runId}, attempt 1\n`);
        expect(first.stdout).toContain("second │ hello\n");
        expect(first.stdout).toMatch(/^status {5}Succeeded: 2 steps in/m);
        expect(first.stdout).toContain("metrics    second: score=0.5\n");
        expect(first.stdout).toContain(
            `artifacts  .stackrun/runs/${runId}/steps/first/outputs/word (6 bytes)\n`,
        );
        expect(first.stdout).not.toContain("\u001b");
        expect(first.code).toBe(0);
        expect(tracedSteps()).toEqual(["first", "second"]);

        const again = await project.stackrun(["run", "good.yaml"]);
        expect(again.stdout).toContain(`Nothing has changed since run ${runId}, which succeeded`);
        expect(again.code).toBe(0);
        expect(tracedSteps()).toEqual(["first", "second"]);
        expect(runs("good")).toEqual([runId]);

        const preview = await project.stackrun(["run", "good.yaml", "--preview", "-p", "word=bye"]);
        expect(preview.stdout).toContain("there would be a new run of good");
        expect(preview.stdout).toContain('parameter word: "hello" → "bye"');
        expect(preview.code).toBe(0);
        expect(runs("good")).toEqual([runId]);

        const status = await project.stackrun(["status", runId, "--json"]);
        expect(JSON.parse(status.stdout)).toMatchObject({
            runId,
            status: "Succeeded",
            metrics: { second: { score: 0.5 } },
        });
        expect((await project.stackrun(["logs", "--step", "second"])).stdout).toBe("hello\n");
        const unknown = await project.stackrun(["logs", `${runId}x`]);
        expect(unknown).toMatchObject({
            code: 2,
            stdout: "",
            stderr: `there is no run ${runId}x; did you mean ${runId}?\n`,
        });
    }, 90_000);

    it("fails when a step fails, and goes on with that step the next time", async () => {
        const failed = await project.stackrun(["run", "failing.yaml", "--json"]);
        expect(JSON.parse(failed.stdout)).toMatchObject({
            attempt: 1,
            status: "Failed",
            reason: "StepFailed",
            exitCode: 7,
        });
        expect(failed.stderr).toContain("second │ no luck\n");
        expect(failed.stderr).toContain("✘ second: failed with exit code 7");
        expect(failed.stderr).not.toMatch(/^\s+at |error:/m);
        expect(failed.code).toBe(1);

        project.write({ ".home/lucky": "" });
        const next = await project.stackrun(["run", "failing.yaml"]);
        expect(next.stdout).toContain(", attempt 2\n");
        expect(next.stdout).toContain("✔ first · finished in an earlier attempt");
        expect(next.code).toBe(0);
        expect(tracedSteps()).toEqual(["first", "second", "second"]);
        expect(new Set(traced().map((line) => line.split(" ")[1])).size).toBe(1);
    }, 60_000);

    it("cancels the run on SIGINT, and leaves no process", async () => {
        const run = project.startStackrun(["run", "slow.yaml"]);
        await run.seen(/wait │ waiting/);
        const [runId = ""] = runs("slow");
        const processes = processesOf(runId);
        expect(processes.filter(isRunning)).toHaveLength(2);
        run.child.kill("SIGINT");
        const { code, stdout, stderr } = await run.ended;
        expect(stdout).toContain("cancelling: the running steps are told to end");
        expect(stderr).toBe(
            `run ${runId} was cancelled; the same command goes on from its last finished step\n`,
        );
        expect(code).toBe(130);
        expect(processes.filter(isRunning)).toEqual([]);
        expect(JSON.parse(project.read(`.stackrun/runs/${runId}/run.json`))).toMatchObject({
            status: "Cancelled",
        });
        expect((await project.stackrun(["status", runId])).code).toBe(130);
    }, 60_000);

    it("follows the run to its end after a command that was killed, and runs nothing twice", async () => {
        const killed = project.startStackrun(["run", "slow.yaml", "--again"]);
        await killed.seen(/wait │ waiting/);
        killed.child.kill("SIGKILL");
        await killed.ended;
        const next = project.startStackrun(["run", "slow.yaml"]);
        await next.seen(/▶ run .*, attempt 1/);
        project.write({ ".home/gate": "" });
        const { code, stdout } = await next.ended;
        expect(stdout).toContain("wait │ done\n");
        expect(code).toBe(0);
        expect(tracedSteps()).toEqual(["wait"]);
    }, 60_000);

    it("returns with --no-wait as soon as the run has started; `logs --follow` and `run` follow it", async () => {
        const started = await project.stackrun(["run", "slow.yaml", "--again", "--no-wait"]);
        expect(started).toMatchObject({
            code: 0,
            stderr: "",
            stdout: expect.stringMatching(/^status {5}Running$/m),
        });
        const runId = traced()[0]?.split(" ")[1] ?? "";
        const status = await project.stackrun(["status"]);
        expect(status.stdout).toContain(`run        ${runId}, attempt 1\nstatus     Running\n`);
        const refused = await project.stackrun(["run", "slow.yaml", "--trigger", "another"]);
        expect(refused.stderr).toMatch(
            /^run \S+ is still running, and trigger changed\. .* give --replace to cancel it first\.\n$/,
        );
        expect(refused.code).toBe(1);
        const logs = project.startStackrun(["logs", "-f"]);
        await logs.seen(/wait \| waiting/);
        project.write({ ".home/gate": "" });
        expect(await logs.ended).toMatchObject({ code: 0, stdout: "wait | waiting\nwait | done\n" });
        await until(
            async () => (await project.stackrun(["status", runId])).stdout.includes("Succeeded"),
            10_000,
            () => "the status",
        );
        const followed = await project.stackrun(["run", "slow.yaml", "--json"]);
        expect(JSON.parse(followed.stdout)).toMatchObject({ runId, attempt: 1, status: "Succeeded" });
        expect(tracedSteps()).toEqual(["wait"]);
    }, 60_000);
});
