import * as fs from "node:fs";
import * as path from "node:path";
import { DEFAULT_PROGRAM, Project, until } from "../support/project";
import { isRunning } from "../support/processes";

const PIPELINE = `
name: detached
params: {n: 1}
steps:
  - name: wait
    run: |
      echo "begin $STACKRUN_PARAM_N" >> "$TRACE"
      while [ ! -e "$GO-$STACKRUN_PARAM_N" ]; do sleep 0.05; done
      echo "end $STACKRUN_PARAM_N" >> "$TRACE"
`;

const program = (args: string) => DEFAULT_PROGRAM.replace('"pipeline.yaml"', `"pipeline.yaml", ${args}`);

// One story: each test goes on from the state that the one before it left.
describe("an update that does not wait", () => {
    let project: Project;
    let env: { TRACE: string; GO: string };
    beforeAll(async () => {
        project = await Project.create({ "pipeline.yaml": PIPELINE }, program("wait: false"));
        env = { TRACE: path.join(project.dir, ".home/trace"), GO: path.join(project.dir, ".home/go") };
    }, 120_000);
    afterAll(() => project.dispose());

    const trace = () => project.read(".home/trace").trim().split("\n");
    const go = (n: number) => fs.writeFileSync(`${env.GO}-${n}`, "");
    const runner = (runId: string) =>
        Number(project.read(`.stackrun/runs/${runId}/runner.pid`).split(" ")[0]);
    const refresh = () => project.expectOk(["refresh", "--yes", "--skip-preview", "--stack", "dev"]);

    it("ends as soon as the run has started", async () => {
        expect((await project.up([], env)).code).toBe(0);
        expect(await project.outputs()).toMatchObject({ status: "Running", attempt: 1 });
        await until(
            () => project.exists(".home/trace"),
            20_000,
            () => "the step to begin",
        );
    }, 60_000);

    it("finds the run still running at the next `up` and at `refresh`, and starts nothing", async () => {
        const { runId } = await project.outputs();
        expect((await project.up([], env)).code).toBe(0);
        await refresh();
        expect(await project.outputs()).toMatchObject({ status: "Running", runId, attempt: 1 });
        expect(trace()).toEqual(["begin 1"]);
    }, 60_000);

    it("refuses a change while the run is running, by its name, and lets it run", async () => {
        const { runId } = await project.outputs();
        project.program(program("wait: false, params: { n: 2 }"));
        const refused = await project.up([], env);
        expect(refused.code).not.toBe(0);
        expect(refused.stdout + refused.stderr).toMatch(
            new RegExp(`run ${runId} is still running, and params\\.n changed.*whileRunning`, "s"),
        );
        expect(isRunning(runner(runId))).toBe(true);
        project.program(program("wait: false"));
    }, 60_000);

    it("has its end brought into the outputs by `refresh`", async () => {
        const { runId } = await project.outputs();
        const pid = runner(runId);
        go(1);
        await until(
            () => !isRunning(pid),
            20_000,
            () => "the run to end",
        );
        await refresh();
        expect(project.state().find(({ type }) => type === "stackrun:index:Run")?.outputs).toMatchObject({
            status: "Succeeded",
            runId,
        });
        expect(trace()).toEqual(["begin 1", "end 1"]);
    }, 60_000);

    it("with whileRunning replace cancels the run before it starts the new one", async () => {
        project.program(program('wait: false, whileRunning: "replace", params: { n: 2 }'));
        expect((await project.up([], env)).code).toBe(0);
        const second = await project.outputs();
        await until(
            () => trace().includes("begin 2"),
            20_000,
            () => "the step to begin",
        );
        const pid = runner(second.runId);
        project.program(program('wait: false, whileRunning: "replace", params: { n: 3 }'));
        expect((await project.up([], env)).code).toBe(0);
        expect(isRunning(pid)).toBe(false);
        expect(project.read(`.stackrun/runs/${second.runId}/events.jsonl`)).toContain('"state":"Cancelled"');
        const third = await project.outputs();
        expect(third).toMatchObject({ status: "Running", attempt: 1 });
        expect(third.runId).not.toBe(second.runId);
        await until(
            () => trace().includes("begin 3"),
            20_000,
            () => "the step to begin",
        );
    }, 90_000);

    it("is cancelled by `destroy`, which leaves no process", async () => {
        const { runId } = await project.outputs();
        const pid = runner(runId);
        await project.expectOk(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);
        expect(isRunning(pid)).toBe(false);
        expect(trace()).toEqual(["begin 1", "end 1", "begin 2", "begin 3"]);
        expect(project.state().filter(({ type }) => type.startsWith("stackrun:"))).toEqual([]);
    }, 60_000);
});
