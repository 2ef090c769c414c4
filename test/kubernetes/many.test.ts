import * as fs from "node:fs";
import * as path from "node:path";
import { describeKubernetes } from "../support/kubernetes/lane";
import { leftIn, runProject } from "../support/kubernetes/runs";
import { REPO, until, type CommandResult, type Project, type RunningCommand } from "../support/project";

const NAMESPACE = "many-test";
const RUNS = 20;
/** Commands of Pulumi under way at once: each is five processes. */
const AT_ONCE = 4;
const GATE = `/tmp/${NAMESPACE}`;
/** The log of all runs but two. */
const LINES = 10;
const FEW = { stack: "s19", lines: 1_000 };
const MANY = { stack: "s20", lines: 100_000 };
/** Less than what even the shortest lines of the long log would take, were they kept. */
const HEAP_MARGIN = 4 << 20;

const PIPELINE = `
name: many
params: {lines: ${LINES}}
steps:
  - name: print
    run: echo waiting; while [ ! -e /gate/go ]; do sleep 0.5; done; seq "$STACKRUN_PARAM_LINES"
`;
const LONGER = JSON.stringify({ [FEW.stack]: FEW.lines, [MANY.stack]: MANY.lines });
const ARGS = `
    wait: false,
    params: { lines: ${LONGER}[pulumi.getStack()] ?? ${LINES} },
    volumes: [{ name: "gate", mountPath: "/gate", readOnly: true, source: { hostPath: { path: "${GATE}" } } }],
`;

interface Followed {
    readonly lines: number;
    readonly last: string;
    readonly state: string;
    readonly heap: number;
    readonly requests: readonly string[];
}

// One story: each test goes on from the state that the one before it left.
describeKubernetes("many runs at once in one cluster", (bed) => {
    const stacks = Array.from({ length: RUNS }, (_, index) => `s${index + 1}`);
    let project: Project;
    const ofEach = (work: (stack: string) => Promise<CommandResult>) => inTurns(stacks, work);
    const update = (command: string) => (stack: string) =>
        project.pulumi([command, "--yes", "--skip-preview", "--stack", stack]);

    beforeAll(async () => {
        await bed.deleteNamespace(NAMESPACE);
        await bed.createNamespace(NAMESPACE);
        await bed.inside("sh", "-c", `rm -rf ${GATE}; mkdir -p ${GATE}; chmod 0777 ${GATE}`);
        project = await runProject(bed, NAMESPACE, PIPELINE, ARGS);
        project.write({ ".stackrunignore": `${project.read(".stackrunignore")}.follow-*\n` });
        await ofEach((stack) => {
            project.write({ [`Pulumi.${stack}.yaml`]: project.read("Pulumi.dev.yaml") });
            return project.pulumi(["stack", "init", stack]);
        });
    }, 240_000);
    afterAll(async () => {
        project?.dispose();
        await bed.deleteNamespace(NAMESPACE);
        await bed.inside("rm", "-rf", GATE);
    }, 120_000);

    it(`${RUNS} stacks start theirs, and all are under way together`, async () => {
        expect((await ofEach(update("up"))).filter(({ code }) => code !== 0)).toEqual([]);
        await until(
            async () => (await runningPods()).length === RUNS,
            120_000,
            () => `${RUNS} pods`,
        );
        const jobs = await bed.list("jobs", NAMESPACE);
        expect(jobs).toHaveLength(RUNS);
    }, 900_000);

    it("following one takes no more requests and no more memory for a long log than for a short one", async () => {
        const [few, many] = [await startFollowing(FEW.stack), await startFollowing(MANY.stack)];
        await few.seen(/started/);
        await many.seen(/started/);
        await bed.inside("touch", `${GATE}/go`);
        const [short, long] = [await resultOf(few), await resultOf(many)];
        expect(short).toMatchObject({ state: "Succeeded", lines: FEW.lines + 1, last: String(FEW.lines) });
        expect(long).toMatchObject({ state: "Succeeded", lines: MANY.lines + 1, last: String(MANY.lines) });
        expect(kindsOf(long.requests)).toEqual(kindsOf(short.requests));
        expect(long.requests.length).toBeLessThanOrEqual(short.requests.length + 2);
        expect(long.heap).toBeLessThan(short.heap + HEAP_MARGIN);
    }, 180_000);

    it("all succeed, each with its own log", async () => {
        expect((await ofEach(update("refresh"))).filter(({ code }) => code !== 0)).toEqual([]);
        const outputs = stacks.map((stack) => endOf(stack));
        expect(outputs.map(({ status }) => status)).toEqual(stacks.map(() => "Succeeded"));
        expect(new Set(outputs.map(({ runId }) => runId)).size).toBe(RUNS);
        const logs = outputs.map(({ logUrl }) => fs.readFileSync(new URL(logUrl), "utf8"));
        const numbersOf = (log: string) => log.split("\n").filter((line) => /^print\t\d+$/.test(line)).length;
        expect(logs.map(numbersOf)).toEqual(
            stacks.map((stack) => [FEW, MANY].find((longer) => longer.stack === stack)?.lines ?? LINES),
        );
    }, 900_000);

    it("`destroy` of all of them leaves nothing", async () => {
        expect((await ofEach(update("destroy"))).filter(({ code }) => code !== 0)).toEqual([]);
        expect(await leftIn(bed, NAMESPACE)).toEqual([]);
    }, 900_000);

    async function runningPods(): Promise<unknown[]> {
        const pods = await bed.list<{ status: { phase: string } }>("pods", NAMESPACE);
        return pods.filter(({ status }) => status.phase === "Running");
    }

    // `refresh` brings the resource up to date; the stack's own outputs are the program's, which it does not run.
    function endOf(stack: string): { runId: string; status: string; logUrl: string } {
        const { resources } = project.checkpoint(stack);
        return resources.find(({ type }) => type === "stackrun:index:Run")?.outputs as ReturnType<
            typeof endOf
        >;
    }

    async function startFollowing(stack: string): Promise<RunningCommand> {
        const { runId } = await project.outputs(stack);
        const folder = path.join(project.dir, `.follow-${stack}`);
        fs.mkdirSync(folder);
        const options = JSON.stringify({ kubeconfig: bed.kubeconfig, namespace: NAMESPACE });
        const script = path.join(REPO, "test/support/kubernetes/countingFollower.js");
        return project.start(process.execPath, ["--expose-gc", script, folder, runId, options]);
    }

    async function resultOf(following: RunningCommand): Promise<Followed> {
        const { code, stdout, stderr } = await following.ended;
        if (code !== 0) {
            throw new Error(`following ended with ${code}:\n${stderr}`);
        }
        return JSON.parse(stdout) as Followed;
    }
});

function kindsOf(requests: readonly string[]): string[] {
    return [...new Set(requests)].sort();
}

/** Does the same with all of them, a few at a time; the results are in their order. */
async function inTurns<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
    const results = new Map<T, R>();
    const left = [...all];
    const worker = async () => {
        for (let one = left.shift(); one !== undefined; one = left.shift()) {
            results.set(one, await work(one));
        }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return all.map((one) => results.get(one) as R);
}
