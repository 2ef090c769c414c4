import { startDockerBed, type DockerBed } from "../support/docker/bed";
import type { Registry } from "../support/docker/registry";
import { describeKubernetes } from "../support/kubernetes/lane";
import { leftIn, runProgram } from "../support/kubernetes/runs";
import type { CommandResult, Project } from "../support/project";
import { dockerPlugin } from "../support/standIns";
import { kubernetesProject } from "../support/standIns/kubernetes/project";

const NAMESPACE = "image-test";
const FILES = {
    "pipeline.yaml": "name: built\nsteps: [{name: show, run: cat /made}]\n",
    "image/Dockerfile": "FROM stackrun.test/busybox:1\nCOPY made.txt /made\n",
    "image/made.txt": "one\n",
    ".stackrunignore": ".home\n.state\nindex.js\npackage.json\nPulumi*.yaml\nimage\n",
};

describeKubernetes("an image that is built for a cluster", (bed) => {
    let docker: DockerBed;
    let registry: Registry;
    let project: Project;
    beforeAll(async () => {
        docker = await startDockerBed();
        await docker.image("busybox");
        registry = await docker.registry(bed.hostIp);
        bed.trustRegistry(registry.address);
        await bed.deleteNamespace(NAMESPACE);
        await bed.createNamespace(NAMESPACE);
        const { address, username, password } = registry;
        const auths = { [address]: { username, password } };
        await bed.create(
            {
                apiVersion: "v1",
                kind: "Secret",
                metadata: { name: "pull" },
                type: "kubernetes.io/dockerconfigjson",
                stringData: { ".dockerconfigjson": JSON.stringify({ auths }) },
            },
            NAMESPACE,
        );
    }, 180_000);
    afterAll(async () => {
        await project?.pulumi(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);
        project?.dispose();
        await bed.deleteNamespace(NAMESPACE);
        await docker?.stop();
    }, 180_000);

    const program = (more = "") => {
        const { address, username, password } = registry;
        const login = `username: "${username}", password: pulumi.secret("${password}")`;
        return runProgram(
            NAMESPACE,
            `image: { build: { context: "image" }, registry: { repository: "${address}/team/steps", ${login} } },
             imagePullPolicy: "IfNotPresent", pendingTimeout: "20s", ${more}`,
        );
    };
    const SECRET = `imagePullSecrets: ["pull"],`;
    const ok = async (command: Promise<CommandResult>) => {
        const { code, stdout, stderr } = await command;
        expect(code === 0 ? "" : stdout + stderr).toBe("");
        return stdout;
    };

    test("is not pulled without its registry's secret, and that is said", async () => {
        const options = { plugins: dockerPlugin, env: { DOCKER_HOST: docker.host } };
        project = await kubernetesProject(bed.kubeconfig, "", FILES, options);
        project.program(program());
        const shown = await ok(project.preview());
        expect(shown).toContain("docker:index/image:Image");
        expect(await registry.repositories()).toEqual([]);
        const { code, stdout } = await project.up();
        expect(code).not.toBe(0);
        expect(stdout).toMatch(/COPY made\.txt/);
        const { reason, message } = await project.outputs();
        expect(reason).toBe("ImagePullFailed");
        expect(message).toContain(`${registry.address}/team/steps@sha256:`);
    }, 240_000);

    test("is built by the daemon, pushed, and pulled by the node; unchanged, nothing is built and nothing runs", async () => {
        project.program(program(SECRET));
        await ok(project.up());
        const first = await project.outputs();
        expect(first).toMatchObject({ status: "Succeeded", logs: "show | one\n" });
        const state = project.state();
        const built = state.find(({ type }) => type === "docker:index/image:Image")?.outputs;
        const tag = String(built?.imageName).split(":").at(-1) as string;
        const digest = await registry.digestOf("team/steps", tag);
        expect(digest).toMatch(/^sha256:/);
        const [pod] = await bed.list<{ spec: { containers: { image: string }[] } }>("pods", NAMESPACE);
        expect(pod?.spec.containers.map(({ image }) => image)).toEqual([
            `${registry.address}/team/steps@${digest}`,
        ]);
        expect(JSON.stringify(state)).not.toContain(registry.password);

        expect(await ok(project.up(["--expect-no-changes"]))).not.toContain("COPY");
        expect((await project.outputs()).runId).toBe(first.runId);

        project.write({ "image/made.txt": "two\n" });
        expect(await ok(project.up())).toMatch(/COPY made\.txt/);
        const second = await project.outputs();
        expect(second).toMatchObject({ status: "Succeeded", logs: "show | two\n", attempt: 1 });
        expect(second.runId).not.toBe(first.runId);
        await ok(project.pulumi(["destroy", "--yes", "--skip-preview", "--stack", "dev"]));
        expect(await leftIn(bed, NAMESPACE)).toEqual([]);
    }, 300_000);
});
