import * as fs from "node:fs";
import * as path from "node:path";
import { Project, REPO } from "../support/project";

/** This repository's own program, in a folder that looks like a clone of it: state goes there. */
describe("this repository as a Pulumi project", () => {
    let project: Project;
    beforeAll(async () => {
        const file = (name: string) => fs.readFileSync(path.join(REPO, name), "utf8");
        project = await Project.create({ ".gitignore": file(".gitignore") });
        project.write({ "Pulumi.yaml": file("Pulumi.yaml") });
        fs.symlinkSync(path.join(REPO, "dist"), path.join(project.dir, "dist"));
        // Not a link: the program's real folder is where the project is looked for.
        for (const name of ["bin", "examples"]) {
            fs.cpSync(path.join(REPO, name), path.join(project.dir, name), { recursive: true });
        }
        await project.expectOk(["stack", "init", "dev"]);
    }, 120_000);
    afterAll(() => project.dispose());

    const config = (...args: string[]) => project.expectOk(["config", "--stack", "dev", ...args]);
    const runs = () => {
        const folder = path.join(project.dir, ".stackrun/runs");
        return fs.existsSync(folder) ? fs.readdirSync(folder) : [];
    };

    it("refuses a bad configuration with all mistakes, and creates nothing", async () => {
        await config(
            "set-all",
            "--plaintext",
            "stackrun:pipelin=p.yaml",
            "--plaintext",
            "stackrun:wait=maybe",
            "--plaintext",
            "stackrun:parallelism=0",
        );
        const up = await project.up();
        const said = up.stdout + up.stderr;
        expect(said).toContain("stackrun:pipelin is not a key of this program");
        expect(said).toContain('did you mean "pipeline"?');
        expect(said).toContain('stackrun:parallelism is "0"; allowed: a whole number from 1');
        expect(said).toContain('stackrun:wait is "maybe"; allowed: true or false');
        expect(said).toContain("stackrun:pipeline is not set; try: pulumi config set stackrun:pipeline");
        expect(said).not.toMatch(/^\s+at /m);
        expect(up.code).not.toBe(0);
        expect(runs()).toEqual([]);
        expect(project.state().filter(({ type }) => type.startsWith("stackrun:"))).toEqual([]);
        for (const key of ["pipelin", "wait", "parallelism"]) {
            await config("rm", `stackrun:${key}`);
        }
    }, 60_000);

    it("runs the configured pipeline; another parameter is another run, which preview explains", async () => {
        await config("set", "stackrun:pipeline", "examples/weather/pipeline.yaml");
        expect(await project.up()).toMatchObject({ code: 0 });
        const first = await project.outputs();
        expect(first).toMatchObject({ status: "Succeeded", attempt: 1 });
        expect(runs()).toEqual([first.runId]);

        await config("set", "--path", "stackrun:params.horizon", "3");
        const preview = await project.preview();
        expect(preview.stdout).toMatch(/horizon/);
        expect(preview.code).toBe(0);
        expect(runs()).toEqual([first.runId]);
        expect(await project.up()).toMatchObject({ code: 0 });
        const second = await project.outputs();
        expect(second.status).toBe("Succeeded");
        expect(runs()).toEqual([first.runId, second.runId].sort());
        expect(JSON.parse(project.read(`.stackrun/runs/${second.runId}/run.json`)).params).toMatchObject({
            horizon: 3,
        });
    }, 90_000);
});
