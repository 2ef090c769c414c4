import { openArtifactStore } from "../../src/stores/artifacts/open";
import { startGcs, type GcsServer } from "../support/gcs/server";
import { Project } from "../support/project";

const PIPELINE = "name: p\nsteps: [{name: one, run: cat code.txt}]\n";
const PROGRAM = `
class CloudOrchestrator extends stackrun.Orchestrator {
    constructor(name, args) {
        super("acme:index:CloudOrchestrator", name, args, {}, undefined, { artifactStore: ["gs"] });
        this.declareRun({
            follower: { module: "local" },
            inPlace: true,
            declare: (run) => [(this.bundle = run.store.bundle(name + "-code", { parent: this }))],
        });
    }
}
const url = new pulumi.Config().require("store");
const job = new CloudOrchestrator("job", {
    pipeline: "pipeline.yaml",
    artifactStore: new stackrun.ArtifactStore("store", { url }),
});
Object.assign(exports, { status: job.status, runId: job.runId });
for (const output of ["key", "url", "size", "sha256"]) {
    exports[output] = job.bundle[output];
}
`;

// One story: each test goes on from the state that the one before it left.
describe("the code in a bucket, with the real engine", () => {
    const before = { ...process.env };
    let gcs: GcsServer;
    let project: Project;

    beforeAll(async () => {
        gcs = await startGcs();
        await gcs.createBucket("artifacts");
        Object.assign(process.env, gcs.env);
        const files = { "pipeline.yaml": PIPELINE, "code.txt": "code 1\n" };
        project = await Project.create(files, PROGRAM, { env: gcs.env });
        await configure("gs://artifacts/test");
    }, 180_000);
    afterAll(async () => {
        await project?.dispose();
        await gcs?.stop();
        process.env = before;
    });

    const configure = (url: string) => project.pulumi(["config", "set", "store", url, "--stack", "dev"]);
    const store = () => openArtifactStore("gs://artifacts/test");
    const stored = async () => (await store().list("")).map(({ key }) => key);
    const bundle = () => project.state().find(({ type }) => type === "stackrun:index:StoredBundle");

    it("a preview puts nothing there", async () => {
        const { code, stdout, stderr } = await project.preview();
        expect(stdout + stderr).toMatch(
            /the code would go up to gs:\/\/artifacts\/test, unless it is there: \d+ B/,
        );
        expect(code).toBe(0);
        expect(await stored()).toEqual([]);
    });

    it("an update puts it there before the run", async () => {
        const { code, stdout } = await project.up();
        expect(stdout).toMatch(/the code went up: \d+ B/);
        expect(code).toBe(0);
        const outputs = await project.outputs();
        const key = expect.stringMatching(/^bundles\/[0-9a-f]{64}\.tar\.gz$/);
        const { size, sha256 } = (await store().stat(outputs.key)) ?? {};
        expect(outputs).toMatchObject({ status: "Succeeded", key, size, sha256 });
        expect(outputs.url).toBe(`gs://artifacts/test/${outputs.key}`);
        expect(bundle()?.outputs).toMatchObject({ key: outputs.key, size, sha256 });
    });

    it("nothing happens when nothing has changed", async () => {
        const { runId } = await project.outputs();
        const { stdout } = await project.up();
        expect(stdout).toMatch(/unchanged/);
        expect(stdout).not.toMatch(/updated|replaced|created/);
        expect(await project.outputs()).toMatchObject({ runId });
    });

    it("other code is one more object, and a new run", async () => {
        const { runId, key } = await project.outputs();
        project.write({ "code.txt": "code 2\n" });
        expect((await project.up()).code).toBe(0);
        const outputs = await project.outputs();
        expect(outputs.runId).not.toBe(runId);
        expect(await stored()).toEqual([key, outputs.key].sort());
    });

    it("what somebody has removed is found out by refresh, and goes up again without a new run", async () => {
        const { runId, key } = await project.outputs();
        await store().remove(key);
        expect((await project.pulumi(["refresh", "--yes", "--stack", "dev"])).code).toBe(0);
        expect(bundle()).toBeUndefined();
        expect((await project.up()).code).toBe(0);
        expect(await stored()).toContain(key);
        expect(await project.outputs()).toMatchObject({ runId });
    });

    it("a bucket that is not there fails the update with what to do, and nothing runs", async () => {
        const { runId } = await project.outputs();
        await configure("gs://no-such-bucket");
        project.write({ "code.txt": "code 3\n" });
        const { code, stdout, stderr } = await project.up();
        expect(stdout + stderr).toContain(
            "there is no bucket no-such-bucket in Google Cloud Storage. Create it",
        );
        expect(stdout + stderr).not.toContain(" at ");
        expect(code).not.toBe(0);
        expect(project.exists(`.stackrun/runs/${runId}`)).toBe(true);
        await configure("gs://artifacts/test");
        expect((await project.up()).code).toBe(0);
    });

    it("destroy leaves what other runs may need", async () => {
        const there = await stored();
        expect(there).toHaveLength(3);
        expect((await project.pulumi(["destroy", "--yes", "--stack", "dev"])).code).toBe(0);
        expect(await stored()).toEqual(there);
    });

    it("the command takes a store, and refuses it as the orchestrators do", async () => {
        const run = (url: string) => project.stackrun(["run", "pipeline.yaml", "--artifact-store", url]);
        const wrong = await run("s3://bucket");
        expect(wrong.stderr).toContain(
            '--artifact-store: "s3://bucket": stores of the kind s3:// are not supported yet; allowed: gs://bucket/prefix',
        );
        expect(wrong.code).toBe(2);
        const unused = await run("gs://bucket");
        expect(unused.stdout + unused.stderr).toContain(
            'LocalOrchestrator "dev": artifactStore has no use here',
        );
        expect(unused.code).not.toBe(0);
    });
});
