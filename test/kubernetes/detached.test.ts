import * as fs from "node:fs";
import { runProgram, runProject } from "../support/kubernetes/runs";
import { describeKubernetes } from "../support/kubernetes/lane";
import { until, type Project } from "../support/project";

const NAMESPACE = "detached-test";
const FOLDER = `/tmp/${NAMESPACE}`;
const PIPELINE = `
name: detached
params: {n: 1}
steps:
  - name: wait
    run: |
      trap 'echo "told $STACKRUN_PARAM_N" >> /gate/trace; exit 1' TERM
      echo "begin $STACKRUN_PARAM_N" >> /gate/trace
      while [ ! -e "/gate/go-$STACKRUN_PARAM_N" ]; do sleep 0.1; done
      echo "attempt $STACKRUN_ATTEMPT of $STACKRUN_PARAM_N"
      [ "$STACKRUN_PARAM_N" != 4 ] || [ "$STACKRUN_ATTEMPT" != 1 ] || exit 3
      echo "end $STACKRUN_PARAM_N" >> /gate/trace
`;
const GATE = `volumes: [{ name: "gate", mountPath: "/gate", source: { hostPath: { path: "${FOLDER}" } } }],`;

// One story: each test goes on from the state that the one before it left.
describeKubernetes("an update that does not wait for its Job", (bed) => {
    let project: Project;
    const declare = (args: string) => project.program(runProgram(NAMESPACE, `${GATE} ${args}`));
    const inGate = (command: string) => bed.inside("sh", "-c", `cd ${FOLDER} && ${command}`);
    const trace = async () => (await inGate("cat trace 2>/dev/null || true")).split("\n").filter(Boolean);
    const refresh = () => project.expectOk(["refresh", "--yes", "--skip-preview", "--stack", "dev"]);
    const seen = (line: string) =>
        until(
            async () => (await trace()).includes(line),
            60_000,
            () => `"${line}" in the trace`,
        );
    const jobs = async () => (await bed.list<{ metadata: { name: string } }>("jobs", NAMESPACE)).length;

    beforeAll(async () => {
        await bed.deleteNamespace(NAMESPACE);
        await bed.createNamespace(NAMESPACE);
        await bed.inside("sh", "-c", `rm -rf ${FOLDER}; mkdir -p ${FOLDER}; chmod 0777 ${FOLDER}`);
        project = await runProject(bed, NAMESPACE, PIPELINE, `${GATE} wait: false,`);
    }, 120_000);
    afterAll(async () => {
        await project?.pulumi(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);
        project?.dispose();
        await bed.deleteNamespace(NAMESPACE);
        await bed.inside("rm", "-rf", FOLDER);
    }, 120_000);

    it("ends as soon as the run has started; the next `up` and `refresh` find it still running", async () => {
        expect((await project.up()).code).toBe(0);
        const { runId, status } = await project.outputs();
        expect(status).toBe("Running");
        await seen("begin 1");
        expect((await project.up()).code).toBe(0);
        await refresh();
        expect(await project.outputs()).toMatchObject({ status: "Running", runId, attempt: 1 });
        expect(await trace()).toEqual(["begin 1"]);
    }, 120_000);

    it("refuses a change while the run is running, by its name, and lets it run", async () => {
        const { runId } = await project.outputs();
        declare("wait: false, params: { n: 2 },");
        const { code, stdout, stderr } = await project.up();
        expect(code).not.toBe(0);
        expect(stdout + stderr).toMatch(new RegExp(`run ${runId} is still running, and params\\.n changed`));
        expect(await jobs()).toBe(1);
        declare("wait: false,");
    }, 90_000);

    it("has its end brought into the outputs by `refresh`", async () => {
        await inGate("touch go-1");
        await seen("end 1");
        const run = () => project.state().find(({ type }) => type === "stackrun:index:Run")?.outputs;
        await until(
            async () => {
                await refresh();
                return run()?.status !== "Running";
            },
            60_000,
            () => "the run's end",
        );
        expect(run()).toMatchObject({ status: "Succeeded", attempt: 1 });
    }, 120_000);

    it("with whileRunning replace cancels the run before it starts the new one", async () => {
        declare('wait: false, whileRunning: "replace", params: { n: 2 },');
        expect((await project.up()).code).toBe(0);
        const second = await project.outputs();
        await seen("begin 2");
        declare('wait: false, whileRunning: "replace", params: { n: 3 },');
        expect((await project.up()).code).toBe(0);
        const third = await project.outputs();
        expect(third).toMatchObject({ status: "Running", attempt: 1 });
        expect(third.runId).not.toBe(second.runId);
        await seen("begin 3");
        expect(await trace()).toEqual(["begin 1", "end 1", "begin 2", "told 2", "begin 3"]);
        expect(await jobs()).toBe(1);
    }, 180_000);

    it("whose Job is deleted by somebody is lost, and says so; the next `up` is a further attempt", async () => {
        const { runId } = await project.outputs();
        await bed.kubectl("delete", "jobs", "--all", "-n", NAMESPACE, "--cascade=foreground", "--wait");
        await inGate("touch go-3");
        declare('wait: true, whileRunning: "replace", params: { n: 3 },');
        const { code, stdout, stderr } = await project.up();
        expect(stdout + stderr).toContain("Succeeded");
        expect(code).toBe(0);
        expect(await project.outputs()).toMatchObject({ status: "Succeeded", runId, attempt: 2 });
    }, 120_000);

    it("that failed while nobody looked keeps its log when the next attempt takes its place", async () => {
        declare("wait: false, params: { n: 4 },");
        expect((await project.up()).code).toBe(0);
        await inGate("touch go-4");
        await until(
            async () => (await bed.kubectl("get", "jobs", "-n", NAMESPACE)).includes("Failed"),
            60_000,
            () => "the Job's failure",
        );
        declare("wait: true, params: { n: 4 },");
        expect((await project.up()).code).toBe(0);
        const { status, attempt, logUrl } = await project.outputs();
        expect([status, attempt]).toEqual(["Succeeded", 2]);
        const log = fs.readFileSync(new URL(logUrl), "utf8");
        expect(log.match(/attempt \d of 4/g)).toEqual(["attempt 1 of 4", "attempt 2 of 4"]);
    }, 120_000);

    it("is cancelled by `destroy`, which leaves nothing", async () => {
        declare("wait: false, params: { n: 5 },");
        expect((await project.up()).code).toBe(0);
        await seen("begin 5");
        await project.expectOk(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);
        await until(
            async () => (await jobs()) === 0,
            60_000,
            () => "no Job",
        );
        expect((await trace()).at(-1)).toBe("told 5");
    }, 120_000);
});
