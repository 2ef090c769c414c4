import { describeDocker } from "../support/docker/lane";
import type { Registry } from "../support/docker/registry";
import type { Project } from "../support/project";
import { destroy, dockerProject, leftIn, program, RUN, upOk } from "./project";

const IMAGE = "docker:index/image:Image";
const PIPELINE = "name: built\nsteps: [{name: show, run: cat /made}]\n";

describeDocker("images of a DockerOrchestrator", (bed) => {
    let project: Project;
    let registry: Registry;
    beforeAll(async () => {
        registry = await bed.registry();
        await bed.image("busybox");
    }, 60_000);
    afterAll(() => registry?.stop());
    afterEach(() => project?.dispose());

    const files = (dockerfile: string) => ({
        "pipeline.yaml": PIPELINE,
        "image/Dockerfile": dockerfile,
        "image/made.txt": "one\n",
        "image/.dockerignore": "ignored*\n",
        ".stackrunignore": ".home\n.state\nindex.js\npackage.json\nPulumi*.yaml\nimage\n",
    });
    const GOOD = "FROM stackrun.test/busybox:1\nCOPY made.txt /made\n";

    test("is built and pushed with credentials, runs by its digest; unchanged, nothing is built", async () => {
        const { username, password, address } = registry;
        const login = `username: "${username}", password: pulumi.secret("${password}")`;
        project = await dockerProject(
            bed,
            files(GOOD),
            `image: { build: { context: "image" }, registry: { repository: "${address}/team/steps", ${login} } },
             registries: [{ address: "${address}", ${login} }]`,
        );
        const shown = (await project.preview()).stdout;
        expect(shown).toContain(IMAGE);
        expect(await registry.repositories()).toEqual([]);
        await upOk(project);
        const first = await project.outputs();
        expect(first.logs).toBe("show | one\n");
        const state = await project.state();
        const image = state.find(({ type }) => type === IMAGE);
        const tag = String(image?.outputs?.imageName).split(":").at(-1) as string;
        const digest = await registry.digestOf("team/steps", tag);
        expect(JSON.parse(project.read(`.stackrun/runs/${first.runId}/run.json`)).image).toEqual({
            ref: `${address}/team/steps@${digest}`,
            digest: `${address}/team/steps@${digest}`,
        });
        expect(JSON.stringify(state)).not.toContain(password);

        // What is left out of the context does not count, nor does the time of a file.
        project.write({ "image/ignored.txt": "x", "image/made.txt": "one\n" });
        await upOk(project, ["--expect-no-changes"]);
        project.write({ "image/made.txt": "two\n" });
        const out = await upOk(project);
        expect(out).toMatch(/Step 2\/2 : COPY made.txt/);
        expect(await project.outputs()).toMatchObject({ logs: "show | two\n", attempt: 1 });
        expect((await project.outputs()).runId).not.toBe(first.runId);
        await destroy(project);
        expect(await leftIn(bed, project)).toEqual([]);
    }, 240_000);

    test("a build that fails shows its last lines and the line of the Dockerfile", async () => {
        const args = `image: { build: { context: "image" } }`;
        project = await dockerProject(
            bed,
            files("FROM stackrun.test/busybox:1\nRUN echo before && exit 7\n"),
            args,
        );
        const { code, stdout } = await project.up();
        expect(code).not.toBe(0);
        expect(stdout).toContain("RUN echo before && exit 7");
        expect(stdout).toMatch(/returned a non-zero code: 7/);
        expect((await project.state()).filter(({ type }) => type === RUN)).toEqual([]);
        await destroy(project);
    }, 120_000);

    test.each([
        ["that is nowhere", "127.0.0.1:1/no/such:1", /127\.0\.0\.1:1\/no\/such:1/],
        [
            "without sh",
            "stackrun.test/nosh:1",
            /of image stackrun\.test\/nosh:1 can't be started: .*has no \/bin\/sh.*choose an image with a shell/s,
        ],
    ])(
        "an image %s ends the update with a sentence that names it, and destroy still works",
        async (_what, image, sentence) => {
            await bed.image("nosh");
            project = await dockerProject(bed, { "pipeline.yaml": PIPELINE }, `image: "${image}"`);
            const { code, stdout } = await project.up();
            expect(code).not.toBe(0);
            expect(stdout).toMatch(sentence);
            await destroy(project);
            expect(JSON.stringify(await bed.contents())).not.toContain("stackrun-built");
        },
        120_000,
    );

    test("a daemon that is nowhere is named, and nothing is made", async () => {
        const pipeline = { "pipeline.yaml": PIPELINE };
        project = await dockerProject(bed, pipeline, `dockerHost: "unix:///nowhere/docker.sock"`);
        const { code, stdout } = await project.up();
        expect(code).not.toBe(0);
        expect(stdout).toContain("/nowhere/docker.sock");
        expect(await project.state()).not.toContainEqual(expect.objectContaining({ type: RUN }));
        project.program(await program(bed));
        await project.pulumi(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);
    }, 120_000);
});
