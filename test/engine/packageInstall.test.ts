import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { pack, projectWithPacked } from "../support/packed";
import type { Project } from "../support/project";

// Nothing is linked here: the dependencies are those that npm chooses.
describe("the package, installed by npm", () => {
    let dir: string;
    let project: Project;
    beforeAll(async () => {
        dir = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-install-"));
        project = await projectWithPacked(pack(dir));
    }, 300_000);
    afterAll(() => {
        project?.dispose();
        fs.rmSync(dir, { recursive: true });
    });

    it("is loaded, and has its command", async () => {
        const load = 'console.log(typeof require("stackrun").LocalOrchestrator)';
        expect(await project.start(process.execPath, ["-e", load]).ended).toMatchObject({
            stdout: "function\n",
            stderr: "",
        });
        const { version } = JSON.parse(project.read("node_modules/stackrun/package.json"));
        const command = await project.start("npx", ["stackrun", "--version"]).ended;
        expect([command.code, command.stdout]).toEqual([0, `${version}\n`]);
    }, 60_000);

    it("brings no cloud's SDK", () => {
        const installed = fs.readdirSync(path.join(project.dir, "node_modules/@pulumi"));
        expect(installed).toEqual(["pulumi"]);
    });

    it("runs a pipeline by plain pulumi, and by its command", async () => {
        const up = await project.up();
        expect(up.stdout).toContain("one | from the package");
        expect(up.stdout + up.stderr).not.toContain("warning");
        expect([up.code, await project.outputs()]).toEqual([0, { status: "Succeeded" }]);

        const env = { PULUMI_BACKEND_URL: undefined, PULUMI_CONFIG_PASSPHRASE: undefined };
        const run = await project.start("npx", ["stackrun", "run"], env).ended;
        expect(run.stdout).toContain("one  │ from the package");
        expect(run.code).toBe(0);
    }, 120_000);
});
