import * as fs from "node:fs";
import * as path from "node:path";
import { describeDocker } from "../support/docker/lane";
import { processesIn } from "../support/processes";
import { until, type Project } from "../support/project";
import { cleanUp, destroy, dockerProject, eventsOf, leftIn, logOf, program, upOk } from "./project";

const PIPELINE = `
name: cut
steps:
  - {name: before, run: "echo once; echo x > $STACKRUN_OUTPUTS/x", outputs: [x]}
  - name: count
    run: i=0; until [ -e /gate/go ]; do i=$((i+1)); echo $i; echo $i >&2; sleep 0.05; done; echo "$i in all"
`;

describeDocker("the plugin alone is killed in the middle of a Docker run", (bed) => {
    let project: Project;
    let gate: string;
    beforeAll(async () => {
        project = await dockerProject(bed, { "pipeline.yaml": PIPELINE });
        gate = path.join(project.dir, ".home/gate");
        fs.mkdirSync(gate, { recursive: true });
        const volume = `{ hostPath: ${JSON.stringify(gate)}, containerPath: "/gate", readOnly: true }`;
        project.program(await program(bed, `volumes: [${volume}]`));
    }, 120_000);
    afterAll(() => cleanUp(project), 120_000);

    test("the update fails, the run goes on, and the next `up` follows it to its end: no line lost or doubled", async () => {
        const runId = () => fs.readdirSync(path.join(project.dir, ".stackrun/runs"))[0] as string;
        const lines = () =>
            project.exists(".stackrun/runs") && project.exists(`.stackrun/runs/${runId()}/log`)
                ? logOf(project, runId()).length
                : 0;
        const up = project.startUp();
        await until(
            () => lines() > 60,
            90_000,
            () => `lines of the run:\n${up.output()}`,
        );
        const plugins = processesIn(fs.realpathSync(project.dir), /pulumi-resource-stackrun/);
        expect(plugins.length).toBeGreaterThan(0);
        plugins.forEach((pid) => process.kill(pid, "SIGKILL"));
        expect((await up.ended).code).not.toBe(0);
        const name = `stackrun-${runId()}-1`;
        const { Id: id, State } = await bed.docker.getContainer(name).inspect();
        expect(State.Running).toBe(true);

        const seen = lines();
        const again = project.startUp();
        await until(
            () => lines() > seen,
            90_000,
            () => `further lines of the run:\n${again.output()}`,
        );
        fs.writeFileSync(path.join(gate, "go"), "");
        expect((await again.ended).code).toBe(0);
        expect(again.output()).toMatch(/was started before and is still running: it is followed on/);
        expect(await project.outputs()).toMatchObject({ status: "Succeeded", attempt: 1, runId: runId() });
        expect((await bed.docker.getContainer(name).inspect()).Id).toBe(id);
        const log = logOf(project, runId());
        expect(log[0]).toBe("before\tonce");
        const [, count] = /^count\t(\d+) in all$/.exec(log.at(-1) ?? "") ?? [];
        expect(Number(count)).toBeGreaterThan(30);
        const numbers = Array.from({ length: Number(count) }, (_, index) => String(index + 1));
        const counted = log.slice(1, -1).map((line) => line.replace(/^count\t/, ""));
        // Each number on both streams of the step, which are one log.
        expect(counted).toEqual(numbers.flatMap((number) => [number, number]));
        const events = eventsOf(project, runId());
        expect(events.map(({ n }) => n).filter((n) => n !== undefined)).toEqual(
            [...new Set(events.map(({ n }) => n))].filter((n) => n !== undefined),
        );
        expect(events.filter(({ type, step }) => type === "step.started" && step === "before")).toHaveLength(
            1,
        );
        await upOk(project, ["--expect-no-changes"]);
        await destroy(project);
        expect(await leftIn(bed, project)).toEqual([]);
    }, 240_000);
});

describeDocker("GPUs", (bed) => {
    test("are asked of the daemon; one without a GPU runtime is named, with what to do", async () => {
        const files = { "pipeline.yaml": "name: gpu\nsteps: [{name: one, run: ls}]\n" };
        const project = await dockerProject(bed, files, `gpus: "device=0,2"`);
        try {
            const { code, stdout } = await project.up();
            expect(code).not.toBe(0);
            expect(stdout).toMatch(
                /the container stackrun-gpu-\S+-1 of image \S+ can't be started: .*could not select device driver.*; the daemon has no GPU runtime: install one, or leave out `gpus`/s,
            );
            const [name] = (await leftIn(bed, project)) as [string];
            const { HostConfig } = await bed.docker.getContainer(name).inspect();
            expect(HostConfig.DeviceRequests).toEqual([
                expect.objectContaining({ DeviceIDs: ["0", "2"], Capabilities: [["gpu"]] }),
            ]);
            await destroy(project);
            expect(await leftIn(bed, project)).toEqual([]);
        } finally {
            project.dispose();
        }
    }, 120_000);
});
