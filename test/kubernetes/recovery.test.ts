import * as fs from "node:fs";
import * as path from "node:path";
import { hostVolume, leftIn, podNames, runProgram, runProject } from "../support/kubernetes/runs";
import { describeKubernetes } from "../support/kubernetes/lane";
import { processesIn } from "../support/processes";
import { until, type Project, type RunningCommand } from "../support/project";

const NAMESPACE = "recovery-test";
const STEPS = `
steps:
  - name: load
    run: echo load >> "$STACKRUN_PARAM_FOLDER/trace"; seq 1 2000
  - name: wait
    run: |
      echo begin >> "$STACKRUN_PARAM_FOLDER/trace"; echo waiting
      while [ ! -e "$STACKRUN_PARAM_FOLDER/go" ]; do sleep 0.1; done
      seq 2001 2100; echo end >> "$STACKRUN_PARAM_FOLDER/trace"
`;
const PIPELINE = `name: recovers\nparams: {folder: /trace}\n${STEPS}`;
const ON_VOLUME = `
    workspace: { claim: "work" },
    volumes: [{ name: "trace", mountPath: "/trace", source: { hostPath: { path: "/tmp/${NAMESPACE}/trace" } } }],
`;

describeKubernetes("a run whose pod is taken", (bed) => {
    let project: Project;
    let trigger = 0;
    const args = (more = "") => `${ON_VOLUME} trigger: "${trigger}", ${more}`;
    const inTrace = (command: string) => bed.inside("sh", "-c", `cd /tmp/${NAMESPACE}/trace && ${command}`);
    const trace = async () => (await inTrace("cat trace 2>/dev/null || true")).split("\n").filter(Boolean);
    const go = () => inTrace("touch go && chmod 0666 go");
    const numbers = (text: string) =>
        text.split("\n").flatMap((line) => (/^\w+\t(\d+)$/.exec(line) ? [Number(line.split("\t")[1])] : []));
    const log = async () => fs.readFileSync(new URL((await project.outputs()).logUrl), "utf8");

    beforeAll(async () => {
        await bed.deleteNamespace(NAMESPACE);
        await bed.createNamespace(NAMESPACE);
        await hostVolume(bed, NAMESPACE);
        await bed.inside("sh", "-c", `mkdir -p /tmp/${NAMESPACE}/trace; chmod 0777 /tmp/${NAMESPACE}/trace`);
        project = await runProject(bed, NAMESPACE, PIPELINE, args());
    }, 120_000);
    beforeEach(async () => {
        await inTrace("rm -f go trace; : > trace; chmod 0666 trace");
        trigger++;
        project.program(runProgram(NAMESPACE, args()));
    });
    afterAll(async () => {
        await project?.pulumi(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);
        project?.dispose();
        await bed.deleteNamespace(NAMESPACE);
    }, 120_000);

    async function upUntilWaiting(): Promise<RunningCommand> {
        const up = project.startUp();
        await until(
            async () => (await trace()).includes("begin"),
            90_000,
            () => `the step to begin:\n${up.output()}`,
        );
        // In the record: on the screen, the many lines before it may have used up the budget.
        await until(
            () => newestLog().includes("wait\twaiting\n"),
            60_000,
            () => `the step's line:\n${up.output()}`,
        );
        return up;
    }

    const newestLog = () => {
        const runs = path.join(project.dir, ".stackrun/runs");
        const file = path.join(runs, fs.readdirSync(runs).sort().at(-1) ?? "", "log");
        return fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
    };
    const newestPod = async () => (await podNames(bed, NAMESPACE)).at(-1) as string;

    it.each([
        [
            "deleted",
            async () =>
                void (await bed.kubectl("delete", "pod", await newestPod(), "-n", NAMESPACE, "--wait=false")),
            /was deleted|told to end/,
        ],
        ["evicted", async () => bed.evict(NAMESPACE, await newestPod()), /was evicted/],
    ])(
        "%s goes on from its last finished step on the next pod; no line is lost or doubled",
        async (_, take, words) => {
            const up = await upUntilWaiting();
            await take();
            await until(
                async () => (await trace()).filter((line) => line === "begin").length === 2,
                90_000,
                () => `the step to begin again:\n${up.output()}`,
            );
            await go();
            const { code, stdout, stderr } = await up.ended;
            expect(stdout + stderr).toMatch(words);
            expect(code).toBe(0);
            expect(await project.outputs()).toMatchObject({
                attempt: 1,
                status: "Succeeded",
                interruptions: 1,
            });
            expect(await trace()).toEqual(["load", "begin", "begin", "end"]);
            expect(numbers(await log())).toEqual(Array.from({ length: 2100 }, (__, index) => index + 1));
        },
        240_000,
    );

    it("by a drained node waits for one, says so, and goes on", async () => {
        const up = await upUntilWaiting();
        await bed.drain(bed.node, NAMESPACE);
        try {
            await up.seen(/was evicted/, 60_000);
        } finally {
            await bed.uncordon();
        }
        await go();
        expect((await up.ended).code).toBe(0);
        expect(await project.outputs()).toMatchObject({ status: "Succeeded", interruptions: 1 });
        expect((await trace()).filter((line) => line === "load")).toEqual(["load"]);
    }, 240_000);

    it("an apiserver that restarts interrupts nothing", async () => {
        const up = await upUntilWaiting();
        await bed.restartApiserver();
        await go();
        const { code } = await up.ended;
        expect(code).toBe(0);
        expect(await project.outputs()).toMatchObject({ status: "Succeeded", interruptions: 0 });
        expect(numbers(await log())).toEqual(Array.from({ length: 2100 }, (_, index) => index + 1));
        expect(await trace()).toEqual(["load", "begin", "end"]);
    }, 240_000);

    it("Ctrl-C cancels the run, leaves no pod, and the next `up` is attempt 2 from the last finished step", async () => {
        const up = await upUntilWaiting();
        process.kill(up.child.pid as number, "SIGINT");
        const { code } = await up.ended;
        expect(code).not.toBe(0);
        const run = (await project.state()).find(({ type }) => type === "stackrun:index:Run");
        expect(run?.outputs).toMatchObject({
            attempt: 1,
            status: "Cancelled",
            message: "cancelled by the user",
        });
        // The pod has ended; its object goes a moment later.
        await until(
            async () => (await podNames(bed, NAMESPACE)).length === 0,
            30_000,
            () => "no pod to be left",
        );
        await go();
        const again = await project.up();
        expect(again.stdout + again.stderr).toContain("load: finished in an earlier attempt, not run again");
        expect(again.code).toBe(0);
        expect(await project.outputs()).toMatchObject({ attempt: 2, status: "Succeeded" });
        expect(await trace()).toEqual(["load", "begin", "begin", "end"]);
    }, 240_000);

    it.each([
        ["pulumi", (up: RunningCommand) => process.kill(up.child.pid as number, "SIGKILL")],
        [
            "the plugin",
            () => process.kill(processesIn(project.dir, /pulumi-resource-stackrun/)[0], "SIGKILL"),
        ],
    ])(
        "kill -9 of %s: the run goes on, and the next `up` follows it to its end; nothing runs twice",
        async (_, kill) => {
            const up = await upUntilWaiting();
            kill(up);
            await up.ended;
            await until(
                () => processesIn(project.dir, /pulumi-resource-stackrun/).length === 0,
                20_000,
                () => "the plugin to end",
            );
            await project.pulumi(["cancel", "--yes", "--stack", "dev"]);
            const next = project.startUp();
            await next.seen(/was started before and is still running: it is followed on/, 60_000);
            await go();
            const { code, stdout, stderr } = await next.ended;
            expect([code, stdout + stderr]).toEqual([0, expect.any(String)]);
            expect(await project.outputs()).toMatchObject({ attempt: 1, status: "Succeeded" });
            expect(await trace()).toEqual(["load", "begin", "end"]);
            expect(numbers(await log())).toEqual(Array.from({ length: 2100 }, (__, index) => index + 1));
        },
        240_000,
    );

    it("a kubelet that is away for a minute interrupts nothing", async () => {
        const up = await upUntilWaiting();
        await bed.stopKubelet();
        await go();
        await new Promise((resolve) => setTimeout(resolve, 60_000));
        await bed.startKubelet();
        const { code } = await up.ended;
        expect(code).toBe(0);
        expect(await project.outputs()).toMatchObject({ status: "Succeeded", interruptions: 0 });
        expect(numbers(await log())).toEqual(Array.from({ length: 2100 }, (_, index) => index + 1));
    }, 300_000);

    it("`destroy` leaves nothing in the namespace", async () => {
        await project.expectOk(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);
        expect(await leftIn(bed, NAMESPACE)).toEqual([]);
    }, 90_000);
});
