import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Project, REPO } from "../support/project";

// The one that the tests run with is the oldest supported, 20. npm ships Node itself.
const VERSIONS = ["22.23.3", "26.10.0"];

/** The program of a version of Node, installed once and kept in the cache that the engine has too. */
function nodeOf(version: string): string {
    const cache = process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache");
    const dir = path.join(cache, "stackrun", "test-node", version);
    const name = `node-${process.platform}-${process.arch}`;
    const file = path.join(dir, "node_modules", name, "bin/node");
    if (!fs.existsSync(file)) {
        fs.mkdirSync(dir, { recursive: true });
        const args = [
            "install",
            "--prefix",
            dir,
            "--no-audit",
            "--no-fund",
            "--no-save",
            `${name}@${version}`,
        ];
        execFileSync("npm", args, { cwd: dir, stdio: "ignore" });
    }
    return file;
}

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
