import * as path from "node:path";
import { describeDocker } from "../support/docker/lane";
import { followProgress } from "../support/docker/progress";
import { dockerPlugin } from "../support/standIns";
import { Project, until } from "../support/project";
import { destroy, upOk } from "./project";

const DOCKER = `const docker = require("@pulumi/docker");\n`;

describeDocker("what is rarely used of pulumi-resource-docker, the stand-in", (bed) => {
    let project: Project;
    const setUp = async (program: string, files: Record<string, string> = {}) => {
        const options = { plugins: dockerPlugin, env: { DOCKER_HOST: bed.host } };
        project = await Project.create(files, DOCKER + program, options);
    };
    afterEach(() => project?.dispose());

    test("refuses what it would not apply, and what the daemon is too old for", async () => {
        await setUp(`
            new docker.Container("job", {
                image: "x",
                healthcheck: { tests: ["CMD", "true"], startInterval: "1s" },
                mounts: [{ type: "volume", target: "/a" }, { type: "volume", target: "/x", volumeOptions: { subpath: "a" } }],
                networksAdvanced: [{ name: "n", gwPriority: 1, macAddress: "02:42:ac:11:00:02" }],
                uploads: [{ file: "/f", content: "x", owner: "me", group: "us" }],
                volumes: [{ containerPath: "/y", hostPath: "/y", selinuxRelabel: "no" }],
                cgroupParent: "/x",
            });
        `);
        const container = await project.preview();
        expect(container.code).not.toBe(0);
        for (const place of [
            "healthcheck.startInterval",
            "mounts[1].volumeOptions.subpath",
            "networksAdvanced[0].gwPriority",
            "networksAdvanced[0].macAddress",
            "uploads[0].owner",
            "uploads[0].group",
            "volumes[0].selinuxRelabel",
            "cgroupParent",
        ]) {
            expect(container.stderr).toContain(`${place} `);
        }
        expect(container.stderr).not.toContain("mounts[0]");

        project.program(`${DOCKER}
            const auth = { address: "x", authDisabled: true, username: "me", configFileContent: "{}" };
            const provider = new docker.Provider("docker", { host: "${bed.host}", context: "other", registryAuth: [auth] });
            new docker.Volume("volume", {}, { provider });
        `);
        const provider = await project.preview();
        expect(provider.code).not.toBe(0);
        expect(provider.stderr).toMatch(/context .*is not known to the stand-in/);
        expect(provider.stderr).toMatch(/registryAuth\[0\]\.authDisabled .*is not known to the stand-in/);
        expect(provider.stderr).toMatch(
            /registryAuth\[0\] .*one of username, configFile and configFileContent/,
        );
    });

    test("applies what of networks, volumes and uploads is rarely used", async () => {
        const { Id: imageId } = await bed.docker.getImage(await bed.image("busybox")).inspect();
        await setUp(`
            const network = new docker.Network("net", {});
            const container = new docker.Container("job", {
                image: "${imageId}",
                command: ["sh", "-c", "stat -c '%u:%g %a' /f /g; exec sleep 600"],
                networksAdvanced: [{ name: network.name, linkLocalIps: ["169.254.8.8"], driverOpts: ["com.example.a=b=c"] }],
                uploads: [
                    { file: "/f", content: "x", owner: "1234", group: "99", permissions: "0640" },
                    { file: "/g", contentBase64: "eA==", executable: true },
                ],
                volumes: [
                    { containerPath: "/here", hostPath: "/tmp", volumeName: "ignored", readOnly: true, selinuxRelabel: "Z" },
                    { containerPath: "/anonymous" },
                ],
            });
            exports.id = container.id;
            exports.network = network.name;
        `);
        await upOk(project);
        const { id, network } = await project.outputs();
        const info = await bed.docker.getContainer(id).inspect();
        expect(info.NetworkSettings.Networks[network]).toMatchObject({
            IPAMConfig: { LinkLocalIPs: ["169.254.8.8"] },
            DriverOpts: { "com.example.a": "b=c" },
        });
        expect(info.HostConfig.Binds).toEqual([expect.stringMatching(/^\/tmp.*:\/here:ro,Z$/)]);
        expect(info.Mounts).toContainEqual(
            expect.objectContaining({ Type: "volume", Destination: "/anonymous" }),
        );
        const log = async () => {
            const said = await bed.docker
                .getContainer(id)
                .logs({ stdout: true, stderr: true, follow: false });
            return said.toString("utf8");
        };
        // It is started, and has not yet said anything.
        let said = "";
        await until(
            async () => /1234:99 640\n[^]*0:0 744\n/.test((said = await log())),
            30_000,
            () => `what the container says of its files: ${said}`,
        );
        await destroy(project);
    });

    test.each(["configFile", "configFileContent"])("takes a registry's password from a %s", async (way) => {
        const registry = await bed.registry();
        try {
            const { address, username, password } = registry;
            const repo = `${address}/team/private`;
            await bed.docker.getImage(await bed.image("nosh")).tag({ repo, tag: "1" });
            const authconfig = { username, password, serveraddress: address };
            await followProgress(bed.docker, await bed.docker.getImage(`${repo}:1`).push({ authconfig }));
            await bed.docker.getImage(`${repo}:1`).remove();
            const auth = Buffer.from(`${username}:${password}`).toString("base64");
            const content = JSON.stringify({ auths: { [`http://${address}`]: { auth } } });
            await setUp("", { "docker.json": content });
            const value = way === "configFile" ? path.join(project.dir, "docker.json") : content;
            project.program(`${DOCKER}
                const registryAuth = [{ address: "${address}", ${way}: ${JSON.stringify(value)} }];
                const provider = new docker.Provider("docker", { host: "${bed.host}", registryAuth });
                exports.digest = new docker.RemoteImage("image", { name: "${repo}:1" }, { provider }).repoDigest;
            `);
            await upOk(project);
            expect((await project.outputs()).digest).toMatch(/^\S+\/team\/private@sha256:/);
            await destroy(project);
        } finally {
            await registry.stop();
        }
    });
});
