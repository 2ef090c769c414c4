import { execFileSync } from "node:child_process";
import * as path from "node:path";
import { nodeOf } from "../support/node";
import { Project, REPO } from "../support/project";

// The one that the tests run with is the oldest supported, 20.
const VERSIONS = ["22.23.3", "26.10.0"];

describe.each(VERSIONS)("with Node %s", (version) => {
    let project: Project;
    let node: string;
    beforeAll(async () => {
        node = nodeOf(version);
        project = await Project.create({
            "pipeline.yaml": "name: nodes\nsteps: [{name: one, run: node --version}]\n",
        });
    }, 300_000);
    afterAll(() => project.dispose());

    it("is loaded, and runs a pipeline by the command and by plain pulumi", async () => {
        const env = { PATH: `${path.dirname(node)}:${project.searchPath}` };
        const load = `console.log(typeof require(${JSON.stringify(path.join(REPO, "dist/src"))}).LocalOrchestrator)`;
        expect(execFileSync(node, ["-e", load], { cwd: REPO, encoding: "utf8" })).toBe("function\n");

        const run = await project.start(node, [path.join(REPO, "bin/stackrun"), "run"], env).ended;
        expect(run.code === 0 ? run.stdout : run.stderr).toContain(`v${version}`);

        const up = await project.up([], env);
        expect(up.stdout).toContain(`one | v${version}`);
        expect(up.code).toBe(0);
    }, 120_000);
});
