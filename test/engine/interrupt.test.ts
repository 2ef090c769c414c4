import * as fs from "node:fs";
import * as path from "node:path";
import { Project, until } from "../support/project";
import { isRunning, processesIn } from "../support/processes";

const PIPELINE = `
name: interrupted
steps:
  - name: load
    run: echo load >> "$TRACE"
  - name: wait
    run: |
      echo begin >> "$TRACE"
      while [ ! -e "$GO" ]; do sleep 0.05; done
      echo end >> "$TRACE"
`;

describe("an update that is interrupted", () => {
    let project: Project;
    let env: { TRACE: string; GO: string };
    beforeEach(async () => {
        project = await Project.create({ "pipeline.yaml": PIPELINE });
        env = { TRACE: path.join(project.dir, ".home/trace"), GO: path.join(project.dir, ".home/go") };
    }, 60_000);
    afterEach(() => project.dispose());

    const trace = () =>
        fs.existsSync(env.TRACE) ? fs.readFileSync(env.TRACE, "utf8").trim().split("\n") : [];
    const go = () => fs.writeFileSync(env.GO, "");
    const runner = () => {
        const [run] = fs.readdirSync(path.join(project.dir, ".stackrun/runs"));
        return Number(project.read(`.stackrun/runs/${run}/runner.pid`).split(" ")[0]);
    };
    const plugins = () => processesIn(project.dir, /pulumi-resource-stackrun/);

    async function upUntilWaiting() {
        const up = project.startUp([], env);
        await until(
            () => trace().includes("begin"),
            60_000,
            () => `the step to begin:\n${up.output()}`,
        );
        return up;
    }

    // Returns the runner's process id, which lives on.
    async function killPulumi(): Promise<number> {
        const up = await upUntilWaiting();
        const runnerPid = runner();
        process.kill(up.child.pid as number, "SIGKILL");
        await until(
            () => plugins().length === 0,
            20_000,
            () => "the plugin to end",
        );
        expect(isRunning(runnerPid)).toBe(true);
        // Pulumi keeps the lock of an update that was killed.
        await project.expectOk(["cancel", "--yes", "--stack", "dev"]);
        return runnerPid;
    }

    it.each([
        ["on a terminal, where every process gets it", (pid: number) => process.kill(-pid, "SIGINT")],
        ["sent to pulumi alone", (pid: number) => process.kill(pid, "SIGINT")],
    ])(
        "by Ctrl-C %s cancels the run, says so, and the next `up` is attempt 2",
        async (_, interrupt) => {
            const up = await upUntilWaiting();
            const runnerPid = runner();
            interrupt(up.child.pid as number);
            const { code } = await up.ended;
            expect(code).not.toBe(0);
            expect(isRunning(runnerPid)).toBe(false);
            expect(trace()).toEqual(["load", "begin"]);
            const run = project.state().find(({ type }) => type === "stackrun:index:Run");
            expect(run?.outputs).toMatchObject({
                attempt: 1,
                status: "Cancelled",
                message: expect.stringContaining("cancelled by the user"),
            });
            go();
            const again = await project.up([], env);
            expect(again.stdout + again.stderr).toContain(
                "load: finished in an earlier attempt, not run again",
            );
            expect(again.code).toBe(0);
            expect(await project.outputs()).toMatchObject({ attempt: 2, status: "Succeeded" });
            expect(trace()).toEqual(["load", "begin", "begin", "end"]);
        },
        120_000,
    );

    it("by kill -9 of pulumi leaves the run running; the next `up` follows it to its end, and nothing runs twice", async () => {
        await killPulumi();
        const next = project.startUp([], env);
        await next.seen(/was started before and is still running: it is followed on/);
        go();
        const { code, stdout, stderr } = await next.ended;
        expect([code, stdout + stderr]).toEqual([0, expect.any(String)]);
        expect(await project.outputs()).toMatchObject({ attempt: 1, status: "Succeeded" });
        expect(trace()).toEqual(["load", "begin", "end"]);
        const last = await project.up([], env);
        expect(last.code).toBe(0);
        expect(trace().length).toBe(3);
    }, 120_000);

    it("by kill -9 of pulumi: `destroy` ends the run that the state does not know of", async () => {
        const runnerPid = await killPulumi();
        await project.expectOk(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);
        expect(isRunning(runnerPid)).toBe(false);
        expect(trace()).toEqual(["load", "begin"]);
    }, 120_000);

    it("by kill -9 of the plugin fails, and the next `up` records how the run ended meanwhile", async () => {
        const up = await upUntilWaiting();
        const [plugin] = plugins();
        process.kill(plugin, "SIGKILL");
        expect((await up.ended).code).not.toBe(0);
        const runnerPid = runner();
        expect(isRunning(runnerPid)).toBe(true);
        go();
        await until(
            () => !isRunning(runnerPid),
            20_000,
            () => "the run to end",
        );
        const next = await project.up([], env);
        expect(next.stdout + next.stderr).toContain("was started before and has ended");
        expect(next.code).toBe(0);
        expect(await project.outputs()).toMatchObject({ attempt: 1, status: "Succeeded" });
        expect(trace()).toEqual(["load", "begin", "end"]);
    }, 120_000);

    it("by kill -9 of the runner is `Lost`, not `Failed`; its steps are ended, and the next `up` goes on", async () => {
        const up = await upUntilWaiting();
        process.kill(runner(), "SIGKILL");
        const { code } = await up.ended;
        expect(code).not.toBe(0);
        expect(await project.outputs()).toMatchObject({ attempt: 1, status: "Lost", reason: "RunnerKilled" });
        await until(
            () => processesIn(project.dir, /^sh -c/).length === 0,
            10_000,
            () => "the step's processes to end",
        );
        go();
        expect((await project.up([], env)).code).toBe(0);
        expect(await project.outputs()).toMatchObject({ attempt: 2, status: "Succeeded" });
        expect(trace()).toEqual(["load", "begin", "begin", "end"]);
    }, 120_000);
});
