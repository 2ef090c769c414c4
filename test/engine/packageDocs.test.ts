import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { linkModules } from "../support/example";
import { Project, REPO } from "../support/project";

// The first snippet of docs/testing.md, as a user would paste it beside a program.
describe("docs/testing.md", () => {
    let project: Project;
    beforeAll(async () => {
        project = await Project.create({
            "pipeline.yaml": "name: train\nparams: {horizon: 7}\nsteps: [{name: train, run: 'true'}]\n",
        });
        linkModules(project.dir, { stackrun: REPO });
    }, 120_000);
    afterAll(() => project.dispose());

    const test = (horizon: number) => {
        const snippet = /```js\n([\s\S]*?)```/.exec(
            fs.readFileSync(path.join(REPO, "docs/testing.md"), "utf8"),
        );
        const program = `const { LocalOrchestrator } = require("stackrun");
            new LocalOrchestrator("train", { pipeline: "pipeline.yaml", params: { horizon: ${horizon} } });`;
        project.write({ "index.js": program, "index.test.js": snippet?.[1] ?? "" });
        // Without the variable by which a runner of tests tells one inside it.
        const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
        return spawnSync(process.execPath, ["--test", "index.test.js"], {
            cwd: project.dir,
            encoding: "utf8",
            env,
        });
    };

    it("has a test that passes, and that fails when the program is another", () => {
        const good = test(14);
        expect(good.status === 0 ? "" : good.stdout).toBe("");
        expect(good.stdout).toMatch(/pass 1\b/);
        expect(test(15).status).not.toBe(0);
    }, 60_000);
});
