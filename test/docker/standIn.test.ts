import type { DockerBed } from "../support/docker/bed";
import { describeDocker } from "../support/docker/lane";
import { dockerPlugin } from "../support/standIns";
import { Project, type CommandResult } from "../support/project";

const DOCKER = `const docker = require("@pulumi/docker");\n`;

describeDocker("the stand-in for pulumi-resource-docker", (bed) => {
    let project: Project;
    const setUp = async (program: string, files: Record<string, string> = {}) => {
        const options = { plugins: dockerPlugin, env: { DOCKER_HOST: bed.host } };
        project = await Project.create(files, DOCKER + program, options);
    };
    afterEach(() => project?.dispose());

    test("makes containers, volumes and networks, and leaves none", async () => {
        const before = await bed.contents();
        await setUp(`
            const volume = new docker.Volume("data", { labels: [{ label: "a", value: "b" }] });
            const network = new docker.Network("net", {});
            const image = new docker.RemoteImage("image", { name: "${await bed.image("busybox")}", keepLocally: true });
            const container = new docker.Container("job", {
                image: image.imageId,
                command: ["sh", "-c", "echo $X > /data/x; id -u >> /data/x; exec sleep 600"],
                envs: ["X=y"],
                user: "nobody",
                tmpfs: { "/scratch": "size=1m" },
                mounts: [{ type: "volume", source: volume.name, target: "/data" }],
                networksAdvanced: [{ name: network.name, aliases: ["job"] }],
                hosts: [{ host: "db", ip: "10.0.0.1" }],
                memory: 64,
                cpus: "0.5",
                ulimits: [{ name: "nofile", soft: 100, hard: 200 }],
                capabilities: { drops: ["ALL"] },
                readOnly: true,
                init: true,
                labels: [{ label: "run", value: "r1" }],
                logOpts: { "max-size": "1m" },
            });
            exports.id = container.id;
            exports.name = container.name;
            exports.networks = container.networkDatas;
            exports.volume = volume.name;
        `);
        await expectOk(project.up());
        const { id, name, networks, volume } = await project.outputs();
        expect(name).toMatch(/^job-[0-9a-f]{7}$/);
        expect(networks).toEqual([expect.objectContaining({ networkName: expect.stringMatching(/^net-/) })]);
        const info = await bed.docker.getContainer(id).inspect();
        expect(info.State.Running).toBe(true);
        expect(info.Config).toMatchObject({
            User: "nobody",
            Env: ["X=y", expect.any(String)],
            Labels: { run: "r1" },
        });
        expect(info.HostConfig).toMatchObject({
            Memory: 64 * 1024 * 1024,
            NanoCpus: 5e8,
            CapDrop: ["ALL"],
            ReadonlyRootfs: true,
            Init: true,
            ExtraHosts: ["db:10.0.0.1"],
            Tmpfs: { "/scratch": "size=1m" },
            LogConfig: { Type: "json-file", Config: { "max-size": "1m" } },
        });
        expect(info.Mounts).toEqual([
            expect.objectContaining({ Type: "volume", Name: volume, Destination: "/data" }),
        ]);

        await expectOk(project.up(["--expect-no-changes"]));
        await expectOk(project.pulumi(["destroy", "--yes", "--skip-preview", "--stack", "dev"]));
        expect(await bed.contents()).toEqual({ ...before, images: (await bed.contents()).images });
        expect((await bed.contents()).images).toContain("stackrun.test/busybox:1");
    });

    test("refuses what the SDK does not know, naming it", async () => {
        await setUp(`
            new docker.Container("job", { image: "x", memory: "1g", mounts: [{ type: "bind", target: "/x", readonly: true }] });
        `);
        const container = await project.preview();
        expect(container.code).not.toBe(0);
        expect(container.stderr).toMatch(/memory .*has a problem: has to be a number, and is a string/);
        expect(container.stderr).toMatch(
            /mounts\[0\]\.readonly .*has a problem: ContainerMount has no such property/,
        );

        project.program(`${DOCKER}
            const provider = new docker.Provider("docker", { host: "${bed.host}", registryAuth: [{ adress: "x" }] });
            new docker.Image("image", { imageName: "no-registry", build: { args: { a: 1 } } }, { provider });
        `);
        const provider = await project.preview();
        expect(provider.stderr).toMatch(
            /registryAuth\[0\]\.adress .*ProviderRegistryAuth has no such property/,
        );

        project.program(
            `${DOCKER} new docker.Image("image", { imageName: "no-registry", build: { args: { a: 1 } } });`,
        );
        const image = await project.preview();
        expect(image.stderr).toMatch(/build\.args\["a"\] .*has to be a string, and is a number/);
        expect(image.stderr).toMatch(/imageName .*has to be fully qualified/);
    });

    test("replaces a container when its command changes, not when its memory does", async () => {
        const image = await bed.image("nosh");
        const { Id: imageId } = await bed.docker.getImage(image).inspect();
        const program = (seconds: number, memory: number) => `
            const container = new docker.Container("job", {
                image: "${imageId}", command: ["/bin/sleep", "${seconds}"], memory: ${memory}, memorySwap: ${memory},
            });
            exports.id = container.id;
        `;
        await setUp(program(600, 32));
        await expectOk(project.up());
        const { id: first } = await project.outputs();
        project.program(DOCKER + program(600, 48));
        await expectOk(project.up());
        expect((await project.outputs()).id).toBe(first);
        expect((await bed.docker.getContainer(first).inspect()).HostConfig.Memory).toBe(48 * 1024 * 1024);
        project.program(DOCKER + program(601, 48));
        await expectOk(project.up());
        const { id: second } = await project.outputs();
        expect(second).not.toBe(first);
        await expect(bed.docker.getContainer(first).inspect()).rejects.toThrow(/no such container/);
        await destroy();
    });

    test("does what the real plugin does with a container that ends", async () => {
        const image = await bed.image("nosh");
        const { Id: imageId } = await bed.docker.getImage(image).inspect();
        await setUp(`new docker.Container("job", { image: "${imageId}", command: ["/bin/false"] });`);
        const failed = await project.up();
        expect(failed.code).not.toBe(0);
        expect(failed.stdout).toContain("container exited immediately");
        expect((await bed.contents()).containers).toEqual([]);

        const may = (command: string) => `
            const container = new docker.Container("job", {
                image: "${imageId}", command: ["${command}"], mustRun: false, attach: true, logs: true,
            });
            exports.code = container.exitCode;
        `;
        project.program(DOCKER + may("/bin/false"));
        await expectOk(project.up());
        expect((await project.outputs()).code).toBe(1);
        // Only one that may end survives a refresh.
        await expectOk(project.pulumi(["refresh", "--yes", "--skip-preview", "--stack", "dev"]));
        expect((await bed.contents()).containers).toHaveLength(1);
        await destroy();
    });

    test("keeps the image's id: a container that is given a name is replaced each time", async () => {
        await setUp(
            `exports.id = new docker.Container("job", { image: "${await bed.image("nosh")}", command: ["/bin/sleep", "60"] }).id;`,
        );
        await expectOk(project.up());
        const { id } = await project.outputs();
        await expectOk(project.up());
        expect((await project.outputs()).id).not.toBe(id);
        await destroy();
    });

    test("forgets a container that has gone", async () => {
        const { Id: imageId } = await bed.docker.getImage(await bed.image("nosh")).inspect();
        await setUp(
            `exports.id = new docker.Container("job", { image: "${imageId}", command: ["/bin/sleep", "60"] }).id;`,
        );
        await expectOk(project.up());
        await bed.docker.getContainer((await project.outputs()).id).remove({ force: true });
        await expectOk(project.pulumi(["refresh", "--yes", "--skip-preview", "--stack", "dev"]));
        expect((await project.state()).map(({ type }) => type)).not.toContain(
            "docker:index/container:Container",
        );
    });

    test("marks what was secret among the inputs", async () => {
        const { Id: imageId } = await bed.docker.getImage(await bed.image("nosh")).inspect();
        await setUp(`
            new docker.Container("job", {
                image: "${imageId}", command: ["/bin/sleep", "60"], envs: [pulumi.secret("PASSWORD=hunter2")],
            });
        `);
        await expectOk(project.up());
        expect(JSON.stringify(await project.state())).not.toContain("hunter2");
        await destroy();
    });

    const destroy = async () => {
        const { code, stdout } = await project.pulumi([
            "destroy",
            "--yes",
            "--skip-preview",
            "--stack",
            "dev",
        ]);
        expect({ code, stdout }).toMatchObject({ code: 0 });
        expect((await bed.contents()).containers).toEqual([]);
    };
});

describeDocker("an image that the stand-in builds", (bed) => {
    let project: Project;
    let registry: Awaited<ReturnType<DockerBed["registry"]>>;
    beforeAll(async () => {
        registry = await bed.registry();
        await bed.image("busybox");
    });
    afterAll(() => registry.stop());
    afterEach(() => project?.dispose());

    const program = (more = "") => `
        const image = new docker.Image("image", {
            imageName: "${registry.address}/team/job:v1",
            build: { context: "app", args: { GREETING: "hello" }, builderVersion: "BuilderV1" },
            registry: { server: "${registry.address}", username: "${registry.username}", password: pulumi.secret("${registry.password}") },
            ${more}
        });
        exports.repoDigest = image.repoDigest;
        exports.imageName = image.imageName;
    `;
    const setUp = async (
        text: string,
        dockerfile = "FROM stackrun.test/busybox:1\nARG GREETING\nRUN echo $GREETING > /greeting && ls /app || true\nCOPY . /app\n",
    ) => {
        const files = {
            "app/Dockerfile": dockerfile,
            "app/a.txt": "1",
            "app/left-out.txt": "1",
            "app/.dockerignore": "left-out*\n",
        };
        const options = { plugins: dockerPlugin, env: { DOCKER_HOST: bed.host } };
        project = await Project.create(files, DOCKER + text, options);
    };

    test("is pushed with the given password, built again only when its context changes", async () => {
        await setUp(program());
        const preview = await project.preview();
        expect(preview.code).toBe(0);
        expect((await bed.contents()).images.join()).not.toContain("team/job");

        const up = await project.up();
        expect(up.stderr + (up.code === 0 ? "" : up.stdout)).toBe("");
        expect(up.stdout).toMatch(/RUN echo \$GREETING/);
        const { repoDigest, imageName } = await project.outputs();
        expect(imageName).toBe(`${registry.address}/team/job:v1`);
        expect(repoDigest).toBe(`${registry.address}/team/job@${await registry.digestOf("team/job", "v1")}`);
        expect(await runIn(bed, imageName, ["sh", "-c", "cat /greeting; ls -1 /app"])).toBe(
            "hello\nDockerfile\na.txt\n",
        );
        expect(JSON.stringify(await project.state())).not.toContain(registry.password);

        project.write({ "app/left-out.txt": "2" });
        await expectOk(project.up(["--expect-no-changes"]));
        project.write({ "app/a.txt": "2" });
        expect((await project.up()).stdout).toMatch(/RUN echo \$GREETING/);
        expect((await project.outputs()).repoDigest).not.toBe(repoDigest);
        await expectOk(project.pulumi(["destroy", "--yes", "--skip-preview", "--stack", "dev"]));
    });

    test("fails with the builder's last lines", async () => {
        await setUp(
            program("skipPush: true,"),
            "FROM stackrun.test/busybox:1\nRUN echo before && nonsense\n",
        );
        const { code, stdout } = await project.up();
        expect(code).not.toBe(0);
        expect(stdout).toContain("returned a non-zero code: 127");
        expect(stdout).toContain("nonsense: not found");
    });

    test("can't be pushed with a wrong password", async () => {
        await setUp(program().replace(registry.password, "wrong"));
        const { code, stdout } = await project.up();
        expect(code).not.toBe(0);
        expect(stdout).toMatch(/can't be pushed: .*(unauthorized|no basic auth)/);
    });

    test("is built without a push, and then known by its id", async () => {
        await setUp(program("skipPush: true,"));
        await expectOk(project.up());
        const { repoDigest, imageName } = await project.outputs();
        expect(repoDigest).toBe((await bed.docker.getImage(imageName).inspect()).Id);
    });

    test("is pulled again with the provider's password", async () => {
        await setUp(program());
        await expectOk(project.up());
        const { repoDigest, imageName } = await project.outputs();
        await bed.docker.getImage(imageName).remove({ force: true });
        project.program(`${DOCKER}
            const provider = new docker.Provider("docker", {
                host: "${bed.host}",
                registryAuth: [{ address: "${registry.address}", username: "${registry.username}", password: "${registry.password}" }],
            });
            const image = new docker.RemoteImage("pulled", { name: "${repoDigest}" }, { provider });
            exports.digest = image.repoDigest;
        `);
        await expectOk(project.up());
        expect((await project.outputs()).digest).toBe(repoDigest);
        await expectOk(project.pulumi(["destroy", "--yes", "--skip-preview", "--stack", "dev"]));
        expect((await bed.contents()).images.join()).not.toContain("team/job");
    });
});

async function expectOk(command: Promise<CommandResult>): Promise<void> {
    const { code, stdout, stderr } = await command;
    expect(code === 0 ? "" : `${stdout}${stderr}`).toBe("");
}

async function runIn(bed: DockerBed, image: string, command: string[]): Promise<string> {
    const container = await bed.docker.createContainer({ Image: image, Cmd: command, Tty: true });
    await container.start();
    await container.wait();
    const output = (await container.logs({ stdout: true, stderr: true, follow: false })).toString("utf8");
    await container.remove();
    return output.replaceAll("\r", "");
}
