import * as fs from "node:fs";
import * as path from "node:path";
import { projectOfExample } from "../support/example";
import type { Project } from "../support/project";

const runsOf = (project: Project) => {
    const folder = path.join(project.dir, ".stackrun/runs");
    return fs.existsSync(folder) ? fs.readdirSync(folder).sort() : [];
};
const UNCHANGED = /^\s+[+~-]/m;

describe("embed-outputs", () => {
    let project: Project;
    beforeAll(async () => {
        project = await projectOfExample("embed-outputs");
    }, 120_000);
    afterAll(() => project.dispose());

    it("previews with inputs that are not known yet, and starts nothing", async () => {
        const preview = await project.preview();
        expect(preview.stdout).toMatch(/rows +: \[unknown\]/);
        expect(preview.code).toBe(0);
        expect(runsOf(project)).toEqual([]);
    }, 60_000);

    it("runs one pipeline between other resources, and the next one after it", async () => {
        const up = await project.up();
        expect([up.stdout, up.code]).toEqual([expect.stringContaining("loading from ***"), 0]);
        const outputs = await project.outputs();
        expect(outputs).toMatchObject({ status: "Succeeded", rows: 4, metrics: { mean: { mean: 15 } } });
        expect(fs.readFileSync(outputs.notice, "utf8")).toBe("the mean sale is 15");
        expect(runsOf(project)).toHaveLength(2);
        // The address of the database is a secret from end to end.
        expect(project.checkpoint().text).not.toMatch(/loader:[0-9a-f]{16}/);
    }, 60_000);

    it("runs nothing again as long as nothing changes, and both when the data do", async () => {
        const same = await project.up();
        expect([same.stdout.split("Resources:")[1], same.code]).toEqual([
            expect.not.stringMatching(UNCHANGED),
            0,
        ]);
        expect(runsOf(project)).toHaveLength(2);

        const file = "load/sales.csv";
        project.write({ [file]: `${project.read(file)}2026-01-05,40\n` });
        expect((await project.up()).code).toBe(0);
        expect(runsOf(project)).toHaveLength(4);
        const { rows, notice } = await project.outputs();
        expect([rows, fs.readFileSync(notice, "utf8")]).toEqual([5, "the mean sale is 20"]);
    }, 90_000);
});

describe("embed-sweep", () => {
    let project: Project;
    beforeAll(async () => {
        project = await projectOfExample("embed-sweep");
    }, 120_000);
    afterAll(() => project.dispose());

    it("runs once for each set of parameters, picks the best, and lets one diverge", async () => {
        const up = await project.up();
        expect([up.stderr, up.code]).toEqual(["", 0]);
        const { tried, best } = await project.outputs();
        expect(tried.map(({ rate, status }: { rate: number; status: string }) => [rate, status])).toEqual([
            [0.02, "Succeeded"],
            [0.1, "Succeeded"],
            [1.1, "Failed"],
        ]);
        expect(best).toEqual(tried[1]);
        expect(runsOf(project)).toHaveLength(3);
    }, 60_000);

    it("runs only the set that was added, and drops the one that was taken away", async () => {
        await project.expectOk(["config", "set", "--stack", "dev", "rates", "[0.02, 0.1, 0.5]"]);
        expect((await project.up()).code).toBe(0);
        const { best } = await project.outputs();
        expect(best).toMatchObject({ rate: 0.5, status: "Succeeded", loss: 0 });
        expect(runsOf(project)).toHaveLength(4);
        const names = project.state().map(({ urn }) => urn.split("::").pop());
        expect(names.filter((name) => name?.startsWith("sweep-1.1"))).toEqual([]);
    }, 90_000);
});

describe("embed-typescript", () => {
    let project: Project;
    beforeAll(async () => {
        project = await projectOfExample("embed-typescript");
        // Pulumi's template asks for TypeScript 5; this repository's is 6, which wants to hear that "node" is meant.
        const tsconfig = JSON.parse(project.read("tsconfig.json")) as { compilerOptions: object };
        const compilerOptions = { ...tsconfig.compilerOptions, ignoreDeprecations: "6.0" };
        project.write({ "tsconfig.json": JSON.stringify({ ...tsconfig, compilerOptions }) });
    }, 120_000);
    afterAll(() => project.dispose());

    it("runs a pipeline that is written in TypeScript", async () => {
        const up = await project.up();
        expect(up.code === 0 ? "" : up.stdout).toBe("");
        const outputs = await project.outputs();
        expect(outputs).toMatchObject({ status: "Succeeded", found: 8 });
        expect(fs.readFileSync(outputs.file, "utf8").split("\n")).toContain("pipeline");
    }, 90_000);

    it("is told by the compiler what is wrong", async () => {
        const program = project.read("index.ts").replace("shortest: config", "onFailure: config");
        project.write({ "index.ts": program.replace('code: "text"', "code: 1") });
        const up = await project.up();
        expect(up.code).not.toBe(0);
        expect(up.stdout).toContain("Type 'number' is not assignable to type 'string'");
    }, 60_000);
});
