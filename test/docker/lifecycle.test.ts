import * as fs from "node:fs";
import * as path from "node:path";
import { describeDocker } from "../support/docker/lane";
import { until, type Project } from "../support/project";
import {
    cleanUp,
    CONTAINER,
    dockerProject,
    eventsOf,
    leftIn,
    logOf,
    program,
    RUN,
    upOk,
    destroy,
} from "./project";

// One story: each test goes on from the state that the one before it left.
describeDocker("pulumi up with a DockerOrchestrator", (bed) => {
    const PIPELINE = `
name: story
params: {mood: bad, size: 1}
secrets: [TOKEN]
steps:
  - name: first
    run: echo first; echo data > "$STACKRUN_OUTPUTS/x"; echo "token $TOKEN"
    outputs: [x]
  - name: second
    run: |
      [ -e code.sh ] && . ./code.sh
      [ "$STACKRUN_PARAM_MOOD" = good ] || [ -e /stackrun/run/mended ] || { touch /stackrun/run/mended; exit 3; }
`;
    const ARGS = `secrets: { TOKEN: pulumi.secret("hunter2-hunter2") }`;
    let project: Project;
    beforeAll(async () => {
        project = await dockerProject(bed, { "pipeline.yaml": PIPELINE }, ARGS);
    }, 120_000);
    afterAll(() => project?.dispose());
    const preview = async () => (await project.preview()).stdout;

    test("a preview makes nothing, and shows what it would", async () => {
        const shown = await preview();
        expect(shown).toContain(CONTAINER);
        expect(project.exists(".stackrun/runs")).toBe(false);
        expect(JSON.stringify(await bed.contents())).not.toContain("stackrun-story");
    });

    test("a run that fails: outputs are recorded, then the update fails", async () => {
        const { code, stdout } = await project.up();
        expect(code).not.toBe(0);
        expect(stdout).toContain("step second failed with exit code 3");
        const outputs = await project.outputs();
        expect(outputs).toMatchObject({ status: "Failed", reason: "StepFailed", attempt: 1, exitCode: 3 });
        expect(outputs.logs).toContain("first | token ***");
        expect(await leftIn(bed, project)).toEqual([
            `stackrun-${outputs.runId}-1`,
            `stackrun-${outputs.runId}`,
        ]);
    }, 120_000);

    test("the secret is neither in the container's description nor in the state nor in the record", async () => {
        const { runId } = await project.outputs();
        const info = await bed.docker.getContainer(`stackrun-${runId}-1`).inspect();
        expect(JSON.stringify(info)).not.toContain("hunter2");
        expect(JSON.stringify(await project.state())).not.toContain("hunter2");
        expect(project.read(`.stackrun/runs/${runId}/log`)).not.toContain("hunter2");
        expect(info.Config.User).toBe("65532:65532");
    });

    test("the next one is attempt 2, which goes on from the last finished step", async () => {
        const { runId } = await project.outputs();
        expect(await preview()).toContain("replace");
        await upOk(project);
        const outputs = await project.outputs();
        expect(outputs).toMatchObject({ status: "Succeeded", attempt: 2, runId });
        expect(eventsOf(project, runId).map(({ type, step }) => `${type} ${step ?? ""}`.trim())).toEqual([
            "run.image",
            "run.started",
            "step.started first",
            "artifact first",
            "step.finished first",
            "step.started second",
            "step.finished second",
            "run.finished",
            "run.image",
            "run.started",
            "step.reused first",
            "step.started second",
            "step.finished second",
            "run.finished",
        ]);
        expect(outputs.artifacts["first/x"].size).toBe(5);
        expect(await leftIn(bed, project)).toEqual([`stackrun-${runId}-2`, `stackrun-${runId}`]);
    }, 120_000);

    test("nothing changed: nothing is done, also after a refresh", async () => {
        const { runId } = await project.outputs();
        await upOk(project, ["--expect-no-changes"]);
        await project.expectOk(["refresh", "--yes", "--skip-preview", "--stack", "dev"]);
        await upOk(project, ["--expect-no-changes"]);
        expect(await project.outputs()).toMatchObject({ runId, attempt: 2 });
    }, 120_000);

    test("other resources for the container alone make no new run, and leave the container as it is", async () => {
        const { runId } = await project.outputs();
        const { Id: before } = await bed.docker.getContainer(`stackrun-${runId}-2`).inspect();
        project.program(await program(bed, `${ARGS}, memory: "256Mi", labels: { a: "b" }`));
        await upOk(project);
        expect(await project.outputs()).toMatchObject({ runId, attempt: 2 });
        expect((await bed.docker.getContainer(`stackrun-${runId}-2`).inspect()).Id).toBe(before);
    }, 120_000);

    test.each([
        ["code", `params: { mood: "good" }`],
        ["a parameter", `params: { mood: "good", size: 2 }`],
        ["the trigger", `params: { mood: "good", size: 2 }, trigger: 2`],
        ["the image", `params: { mood: "good", size: 2 }, trigger: 2, image: "stackrun.test/debian:1"`],
    ])(
        "a change of %s is a new run; the old container and volume are gone",
        async (what, args) => {
            const { runId } = await project.outputs();
            if (what === "code") {
                project.write({ "code.sh": "echo changed\n" });
            } else if (what === "the image") {
                await bed.image("debian");
            }
            project.program(await program(bed, `${ARGS}, ${args}`));
            await upOk(project);
            const outputs = await project.outputs();
            expect(outputs).toMatchObject({ status: "Succeeded", attempt: 1 });
            expect(outputs.runId).not.toBe(runId);
            expect(await leftIn(bed, project)).toEqual([
                `stackrun-${outputs.runId}-1`,
                `stackrun-${outputs.runId}`,
            ]);
        },
        120_000,
    );

    test("destroy leaves nothing in the daemon", async () => {
        await destroy(project);
        expect(await leftIn(bed, project)).toEqual([]);
        expect(await project.state()).toEqual([]);
    }, 120_000);
});

describeDocker("a run that is not waited for", (bed) => {
    const PIPELINE = `
name: detached
steps:
  - name: wait
    run: i=0; until [ -e /gate/go ]; do i=$((i+1)); echo $i; sleep 0.1; done; echo end
`;
    let project: Project;
    let gate: string;
    const args = (more = "") =>
        `wait: false, volumes: [{ hostPath: ${JSON.stringify(gate)}, containerPath: "/gate", readOnly: true }], ${more}`;
    beforeAll(async () => {
        project = await dockerProject(bed, { "pipeline.yaml": PIPELINE });
        gate = path.join(project.dir, ".home/gate");
        fs.mkdirSync(gate, { recursive: true });
        project.program(await program(bed, args()));
    }, 120_000);
    afterAll(() => project?.dispose());

    test("`up` returns once it runs, and the next one finds it running", async () => {
        await upOk(project);
        const { runId } = await project.outputs();
        expect(await project.outputs()).toMatchObject({ status: "Running", attempt: 1 });
        await upOk(project);
        expect(await project.outputs()).toMatchObject({ status: "Running", runId });
    }, 120_000);

    test("a change is refused while it runs, by its name; one of the container alone leaves it running", async () => {
        const { runId } = await project.outputs();
        project.program(await program(bed, args("trigger: 1")));
        const refused = await project.up();
        expect(refused.code).not.toBe(0);
        expect(refused.stdout).toContain(`run ${runId} is still running, and trigger changed`);
        project.program(await program(bed, args(`labels: { x: "y" }`)));
        await upOk(project);
        expect((await bed.docker.getContainer(`stackrun-${runId}-1`).inspect()).State.Running).toBe(true);
    }, 120_000);

    test("refresh brings its end into the outputs, and the whole log here", async () => {
        const { runId } = await project.outputs();
        fs.writeFileSync(path.join(gate, "go"), "");
        await bed.ended(`stackrun-${runId}-1`);
        await project.expectOk(["refresh", "--yes", "--skip-preview", "--stack", "dev"]);
        const run = (await project.state()).find(({ type }) => type === RUN);
        expect(run?.outputs).toMatchObject({ status: "Succeeded", runId });
        const lines = logOf(project, runId);
        expect(lines.at(-1)).toBe("wait\tend");
        expect(lines.slice(0, -1)).toEqual(lines.slice(0, -1).map((_, index) => `wait\t${index + 1}`));
    }, 120_000);

    test("destroy cancels what is running", async () => {
        fs.rmSync(path.join(gate, "go"));
        project.program(await program(bed, args("trigger: 2")));
        await upOk(project);
        const { runId } = await project.outputs();
        await destroy(project);
        expect(await leftIn(bed, project)).toEqual([]);
        expect(eventsOf(project, runId).at(-1)).toMatchObject({ type: "run.finished", state: "Cancelled" });
    }, 120_000);
});

describeDocker("an update with a DockerOrchestrator that is cut off", (bed) => {
    const COUNT = `
name: cut
steps:
  - name: count
    run: i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo $i; sleep 0.05; done
`;
    const numbers = Array.from({ length: 300 }, (_, index) => `count\t${index + 1}`);
    let project: Project;
    beforeEach(async () => {
        project = await dockerProject(bed, { "pipeline.yaml": COUNT });
    }, 120_000);
    afterEach(() => cleanUp(project), 120_000);
    const runId = () => fs.readdirSync(path.join(project.dir, ".stackrun/runs"))[0];
    const seenLines = (count: number) => async () =>
        until(
            () =>
                project.exists(".stackrun/runs") &&
                project.exists(`.stackrun/runs/${runId()}/log`) &&
                logOf(project, runId()).length > count,
            60_000,
            () => "lines of the run",
        );

    test("killed with its plugin, the run goes on, and the next `up` follows it: no line lost or doubled", async () => {
        const up = project.startUp();
        await seenLines(30)();
        // The command, its language host and its plugins are one process group.
        process.kill(-(up.child.pid as number), "SIGKILL");
        await up.ended;
        await project.pulumi(["cancel", "--yes", "--stack", "dev"]);
        const again = await project.up();
        expect(again.stdout).toMatch(/was started before/);
        expect(again.code).toBe(0);
        expect(await project.outputs()).toMatchObject({ status: "Succeeded", attempt: 1, runId: runId() });
        expect(logOf(project, runId())).toEqual(numbers);
    }, 180_000);

    test("interrupted with Ctrl-C, the run is cancelled, and a second `up` is attempt 2", async () => {
        const up = project.startUp();
        await seenLines(10)();
        process.kill(up.child.pid as number, "SIGINT");
        expect((await up.ended).code).not.toBe(0);
        expect(eventsOf(project, runId()).at(-1)).toMatchObject({ type: "run.finished", state: "Cancelled" });
        expect((await bed.docker.getContainer(`stackrun-${runId()}-1`).inspect()).State.Running).toBe(false);
        await upOk(project);
        expect(await project.outputs()).toMatchObject({ status: "Succeeded", attempt: 2 });
    }, 180_000);

    test("the container is killed, or removed, from outside: Lost, and the next `up` is attempt 2", async () => {
        const up = project.startUp();
        await seenLines(10)();
        await bed.kill(`stackrun-${runId()}-1`);
        expect((await up.ended).code).not.toBe(0);
        expect(await project.outputs()).toMatchObject({ status: "Lost", reason: "ContainerKilled" });
        const second = project.startUp();
        await until(
            async () => (await leftIn(bed, project)).includes(`stackrun-${runId()}-2`),
            60_000,
            () => "attempt 2",
        );
        await until(
            () => logOf(project, runId()).length > 40,
            60_000,
            () => "its lines",
        );
        await bed.docker.getContainer(`stackrun-${runId()}-2`).remove({ force: true });
        expect((await second.ended).code).not.toBe(0);
        expect(await project.outputs()).toMatchObject({
            status: "Lost",
            reason: "ContainerGone",
            attempt: 2,
        });
        // Pulumi's provider can't delete what is gone: that has to be found out first.
        await project.expectOk(["refresh", "--yes", "--skip-preview", "--stack", "dev"]);
        await upOk(project);
        expect(await project.outputs()).toMatchObject({ status: "Succeeded", attempt: 3 });
        await destroy(project);
        expect(await leftIn(bed, project)).toEqual([]);
    }, 180_000);
});

describeDocker("two stacks with a DockerOrchestrator", (bed) => {
    test("run at once, each in a container of its own", async () => {
        const pipeline = "name: same\nsteps: [{name: one, run: 'sleep 1; hostname'}]\n";
        const projects = await Promise.all(
            [1, 2].map(() => dockerProject(bed, { "pipeline.yaml": pipeline })),
        );
        try {
            const results = await Promise.all(projects.map((project) => project.up()));
            expect(results.map(({ code }) => code)).toEqual([0, 0]);
            const names = await Promise.all(
                projects.map(async (project) => logOf(project, (await project.outputs()).runId)[0]),
            );
            expect(new Set(names).size).toBe(2);
        } finally {
            for (const project of projects) {
                await destroy(project);
                expect(await leftIn(bed, project)).toEqual([]);
                project.dispose();
            }
        }
    }, 180_000);
});
