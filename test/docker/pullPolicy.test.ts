import { followProgress } from "../support/docker/progress";
import { describeDocker } from "../support/docker/lane";
import type { Registry } from "../support/docker/registry";
import type { Project } from "../support/project";
import { cleanUp, dockerProject, program, RUN, upOk } from "./project";

const PIPELINE = { "pipeline.yaml": `name: pull\nsteps: [{name: show, run: 'echo "$MADE"'}]\n` };

describeDocker("pullPolicy", (bed) => {
    let registry: Registry;
    let project: Project;
    let ref: string;
    beforeAll(async () => {
        registry = await bed.registry();
        ref = `${registry.address}/team/job:v1`;
    }, 60_000);
    afterAll(() => registry?.stop());
    beforeEach(async () => {
        await push("one");
        await forget();
    });
    afterEach(async () => {
        await cleanUp(project);
        await forget();
    }, 60_000);

    /** Another image under the same name, as by somebody else's push; the daemon is left with it. */
    const push = async (made: string) => {
        const container = await bed.docker.createContainer({ Image: await bed.image("busybox") });
        const [repo, tag] = [ref.replace(/:v1$/, ""), "v1"];
        await container.commit({ repo, tag, changes: `ENV MADE=${made}` });
        await container.remove();
        const { username, password, address: serveraddress } = registry;
        const authconfig = { username, password, serveraddress };
        await followProgress(bed.docker, await bed.docker.getImage(ref).push({ authconfig }));
    };
    /** The daemon has nothing of the registry's any more. */
    const forget = async () => {
        for (const { Id: id, RepoTags: tags, RepoDigests: digests } of await bed.docker.listImages()) {
            if ([...(tags ?? []), ...(digests ?? [])].some((name) => name.startsWith(registry.address))) {
                await bed.docker.getImage(id).remove({ force: true });
            }
        }
    };
    const names = async () => (await bed.contents()).images.filter((name) => name.startsWith(ref));
    const login = (password = registry.password) =>
        `registries: [{ address: "http://${registry.address}", username: "${registry.username}", password: pulumi.secret("${password}") }]`;
    const args = (policy: string, more = login()) => `image: "${ref}", pullPolicy: "${policy}", ${more}`;
    const start = async (policy: string, more?: string) => {
        project = await dockerProject(bed, PIPELINE, args(policy, more));
    };
    const imageOf = (runId: string) => JSON.parse(project.read(`.stackrun/runs/${runId}/run.json`)).image;

    test("Always: the registry is asked each time, and another image of that name is a new run", async () => {
        await start("Always");
        const digest = await registry.digestOf("team/job", "v1");
        await upOk(project);
        const first = await project.outputs();
        expect(first.logs).toBe("show | one\n");
        expect(imageOf(first.runId)).toEqual({
            ref: `${registry.address}/team/job@${digest}`,
            digest: `${registry.address}/team/job@${digest}`,
        });
        expect(JSON.stringify(project.state())).not.toContain(registry.password);
        await upOk(project, ["--expect-no-changes"]);

        await push("two");
        await forget();
        const shown = await project.preview();
        expect(shown.stdout).toMatch(new RegExp(`image\\s*: .*${digest}.*=>`));
        expect(await names()).toEqual([]);
        await upOk(project);
        expect(await project.outputs()).toMatchObject({ logs: "show | two\n", attempt: 1 });
        expect((await project.outputs()).runId).not.toBe(first.runId);
    }, 180_000);

    test("IfNotPresent: it is pulled with credentials if it is not there, and then not looked after", async () => {
        await start("IfNotPresent");
        await upOk(project);
        const first = await project.outputs();
        expect(first.logs).toBe("show | one\n");
        const kept = await bed.docker.getImage(ref).inspect();
        await push("two");
        await bed.docker.getImage(kept.Id).tag({ repo: ref.replace(/:v1$/, ""), tag: "v1" });
        await upOk(project, ["--expect-no-changes"]);
        project.program(await program(bed, `${args("IfNotPresent")}, trigger: 2`));
        await upOk(project);
        expect((await project.outputs()).runId).not.toBe(first.runId);
        expect((await project.outputs()).logs).toBe("show | one\n");
    }, 180_000);

    test("Never: it has to be there; nothing is pulled, and nothing is made without it", async () => {
        await start("Never");
        const sentence = `DockerOrchestrator "job": pullPolicy is "Never", and the daemon does not tell of an image ${ref} (did not find docker image '${ref}'); pull or build it there, or leave pullPolicy out`;
        for (const refused of [await project.preview(), await project.up()]) {
            expect(refused.code).not.toBe(0);
            expect(refused.stdout + refused.stderr).toContain(sentence);
        }
        expect(await names()).toEqual([]);
        expect(project.state().map(({ type }) => type)).not.toContain(RUN);
        await push("one");
        await upOk(project);
        expect((await project.outputs()).logs).toBe("show | one\n");
    }, 180_000);

    test.each([
        [
            "Always",
            /pullPolicy is "Always", and no registry tells what the image \S+\/team\/job:v1 is \(.*Bad credentials: 401.*\); correct the name or `registries`, or leave pullPolicy out/,
        ],
        ["IfNotPresent", /unable to pull image \S+\/team\/job:v1: .*(unauthorized|no basic auth)/],
    ])(
        "%s with a wrong password: a sentence with the name, and nothing is made",
        async (policy, sentence) => {
            await start(policy, login("wrong"));
            const { code, stdout } = await project.up();
            expect(code).not.toBe(0);
            expect(stdout).toMatch(sentence);
            expect(await names()).toEqual([]);
            expect(project.state().map(({ type }) => type)).not.toContain(RUN);
        },
        120_000,
    );
});
