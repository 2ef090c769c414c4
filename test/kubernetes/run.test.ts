import * as fs from "node:fs";
import { leftIn, runProject } from "../support/kubernetes/runs";
import { describeKubernetes } from "../support/kubernetes/lane";
import type { Project } from "../support/project";
import { runProgram } from "../support/kubernetes/runs";

const NAMESPACE = "run-test";
const PIPELINE = `
name: two steps
params: {greeting: hello}
secrets: [TOKEN]
steps:
  - name: first
    run: echo "$STACKRUN_PARAM_GREETING" > "$STACKRUN_OUTPUTS/word" && cat code.txt && echo "the token is $TOKEN"
    outputs: [word]
  - name: second
    run: cat "$STACKRUN_INPUTS/word" && echo "score=0.5" >> "$STACKRUN_METRICS"; test ! -e fail.txt
    inputs: {word: first/word}
`;

// One story: each test goes on from the state that the one before it left.
describeKubernetes("a run in a cluster is a stack update", (bed) => {
    let project: Project;
    const secrets = 'secrets: { TOKEN: pulumi.secret("hidden-value") },';
    const up = async () => {
        const { code, stdout, stderr } = await project.up();
        return { code, text: stdout + stderr };
    };

    beforeAll(async () => {
        await bed.deleteNamespace(NAMESPACE);
        await bed.createNamespace(NAMESPACE, { "pod-security.kubernetes.io/enforce": "restricted" });
        project = await runProject(bed, NAMESPACE, PIPELINE, secrets);
        project.write({ "code.txt": "code 1\n" });
    }, 120_000);
    afterAll(async () => {
        await project?.pulumi(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);
        project?.dispose();
        await bed.deleteNamespace(NAMESPACE);
    }, 120_000);

    it("preview shows what would be made, how large the code is, and makes nothing", async () => {
        const { code, stdout, stderr } = await project.preview();
        expect(stdout + stderr).toMatch(/kubernetes:batch\/v1:Job/);
        expect(stdout + stderr).toMatch(/the code would go up: .* in 1 ConfigMap/);
        expect(code).toBe(0);
        expect(await leftIn(bed, NAMESPACE)).toEqual([]);
    }, 90_000);

    it("`up` runs the pipeline in a restricted namespace, streams its log, and records what became of it", async () => {
        const { code, text } = await up();
        expect(text).toContain("first | code 1");
        expect(text).toContain("first | the token is ***");
        expect(text).toContain("second | hello");
        expect(text).not.toContain("hidden-value");
        expect(code).toBe(0);
        const outputs = await project.outputs();
        expect(outputs).toMatchObject({
            attempt: 1,
            status: "Succeeded",
            exitCode: 0,
            interruptions: 0,
            metrics: { second: { score: 0.5 } },
            logs: "first | code 1\nfirst | the token is ***\nsecond | hello\n",
        });
        expect(outputs.artifacts["first/word"]).toMatchObject({
            size: 6,
            sha256: "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
        });
        expect(JSON.stringify(await project.state())).not.toContain("hidden-value");
        expect(fs.readFileSync(new URL(outputs.logUrl), "utf8")).not.toContain("hidden-value");
    }, 90_000);

    it("a second `up` changes nothing, also when only how the pod is declared has changed", async () => {
        const before = await project.outputs();
        const again = await up();
        expect(again.text).toMatch(/unchanged/);
        expect(again.text).not.toMatch(/created|updated|replaced/);
        project.program(runProgram(NAMESPACE, `${secrets} memory: "64Mi",`));
        const more = await up();
        expect(more.code).toBe(0);
        expect(more.text).toMatch(/Resources:\n\s+\d+ unchanged\n\n/);
        expect(await project.outputs()).toMatchObject({ runId: before.runId, attempt: 1 });
    }, 90_000);

    it("code that fails is a new run that fails `up`; mended, it is a new one again", async () => {
        project.write({ "fail.txt": "" });
        const failed = await up();
        expect(failed.code).not.toBe(0);
        expect(failed.text).toContain("Failed (StepFailed): step second failed with exit code 1");
        const first = await project.outputs();
        const again = await up();
        expect(again.code).not.toBe(0);
        expect(await project.outputs()).toMatchObject({ runId: first.runId, attempt: 2, status: "Failed" });
        fs.rmSync(`${project.dir}/fail.txt`);
        expect((await up()).code).toBe(0);
        const mended = await project.outputs();
        expect(mended).toMatchObject({ attempt: 1, status: "Succeeded" });
        expect(mended.runId).not.toBe(first.runId);
        const jobs = (await bed.kubectl("get", "jobs", "-n", NAMESPACE, "-o", "name")).trim();
        expect(jobs).toBe(`job.batch/${mended.runId}-1`);
    }, 180_000);

    it("`destroy` leaves nothing in the namespace", async () => {
        await project.expectOk(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);
        expect(await leftIn(bed, NAMESPACE)).toEqual([]);
    }, 90_000);
});
