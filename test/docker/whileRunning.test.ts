import * as fs from "node:fs";
import * as path from "node:path";
import { describeDocker } from "../support/docker/lane";
import type { Project } from "../support/project";
import { cleanUp, dockerProject, eventsOf, leftIn, logOf, program, RUN, upOk } from "./project";

describeDocker("a change while a Docker run is still running", (bed) => {
    const PIPELINE = `
name: busy
steps:
  - name: wait
    run: trap 'echo told to end; exit 1' TERM; echo begun; until [ -e /gate/go ]; do sleep 0.1; done; echo end
`;
    let project: Project;
    let gate: string;
    const args = (more: string) =>
        `wait: false, volumes: [{ hostPath: ${JSON.stringify(gate)}, containerPath: "/gate", readOnly: true }], ${more}`;
    const change = async (more: string) => project.program(await program(bed, args(more)));
    beforeAll(async () => {
        project = await dockerProject(bed, { "pipeline.yaml": PIPELINE });
        gate = path.join(project.dir, ".home/gate");
        fs.mkdirSync(gate, { recursive: true });
        await change("trigger: 1");
        await upOk(project);
    }, 120_000);
    afterAll(() => cleanUp(project), 120_000);

    test("is refused, and what runs is left alone", async () => {
        const { runId } = await project.outputs();
        await change("trigger: 2");
        for (const refused of [await project.preview(), await project.up()]) {
            expect(refused.code).not.toBe(0);
            expect(refused.stdout + refused.stderr).toContain(
                `run ${runId} is still running, and trigger changed`,
            );
        }
        const { State } = await bed.docker.getContainer(`stackrun-${runId}-1`).inspect();
        expect(State.Running).toBe(true);
    }, 120_000);

    test('with whileRunning: "replace" it is cancelled first, and then there is the new run alone', async () => {
        const { runId: old } = await project.outputs();
        await change(`trigger: 2, whileRunning: "replace"`);
        const shown = await project.preview();
        expect(shown.code).toBe(0);
        expect((await bed.docker.getContainer(`stackrun-${old}-1`).inspect()).State.Running).toBe(true);

        await upOk(project);
        const { runId, status } = await project.outputs();
        expect(runId).not.toBe(old);
        expect(status).toBe("Running");
        // In order: its step was told to end and had its say, which was read before the container went.
        const events = eventsOf(project, old);
        expect(events.at(-1)).toMatchObject({ type: "run.finished", state: "Cancelled" });
        expect([logOf(project, old)[0], logOf(project, old).at(-1)]).toEqual([
            "wait\tbegun",
            "wait\ttold to end",
        ]);
        const { State } = await bed.docker.getContainer(`stackrun-${runId}-1`).inspect();
        expect(Date.parse(State.StartedAt)).toBeGreaterThanOrEqual(Date.parse(events.at(-1).time));
        expect(await leftIn(bed, project)).toEqual([`stackrun-${runId}-1`, `stackrun-${runId}`]);
    }, 120_000);

    test("the end of a run that was not waited for: refresh brings it, the next `up` shows it and runs nothing", async () => {
        const { runId } = await project.outputs();
        fs.writeFileSync(path.join(gate, "go"), "");
        await bed.ended(`stackrun-${runId}-1`);
        await project.expectOk(["refresh", "--yes", "--skip-preview", "--stack", "dev"]);
        expect(project.state().find(({ type }) => type === RUN)?.outputs).toMatchObject({
            status: "Succeeded",
            runId,
            logs: "wait | begun\nwait | end\n",
        });
        await upOk(project);
        expect(await project.outputs()).toMatchObject({ status: "Succeeded", runId, attempt: 1 });
        expect(await leftIn(bed, project)).toEqual([`stackrun-${runId}-1`, `stackrun-${runId}`]);
    }, 120_000);

    test("one that has ended before anybody looked is recorded before its container goes", async () => {
        await change("trigger: 3");
        await upOk(project);
        const { runId: unseen } = await project.outputs();
        await bed.ended(`stackrun-${unseen}-1`);
        await change("trigger: 4");
        await upOk(project);
        expect((await project.outputs()).runId).not.toBe(unseen);
        expect(eventsOf(project, unseen).at(-1)).toMatchObject({ type: "run.finished", state: "Succeeded" });
        expect(logOf(project, unseen)).toEqual(["wait\tbegun", "wait\tend"]);
    }, 120_000);
});

describeDocker('a Docker run with onFailure: "record"', (bed) => {
    const PIPELINE = `
name: recorded
steps:
  - {name: good, run: "echo kept > $STACKRUN_OUTPUTS/x", outputs: [x]}
  - {name: bad, run: "echo no; [ -e /stackrun/run/mended ] || { touch /stackrun/run/mended; exit 5; }"}
`;
    let project: Project;
    afterEach(() => cleanUp(project), 120_000);

    test("fails without failing the update, and what depends on it is made; the next `up` is attempt 2", async () => {
        const files = { "pipeline.yaml": PIPELINE };
        project = await dockerProject(bed, files, `onFailure: "record"`);
        const after = `
class After extends pulumi.ComponentResource {
    constructor() {
        super("test:index:After", "after", {}, { dependsOn: [run] });
        this.registerOutputs({});
    }
}
new After();
`;
        project.program((await program(bed, `onFailure: "record"`)) + after);
        const out = await upOk(project);
        expect(out).toContain("step bad failed with exit code 5");
        const outputs = await project.outputs();
        expect(outputs).toMatchObject({ status: "Failed", reason: "StepFailed", exitCode: 5, attempt: 1 });
        expect(outputs.artifacts["good/x"].size).toBe(5);
        expect(project.state().map(({ type }) => type)).toContain("test:index:After");

        await upOk(project);
        expect(await project.outputs()).toMatchObject({
            status: "Succeeded",
            attempt: 2,
            runId: outputs.runId,
        });
        await upOk(project, ["--expect-no-changes"]);
    }, 120_000);
});
