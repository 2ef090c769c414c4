import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Project } from "../support/project";

const POLICY_SDK = "1.21.0";
const PACK = `
const { PolicyPack } = require("@pulumi/policy");
const validateResource = ({ type, props }, report) => {
    if (type === "stackrun:index:Run" && props.parallelism > 1) report("one step at a time");
};
const alone = { name: "alone", description: "no two steps", enforcementLevel: "mandatory", validateResource };
new PolicyPack("house", { policies: [alone] });
`;
const program = (parallelism: number) => `exports.status =
    new stackrun.LocalOrchestrator("job", { pipeline: "pipeline.yaml", parallelism: ${parallelism} }).status;`;

/** Pulumi's SDK for policies, installed once and kept in the cache that the engine has too. */
function policyModules(): string {
    const cache = process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache");
    const dir = path.join(cache, "stackrun", "test-policy", POLICY_SDK);
    const modules = path.join(dir, "node_modules");
    if (!fs.existsSync(path.join(modules, "@pulumi/policy/package.json"))) {
        fs.mkdirSync(dir, { recursive: true });
        const args = ["install", "--prefix", dir, "--no-audit", "--no-fund", "--no-save", "--ignore-scripts"];
        execFileSync("npm", [...args, `@pulumi/policy@${POLICY_SDK}`], { cwd: dir, stdio: "ignore" });
    }
    return modules;
}

describe("a policy pack", () => {
    let project: Project;
    beforeAll(async () => {
        const modules = policyModules();
        project = await Project.create(
            { "pipeline.yaml": "name: p\nsteps: [{name: one, run: 'true'}]\n" },
            program(3),
        );
        project.write({
            ".home/policy/PulumiPolicy.yaml": "runtime: nodejs\n",
            ".home/policy/package.json": JSON.stringify({
                name: "house",
                version: "0.0.1",
                main: "index.js",
            }),
            ".home/policy/index.js": PACK,
        });
        fs.symlinkSync(modules, path.join(project.dir, ".home/policy/node_modules"));
    }, 300_000);
    afterAll(() => project.dispose());

    it("stops a run before it starts, and lets another one through", async () => {
        const refused = await project.up(["--policy-pack", ".home/policy"]);
        expect(refused.stdout).toContain("one step at a time");
        expect(refused.code).not.toBe(0);
        expect(refused.stdout).not.toContain("Step job.one");

        project.program(program(1));
        const up = await project.up(["--policy-pack", ".home/policy"]);
        expect(up.code === 0 ? "" : up.stdout).toBe("");
        expect(await project.outputs()).toEqual({ status: "Succeeded" });
    }, 120_000);
});
