import * as fs from "node:fs";
import * as path from "node:path";
import { Project } from "../support/project";

const PIPELINE = `
name: two steps
params: {greeting: hello}
steps:
  - name: first
    run: echo "$STACKRUN_PARAM_GREETING" > "$STACKRUN_OUTPUTS/word" && cat code.txt && echo ran >> "$TRACE"
    outputs: [word]
  - name: second
    run: cat "$STACKRUN_INPUTS/word" && echo "score=0.5" >> "$STACKRUN_METRICS"
    inputs: {word: first/word}
`;

const program = (args: string) => `
const run = new stackrun.LocalOrchestrator("job", { pipeline: "pipeline.yaml", ${args} });
for (const output of ["runId", "attempt", "status", "reason", "message", "steps", "exitCode", "logs", "logUrl", "metrics", "artifacts", "durationSeconds", "startedAt", "finishedAt", "interruptions"]) {
    exports[output] = run[output];
}
`;

// One story: each test goes on from the state that the one before it left.
describe("a run is a stack update", () => {
    let project: Project;
    let trace: string;
    const timesRun = () => (fs.existsSync(trace) ? fs.readFileSync(trace, "utf8").split("\n").length - 1 : 0);
    const runIds = () =>
        project.exists(".stackrun/runs") ? fs.readdirSync(path.join(project.dir, ".stackrun/runs")) : [];
    const up = async () => {
        const result = await project.up([], { TRACE: trace });
        return { ...result, text: result.stdout + result.stderr };
    };

    beforeAll(async () => {
        project = await Project.create({ "pipeline.yaml": PIPELINE, "code.txt": "code 1\n" }, program(""));
        trace = path.join(project.dir, ".home/trace");
    }, 120_000);
    afterAll(() => project.dispose());

    it("preview shows what would be made, and makes nothing", async () => {
        const preview = await project.preview();
        expect(preview.stdout).toMatch(/stackrun:index:LocalOrchestrator/);
        expect(preview.stdout).toMatch(/stackrun:index:RunId/);
        expect(preview.stdout).toMatch(/stackrun:index:Run\b/);
        expect(preview.code).toBe(0);
        expect(timesRun()).toBe(0);
        expect(runIds()).toEqual([]);
    }, 60_000);

    it("the first `up` runs the pipeline, shows its log, and records what became of it", async () => {
        const { code, text } = await up();
        expect(text).toContain("first | code 1");
        expect(text).toContain("second | hello");
        expect(text).not.toMatch(/warning/i);
        expect(code).toBe(0);
        const outputs = await project.outputs();
        expect(outputs).toMatchObject({
            attempt: 1,
            status: "Succeeded",
            reason: "",
            exitCode: 0,
            interruptions: 0,
            metrics: { second: { score: 0.5 } },
        });
        expect(outputs.runId).toMatch(/^two-steps-\d{8}-\d{6}-\w{4}$/);
        expect(outputs.message).toMatch(/^2 steps in /);
        expect(outputs.logs).toBe("first | code 1\nsecond | hello\n");
        expect(outputs.steps).toMatchObject([
            { name: "first", state: "Succeeded", attempts: 1, exitCode: 0 },
            { name: "second", state: "Succeeded", attempts: 1, exitCode: 0 },
        ]);
        const word = outputs.artifacts["first/word"];
        expect(word).toMatchObject({
            size: 6,
            sha256: "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
        });
        expect(fs.readFileSync(word.uri, "utf8")).toBe("hello\n");
        expect(fs.readFileSync(new URL(outputs.logUrl), "utf8")).toBe("first\tcode 1\nsecond\thello\n");
        expect(runIds()).toEqual([outputs.runId]);
    }, 60_000);

    it("keeps each step as a row of its own under its run", async () => {
        const steps = project.state().filter(({ type }) => type === "stackrun:index:Step");
        expect(steps.map(({ urn }) => urn.split("::").pop())).toEqual(["job.first", "job.second"]);
        expect(steps.every(({ viewOf }) => viewOf?.endsWith("stackrun:index:Run::job"))).toBe(true);
        expect(steps[0].outputs).toMatchObject({ step: "first", state: "Succeeded", attempts: 1 });
    }, 30_000);

    it("`refresh` of a run that has ended changes nothing, and keeps its steps", async () => {
        const { stdout } = await project.expectOk(["refresh", "--yes", "--skip-preview", "--stack", "dev"]);
        expect(stdout).not.toMatch(/created|updated|deleted/);
        expect(project.state().filter(({ type }) => type === "stackrun:index:Step").length).toBe(2);
    }, 60_000);

    it("an unchanged `up` runs nothing", async () => {
        const { code, stdout } = await up();
        expect(code).toBe(0);
        expect(stdout).not.toMatch(/created|updated|replaced|deleted/);
        expect(timesRun()).toBe(1);
        expect(runIds().length).toBe(1);
    }, 60_000);

    it.each<[string, () => void, RegExp]>([
        ["code", () => project.write({ "code.txt": "code 2\n" }), /~ code/],
        [
            "a parameter",
            () => project.program(program('params: { greeting: "bye" }')),
            /~ greeting\s*: "hello" => "bye"/,
        ],
        [
            "the image",
            () => project.program(program('params: { greeting: "bye" }, image: "python:3.12"')),
            /\+ image\s*: "python:3.12"/,
        ],
        [
            "the trigger",
            () =>
                project.program(
                    program('params: { greeting: "bye" }, image: "python:3.12", trigger: "2026-11-22"'),
                ),
            /\+ trigger\s*: "2026-11-22"/,
        ],
    ])(
        "a change of %s shows in preview, and is a new run",
        async (_, change, shown) => {
            const before = await project.outputs();
            const ran = timesRun();
            change();
            const preview = await project.preview();
            expect(preview.stdout).toMatch(shown);
            expect(preview.stdout).toMatch(
                /stackrun:index:Run: \(delete-replaced\)|stackrun:index:Run: \(replace\)/,
            );
            expect(timesRun()).toBe(ran);
            expect((await up()).code).toBe(0);
            const after = await project.outputs();
            expect(after).toMatchObject({ attempt: 1, status: "Succeeded" });
            expect(after.runId).not.toBe(before.runId);
            expect(timesRun()).toBe(ran + 1);
        },
        90_000,
    );

    it("refuses a pipeline with mistakes before anything is created, without a stack trace", async () => {
        const ran = runIds().length;
        project.write({
            "pipeline.yaml": PIPELINE.replace("inputs: {word: first/word}", "inputs: {word: frist/word}"),
        });
        const { code, text } = await up();
        expect(code).not.toBe(0);
        expect(text).toMatch(/pipeline\.yaml:10:\d+: steps\[1\]\.inputs\.word: .*did you mean "first/);
        expect(text).not.toMatch(/^\s+at .*\(/m);
        expect(runIds().length).toBe(ran);
        project.write({ "pipeline.yaml": PIPELINE });
    }, 60_000);

    it("refuses a code folder that can't be bundled, by the names of its files", async () => {
        project.write({ "back\\slash.txt": "" });
        const refused = await project.preview();
        expect(refused.code).not.toBe(0);
        expect(refused.stdout + refused.stderr).toMatch(
            /code: These names can't be bundled.*back\\slash\.txt/s,
        );
        expect(refused.stdout + refused.stderr).not.toMatch(/^\s+at .*\(/m);
        fs.rmSync(path.join(project.dir, "back\\slash.txt"));
    }, 60_000);

    it("`destroy` leaves nothing in the stack, and keeps the records", async () => {
        const records = runIds();
        await project.expectOk(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);
        expect(project.state().filter(({ type }) => type.startsWith("stackrun:"))).toEqual([]);
        expect(runIds()).toEqual(records);
    }, 60_000);
});
