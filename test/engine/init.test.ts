import * as fs from "node:fs";
import * as path from "node:path";
import { linkDependencies } from "../support/initProject";
import { Project } from "../support/project";

/** A folder as `stackrun init` leaves it, then what it tells the user to do. */
describe("a project made by `stackrun init`", () => {
    let project: Project;
    beforeEach(async () => {
        project = await Project.create({});
        for (const name of fs.readdirSync(project.dir).filter((one) => ![".home", ".state"].includes(one))) {
            fs.rmSync(path.join(project.dir, name), { recursive: true });
        }
    }, 120_000);
    afterEach(() => project.dispose());

    const runs = () => fs.readdirSync(path.join(project.dir, ".stackrun/runs"));
    const made = () => fs.readdirSync(project.dir).filter((name) => name !== "node_modules");

    it.each(["--typescript", "--javascript"])(
        "runs with `pulumi up` at once, and once more has nothing to do: %s",
        async (language) => {
            expect(await project.stackrun(["init", language])).toMatchObject({ code: 0, stderr: "" });
            linkDependencies(project.dir);
            await project.expectOk(["stack", "init", "dev"]);
            const up = await project.up();
            expect(up.stdout).not.toMatch(/warning|error/i);
            expect(up).toMatchObject({ code: 0, stderr: expect.not.stringMatching(/warning|error/i) });
            const outputs = await project.outputs();
            expect(outputs).toMatchObject({ status: "Succeeded", metrics: { summarize: { mean: 38.5 } } });
            expect(Object.keys(outputs.artifacts as object)).toEqual(["generate/numbers.txt"]);

            const files = made();
            expect(await project.stackrun(["init", language])).toMatchObject({
                code: 0,
                stdout: expect.stringContaining("nothing was changed"),
            });
            expect(made()).toEqual(files);
            expect(await project.up()).toMatchObject({ code: 0 });
            expect(runs()).toEqual([outputs.runId]);

            await project.expectOk(["config", "set", "count", "2", "--stack", "dev"]);
            expect(await project.up()).toMatchObject({ code: 0 });
            expect((await project.outputs()).metrics).toEqual({ summarize: { mean: 2.5 } });
            expect(await project.pulumi(["destroy", "--yes", "--stack", "dev"])).toMatchObject({ code: 0 });
        },
        180_000,
    );

    it("is added to a project that is there, whose program takes it up", async () => {
        project.write({
            "Pulumi.yaml":
                "# ours\nname: infra\nruntime:\n    name: nodejs\n    options: {typescript: false}\n",
            "index.js": 'exports.before = "there";\n',
            "package.json": '{"name": "infra", "private": true, "dependencies": {"@pulumi/pulumi": "^3"}}',
        });
        const { code, stdout } = await project.stackrun(["init"]);
        expect(code).toBe(0);
        expect(project.read("Pulumi.yaml")).toMatch(/^# ours\nname: infra\n/);
        linkDependencies(project.dir);
        // The program as init proposes it, copied from its output.
        const lines = stdout.slice(stdout.indexOf("In your program:")).split("\n\nnext:")[0] ?? "";
        const proposed = lines
            .split("\n")
            .slice(1)
            .map((line) => line.slice(2));
        project.write({
            "index.js": `exports.before = "there";\n${proposed.join("\n")}\nexports.status = run.status;\n`,
        });
        await project.expectOk(["stack", "init", "dev"]);
        expect(await project.up()).toMatchObject({ code: 0 });
        expect(await project.outputs()).toEqual({ before: "there", status: "Succeeded" });
        const again = await project.stackrun(["init"]);
        expect(again.stdout).not.toContain("In your program:");
    }, 120_000);
});
