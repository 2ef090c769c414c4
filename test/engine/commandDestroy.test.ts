import * as fs from "node:fs";
import * as path from "node:path";
import { isRunning } from "../support/processes";
import { Project, until } from "../support/project";

const PIPELINES = {
    "good.yaml": "name: good\nsteps: [{name: a, run: echo hi}]\n",
    "slow.yaml":
        "name: slow\nsteps:\n  - name: wait\n    run: echo waiting; until test -e .home/gate; do sleep 0.05; done\n",
};

/** `runs`, `cancel` and `destroy`, with real stacks and runs. */
describe("the command ends what it has begun", () => {
    let project: Project;
    beforeAll(async () => {
        project = await Project.create(PIPELINES);
    }, 120_000);
    afterAll(() => project.dispose());

    const listed = async (...args: string[]) =>
        JSON.parse((await project.stackrun(["runs", "--json", ...args])).stdout) as {
            runId: string;
            status: string;
        }[];
    const stackFile = (name: string) => `.stackrun/pulumi/.pulumi/stacks/${name}/dev.json`;
    const processesOf = (run: string) =>
        ["runner.pid", "steps/wait/pid"]
            .map((file) => path.join(project.dir, ".stackrun/runs", run, file))
            .map((file) => Number(fs.readFileSync(file, "utf8").split(" ")[0]));
    const startSlow = async () => {
        const followed = project.startStackrun(["run", "slow.yaml"]);
        await followed.seen(/wait │ waiting/);
        const [{ runId = "" } = {}] = await listed("--pipeline", "slow", "--status", "Running");
        return { followed, runId, processes: processesOf(runId) };
    };

    it("cancels a run by its record, whoever follows it, and waits for its end", async () => {
        const { followed, runId, processes } = await startSlow();
        expect(processes.filter(isRunning)).toHaveLength(2);
        const cancelled = await project.stackrun(["cancel"]);
        expect(cancelled).toMatchObject({ code: 0, stderr: "" });
        expect(cancelled.stdout).toContain(`cancelling run ${runId}: its steps are told to end`);
        expect(cancelled.stdout).toMatch(new RegExp(`^run ${runId}: Cancelled$`, "m"));
        expect(processes.filter(isRunning)).toEqual([]);
        const { stdout } = await followed.ended;
        expect(stdout).toContain("Cancelled");
        expect(await listed("--status", "Cancelled")).toMatchObject([{ runId }]);
        expect(await project.stackrun(["cancel", runId])).toMatchObject({
            code: 0,
            stdout: `run ${runId} has ended already: Cancelled\n`,
        });
    }, 90_000);

    it("destroys the stack while its run is followed: cancels the run first, and keeps its record", async () => {
        const { followed, runId, processes } = await startSlow();
        const unasked = await project.stackrun(["destroy", "slow.yaml"]);
        expect(unasked).toMatchObject({ code: 2, stderr: expect.stringContaining("give --yes") });
        expect(processes.filter(isRunning)).toHaveLength(2);

        const destroyed = await project.stackrun(["destroy", "slow.yaml", "--yes"]);
        expect(destroyed.stderr).toBe("");
        expect(destroyed.stdout).toMatch(new RegExp(`^run ${runId}: Cancelled$`, "m"));
        expect(destroyed.stdout).toContain("stack dev of pipeline slow is destroyed");
        expect(destroyed.code).toBe(0);
        expect(processes.filter(isRunning)).toEqual([]);
        await followed.ended;
        expect(project.exists(stackFile("slow"))).toBe(false);
        expect(await listed("--pipeline", "slow")).toMatchObject([{ runId, status: "Cancelled" }]);

        const again = await project.stackrun(["destroy", "slow.yaml", "--yes"]);
        expect(again).toMatchObject({ code: 3, stderr: expect.stringContaining("there is no stack dev") });
    }, 120_000);

    it("destroys what a killed command has left running", async () => {
        const { followed, runId, processes } = await startSlow();
        followed.child.kill("SIGKILL");
        await followed.ended;
        expect(processes.filter(isRunning)).toHaveLength(2);
        const destroyed = await project.stackrun(["destroy", "slow.yaml", "--yes"]);
        expect(destroyed).toMatchObject({ code: 0, stderr: "" });
        expect(destroyed.stdout).toMatch(new RegExp(`^run ${runId}: Cancelled$`, "m"));
        expect(processes.filter(isRunning)).toEqual([]);
        expect(project.exists(stackFile("slow"))).toBe(false);
    }, 120_000);

    it("keeps the records that another stack needs; with the last one, removes them when told so", async () => {
        for (const stack of ["dev", "prod"]) {
            const run = await project.stackrun(["run", "good.yaml", "--stack", stack]);
            expect(run).toMatchObject({ code: 0 });
        }
        const first = await project.stackrun(["destroy", "good.yaml", "--yes", "--records"]);
        expect(first.stdout).toContain("pipeline good has other stacks: prod; the records are kept");
        expect(await listed("--pipeline", "good")).toHaveLength(2);
        // By its name, for a file that is gone.
        fs.rmSync(path.join(project.dir, "good.yaml"));
        const second = await project.stackrun(["destroy", "good", "--stack", "prod", "--yes", "--records"]);
        expect(second).toMatchObject({ code: 0, stderr: "" });
        expect(await listed("--pipeline", "good")).toEqual([]);
        expect(project.exists(".stackrun/projects/good")).toBe(false);
    }, 120_000);

    it("keeps its stacks where the user is logged in", async () => {
        project.write({
            ...PIPELINES,
            "elsewhere/.keep": "",
            ".stackrunignore": "elsewhere\nlogin\n.home\n.state\n",
        });
        const elsewhere = `file://${project.dir}/elsewhere`;
        project.write({ "login/credentials.json": JSON.stringify({ current: elsewhere, accounts: {} }) });
        const login = { PULUMI_HOME: path.join(project.dir, "login") };
        const run = await project.stackrun(["run", "good.yaml"], login);
        expect(run).toMatchObject({ code: 0, stderr: "" });
        expect(run.stdout).toContain(`state      ${elsewhere}; records in `);
        expect(project.exists("elsewhere/.pulumi/stacks/good/dev.json")).toBe(true);
        expect(project.exists(stackFile("good"))).toBe(false);
        // The same command has nothing to do there, and something in the state folder.
        expect((await project.stackrun(["run", "good.yaml"], login)).stdout).toContain("Nothing has changed");
        const local = await project.stackrun(["run", "good.yaml"], { ...login, STACKRUN_BACKEND: "local" });
        expect(local.stdout).toContain("STACKRUN_BACKEND=local npx stackrun run good.yaml --again");
        expect(project.exists(stackFile("good"))).toBe(true);
        const destroyed = await project.stackrun(["destroy", "good.yaml", "--yes"], login);
        expect(destroyed).toMatchObject({ code: 0, stderr: "" });
        expect(project.exists("elsewhere/.pulumi/stacks/good/dev.json")).toBe(false);
        expect(project.exists(stackFile("good"))).toBe(true);
    }, 120_000);

    it("leaves nothing that runs", async () => {
        await until(
            async () => (await listed("--status", "Running")).length === 0,
            10_000,
            () => "the end of all runs",
        );
        expect(await project.stackrun(["cancel"])).toMatchObject({
            code: 0,
            stdout: expect.stringContaining("no run is running"),
        });
    }, 60_000);
});
