import * as path from "node:path";
import { stackrun } from "../support/cli";
import { describeDocker } from "../support/docker/lane";
import { Project } from "../support/project";
import { dockerPlugin } from "../support/standIns";
import { leftIn } from "./project";

const PIPELINE = `
name: cli
steps:
  - {name: only, run: 'echo "in $(cat /etc/hostname) as $(id -u)"; cp code.txt "$STACKRUN_OUTPUTS/out"', outputs: [out]}
`;

describeDocker("stackrun run -o docker", (bed) => {
    let project: Project;
    beforeAll(async () => {
        project = await Project.create({ "pipeline.yaml": PIPELINE, "code.txt": "hello\n" });
    });
    afterAll(() => project?.dispose());

    // The engine takes a provider's plugin from PATH, where it is not installed.
    const run = (...args: string[]) =>
        stackrun(project.dir, args, {
            DOCKER_HOST: bed.host,
            PATH: `${dockerPlugin.docker}${path.delimiter}${process.env.PATH}`,
        });
    const inDocker = async (...more: string[]) =>
        run("run", "-o", "docker", "--image", await bed.image("busybox"), ...more);

    test("runs in a container, shows its log, and keeps the outputs on this machine", async () => {
        const { code, stdout, stderr } = await inDocker("--set", "memory=64m", "--set", "user=1234:1234");
        expect(code === 0 ? "" : stdout + stderr).toBe("");
        expect(stdout).toMatch(/only .* in [0-9a-f]{12} as 1234/);
        const status = JSON.parse(run("status", "--json").stdout) as { runId: string; status: string };
        expect(status.status).toBe("Succeeded");
        expect(project.read(`.stackrun/runs/${status.runId}/steps/only/outputs/out`)).toBe("hello\n");
        const [name] = (await bed.contents()).containers.filter((one) => one.includes(status.runId));
        const { HostConfig } = await bed.docker.getContainer(name ?? "").inspect();
        expect(HostConfig.Memory).toBe(64 << 20);
        expect((await inDocker("--set", "memory=64m", "--set", "user=1234:1234")).stdout).toContain(
            "nothing",
        );
    }, 180_000);

    test("refuses what Docker does not take, before anything is made", async () => {
        const { code, stderr } = await inDocker("--set", "namespace=jobs", "--set", "memory");
        expect(code).toBe(2);
        expect(stderr).toMatch(/--set "memory" is no assignment; allowed: NAME=VALUE/);
        expect(stderr).toMatch(/--set namespace is no argument of the orchestrator "docker"; allowed: /);
    });

    test("destroy leaves nothing in the daemon", async () => {
        const { code, stdout, stderr } = run("destroy", "--yes");
        expect(code === 0 ? "" : stdout + stderr).toBe("");
        expect(await leftIn(bed, project)).toEqual([]);
    }, 120_000);
});
