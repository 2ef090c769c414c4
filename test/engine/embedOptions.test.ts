import { Project } from "../support/project";

// Its steps leave a line for each run that there was: "unchanged" is proved by what did not happen.
const pipeline = (name: string, command: string) => `
name: ${name}
params: {who: nobody}
steps:
  - name: only
    run: echo "$STACKRUN_PARAM_WHO" >> .home/trace; ${command}
`;
const PIPELINES = {
    "good.yaml": pipeline("good", 'echo said=42 > "$STACKRUN_METRICS"'),
    "bad.yaml": pipeline("bad", "exit 3"),
};
// A counterpart without a plugin: what it is given stands in the state.
const BOX = `
class Box extends pulumi.ComponentResource {
    constructor(name, args, opts) {
        super("test:index:Box", name, args, opts);
        this.value = pulumi.output(args.value);
        this.registerOutputs({ value: this.value });
    }
}
const good = (name, who, opts, more) =>
    new stackrun.LocalOrchestrator(name, { pipeline: "good.yaml", params: { who }, ...more }, opts);
`;

describe("an orchestrator in a program with other resources", () => {
    let project: Project;
    beforeEach(async () => {
        project = await Project.create(PIPELINES, "");
    }, 120_000);
    afterEach(() => project.dispose());

    const runs = () => (project.exists(".home/trace") ? project.read(".home/trace").trim().split("\n") : []);
    const up = async (body: string, env: NodeJS.ProcessEnv = {}) => {
        project.program(BOX + body);
        const result = await project.up([], env);
        return { code: result.code, output: result.stdout + result.stderr };
    };
    const named = async (name: string, type: string) =>
        project.state().find(({ urn }) => urn.endsWith(`:${type}::${name}`));

    it("takes what others make as its input, and feeds others: in the order that follows", async () => {
        project.program(`${BOX}
            const first = good("first", "first");
            const second = good("second", first.metrics.apply((metrics) => "said-" + metrics.only.said));
            const third = good("third", "third", { dependsOn: [second] });
            exports.box = new Box("box", { value: third.status }).value;
        `);
        const preview = await project.preview();
        expect(preview.stdout).toMatch(/params +: \[unknown\]/);
        expect(preview.code).toBe(0);
        expect(runs()).toEqual([]);

        const { code, stdout } = await project.up();
        expect(code === 0 ? "" : stdout).toBe("");
        expect(runs()).toEqual(["first", "said-42", "third"]);
        expect(await project.outputs()).toEqual({ box: "Succeeded" });

        expect((await project.up()).stdout).not.toMatch(/created|replaced|updated/);
        expect(runs()).toHaveLength(3);
    }, 120_000);

    it("fails for itself: one beside it succeeds, and the outputs of both are kept", async () => {
        const { code, output } = await up(`
            const bad = new stackrun.LocalOrchestrator("bad", { pipeline: "bad.yaml", params: { who: "bad" } });
            exports.bad = bad.status;
            exports.good = good("good", "good").status;
        `);
        expect(code).not.toBe(0);
        expect(output).toMatch(/error: run bad-\S+: Failed/);
        expect(output).not.toMatch(/LocalOrchestrator \(good\):\s+error/);
        expect(await project.outputs()).toEqual({ bad: "Failed", good: "Succeeded" });
        // The next update is a further attempt of the one that failed, and none of the other.
        expect((await project.up()).code).not.toBe(0);
        expect(runs().sort()).toEqual(["bad", "bad", "good"]);
    }, 120_000);

    it("holds back what depends on it when its run fails, unless failures are only recorded", async () => {
        const program = (more: string) => `
            const args = { pipeline: "bad.yaml", params: { who: "bad" }, ...${more} };
            const bad = new stackrun.LocalOrchestrator("bad", args);
            exports.bad = bad.status;
            good("after", "after", { dependsOn: [bad] });
        `;
        const failed = await up(program("{}"));
        expect(failed.code).not.toBe(0);
        expect(runs()).toEqual(["bad"]);
        expect(await project.outputs()).toEqual({ bad: "Failed" });
        const [, told = ""] = failed.output.split("Diagnostics:");
        expect(told.match(/error: run bad-\S+: Failed/g)).toHaveLength(1);
        expect(failed.output).not.toMatch(/\n {4,}at /);

        expect((await up(program('{ onFailure: "record" }'))).code).toBe(0);
        expect(runs()).toEqual(["bad", "bad", "after"]);
    }, 120_000);

    it("can run one pipeline twice side by side", async () => {
        const twice = await up(`
            const two = ["a", "b"].map((name) => good(name, "same"));
            exports.ids = two.map((one) => one.runId);
        `);
        expect(twice.code).toBe(0);
        const { ids } = await project.outputs();
        expect(new Set(ids).size).toBe(2);
        expect(runs()).toEqual(["same", "same"]);
    }, 120_000);

    it("keeps its run when it is renamed, or gets a parent, with an alias", async () => {
        expect((await up(`exports.id = good("old", "one").runId;`)).code).toBe(0);
        const { id } = await project.outputs();
        const renamed = await up(`exports.id = good("new", "one", { aliases: [{ name: "old" }] }).runId;`);
        expect(renamed.code).toBe(0);
        expect(renamed.output).not.toMatch(/created|deleted|replaced/);
        expect(await project.outputs()).toEqual({ id });

        const moved = await up(`
            const parent = new Box("parent", {});
            const aliases = [{ name: "new", parent: pulumi.rootStackResource }];
            exports.id = good("new", "one", { parent, aliases }).runId;
        `);
        expect(moved.code).toBe(0);
        expect(moved.output).not.toMatch(/deleted|replaced/);
        expect(await project.outputs()).toEqual({ id });
        expect((await named("new", "Run"))?.urn).toContain(
            "test:index:Box$stackrun:index:LocalOrchestrator$",
        );
        expect(runs()).toEqual(["one"]);
    }, 120_000);

    it("hands options on to what it declares: transforms, protect, an explicit provider", async () => {
        const { code, output } = await up(`
            const seen = [];
            const transforms = [({ type, props, opts }) => {
                seen.push(type);
                return type === "stackrun:index:RunId" ? { props: { ...props, trigger: "by transform" }, opts } : undefined;
            }];
            const transformations = [({ type }) => { seen.push("old " + type); return undefined; }];
            class Provider extends pulumi.ProviderResource {}
            const provider = new Provider("stackrun", "mine", {});
            const one = good("one", "one", { transforms, transformations, protect: true, providers: [provider] });
            exports.seen = one.status.apply(() => [...new Set(seen)].sort());
        `);
        expect(output).not.toContain("error");
        expect(code).toBe(0);
        const types = ["LocalOrchestrator", "Run", "RunId"].map((name) => `stackrun:index:${name}`);
        expect((await project.outputs()).seen).toEqual([...types.map((type) => `old ${type}`), ...types]);
        const state = project.state() as unknown as Record<string, unknown>[];
        const run = state.find(({ type }) => type === "stackrun:index:Run");
        const runId = state.find(({ type }) => type === "stackrun:index:RunId") as { inputs: object };
        expect(run).toMatchObject({ protect: true });
        expect(run?.provider).toContain("pulumi:providers:stackrun::mine::");
        expect(runId.inputs).toMatchObject({ trigger: "by transform" });

        const destroy = await project.pulumi(["destroy", "--yes", "--stack", "dev"]);
        expect(destroy.code).not.toBe(0);
        expect(destroy.stdout + destroy.stderr).toContain("protect");
    }, 120_000);
});
