import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { extendProject } from "../../../src/cli/init/projectFile";
import { PLUGIN } from "../../../src/cli/init/templates";
import { loadPipelineFile } from "../../../src/pipeline/load";
import { version } from "../../../src/version";
import { stackrun } from "../../support/cli";
import { useFolder } from "../../support/folder";

describe("stackrun init", () => {
    const folder = useFolder();
    const at = (name: string) => path.join(folder(), name);
    const read = (name: string) => fs.readFileSync(at(name), "utf8");
    const init = (...args: string[]) => stackrun(folder(), ["init", ...args]);
    const contents = () =>
        Object.fromEntries(
            fs
                .readdirSync(folder(), { recursive: true, withFileTypes: true })
                .filter((entry) => entry.isFile())
                .map((entry) => path.relative(folder(), path.join(entry.parentPath, entry.name)))
                .map((name) => [name, read(name)]),
        );

    it("makes a project in a new folder, and says what to do next", () => {
        const { code, stdout, stderr } = init("my demo");
        expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
        expect(stdout).toContain("  cd 'my demo'\n  npm install\n");
        const manifest = JSON.parse(read("my demo/package.json"));
        expect(manifest.dependencies["@pulumi/pulumi"]).toMatch(/^\^3/);
        expect(manifest.dependencies.stackrun).toMatch(new RegExp(`^(\\^${version}|file:.+)$`));
        expect(manifest.devDependencies.typescript).toBeDefined();
        expect(parse(read("my demo/Pulumi.yaml"))).toEqual({
            name: "my-demo",
            description: expect.any(String),
            runtime: "nodejs",
            main: "index.ts",
            plugins: { providers: [PLUGIN] },
        });
        const pipeline = loadPipelineFile(at("my demo/pipeline.yaml"));
        expect(pipeline.steps.map(({ name, outputs }) => [name, outputs])).toEqual([
            ["generate", ["numbers.txt"]],
            ["summarize", []],
        ]);
        for (const name of ["index.ts", "tsconfig.json", ".gitignore", ".stackrunignore"]) {
            expect(fs.existsSync(at(`my demo/${name}`))).toBe(true);
        }
    });

    it("makes a program in JavaScript when told so, or when TypeScript would not run", () => {
        init("a", "--javascript");
        expect(read("a/Pulumi.yaml")).toContain("typescript: false\nmain: index.js\n");
        expect(read("a/index.js")).toContain('require("stackrun")');
        expect(fs.existsSync(at("a/tsconfig.json"))).toBe(false);
        fs.mkdirSync(at("b"));
        fs.writeFileSync(at("b/package.json"), '{"type": "module"}');
        init("b");
        expect(read("b/index.js")).toContain('from "stackrun"');
        expect(read("b/package.json")).toBe('{"type": "module"}');
        fs.mkdirSync(at("c"));
        fs.writeFileSync(at("c/package.json"), '{"type": "module"}');
        expect(init("c", "--typescript")).toMatchObject({
            code: 2,
            stderr: expect.stringContaining("--javascript"),
        });
        expect(fs.readdirSync(at("c"))).toEqual(["package.json"]);
    });

    it("changes nothing the second time", () => {
        init();
        const before = contents();
        const { code, stdout } = init();
        expect(stdout).toContain("everything is there already: nothing was changed");
        expect(code).toBe(0);
        expect(contents()).toEqual(before);
    });

    it("overwrites nothing of a folder without a Pulumi.yaml, and lists what it left", () => {
        const files = {
            "package.json": '{"name": "mine", "dependencies": {"typescript": "5"}}',
            "index.ts": "console.log(1);\n",
            ".gitignore": "dist\n",
            "pipeline.yaml": "name: mine\nsteps: [{name: a, run: ls}]\n",
        };
        Object.entries(files).forEach(([name, text]) => fs.writeFileSync(at(name), text));
        const { stdout } = init();
        expect(contents()).toMatchObject(files);
        expect(stdout).toContain("left as is package.json, pipeline.yaml, .gitignore\n");
        expect(stdout).toContain("put .stackrun/ into .gitignore");
        expect(stdout).toMatch(/npm install @pulumi\/pulumi@\S+ stackrun@\S+ @types\/node@\S+\n/);
        expect(parse(read("Pulumi.yaml"))).toMatchObject({ main: "stack.ts" });
        expect(read("stack.ts")).toContain("LocalOrchestrator");
        expect(fs.existsSync(at("steps"))).toBe(false);
    });

    it("extends an existing project, and says how its program uses stackrun", () => {
        const project = "# ours\nname: infra\nruntime: nodejs   # 20\nmain: src/\n";
        fs.mkdirSync(at("src"));
        fs.writeFileSync(at("src/index.ts"), "export const x = 1;\n");
        fs.writeFileSync(at("tsconfig.json"), "{}");
        fs.writeFileSync(at("package.json"), '{"dependencies": {"@pulumi/pulumi": "^3"}}');
        fs.writeFileSync(at("Pulumi.yaml"), project);
        const { code, stdout } = init();
        expect(code).toBe(0);
        expect(stdout).toContain("extended   Pulumi.yaml (stackrun's plugin)\n");
        expect(stdout).toContain('import { LocalOrchestrator } from "stackrun";');
        expect(stdout).toMatch(/npm install stackrun@\S+\n/);
        expect(read("Pulumi.yaml").startsWith(project)).toBe(true);
        expect(parse(read("Pulumi.yaml"))).toMatchObject({ plugins: { providers: [PLUGIN] } });
        expect(read("src/index.ts")).toBe("export const x = 1;\n");
        expect(fs.readdirSync(folder()).sort()).toEqual(
            [".gitignore", ".stackrunignore", "Pulumi.yaml", "package.json"].concat([
                "pipeline.yaml",
                "src",
                "steps",
                "tsconfig.json",
            ]),
        );
    });

    it.each([
        [
            "another runtime",
            { "Pulumi.yaml": "name: x\nruntime: {name: python}\n" },
            "the runtime of this project is python",
        ],
        ["no YAML", { "Pulumi.yaml": "name: [\n" }, "can't be extended"],
        ["plugins of another kind", { "Pulumi.yaml": "name: x\nruntime: nodejs\nplugins: [a]\n" }, "by hand"],
        [
            "a missing program folder",
            { "Pulumi.yaml": "name: x\nruntime: nodejs\nmain: src\n" },
            "src, which is not there",
        ],
        ["Pulumi.json", { "Pulumi.json": "{}" }, "Pulumi.json is not extended"],
        ["a broken package.json", { "package.json": "{" }, "package.json can't be read"],
    ])("refuses %s, and writes nothing", (_, files, message) => {
        Object.entries(files).forEach(([name, text]) => fs.writeFileSync(at(name), text));
        const { code, stdout, stderr } = init();
        expect(stderr).toContain(message);
        expect(stderr).not.toMatch(/^\s+at /m);
        expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
        expect(contents()).toEqual(files);
    });

    it("refuses a file instead of a folder, and two languages", () => {
        fs.writeFileSync(at("file"), "");
        expect(init("file")).toMatchObject({ code: 2, stderr: expect.stringContaining("is not a folder") });
        expect(init("--typescript", "--javascript")).toMatchObject({ code: 2 });
        expect(fs.readdirSync(folder())).toEqual(["file"]);
    });
});

describe("the plugin's entry in Pulumi.yaml", () => {
    const HEAD = "name: x # the name\n\n# how\nruntime:\n    name: nodejs\n";
    const extended = (text: string) => extendProject(text, "Pulumi.yaml").text ?? "";

    it.each([
        ["no plugins", HEAD],
        ["no line end", "name: x\nruntime: nodejs"],
        ["an end of the document", `${HEAD}...\n`],
        ["empty plugins", `${HEAD}plugins:\n`],
        ["one in a flow", "{name: x, runtime: nodejs}\n"],
        [
            "other providers",
            `${HEAD}plugins:\n    providers:\n        # theirs\n        - name: other\n          path: ./other\n`,
        ],
        [
            "other kinds of plugins",
            `${HEAD}plugins:\n    languages:\n        - name: go\n          path: ./go\n`,
        ],
        [
            "providers not indented",
            `${HEAD}plugins:\n    providers:\n    - name: other\n      path: ./other\n`,
        ],
    ])("is added to a file with %s", (_, text) => {
        const result = extended(text);
        const before = parse(text) as { plugins?: { providers?: unknown[] } };
        expect(parse(result)).toEqual({
            ...before,
            plugins: { ...before.plugins, providers: [...(before.plugins?.providers ?? []), PLUGIN] },
        });
        // Every line that was there is there still, comments too.
        const kept = text.split("\n").filter((line) => line !== "" && !/^(plugins:|\.\.\.|\{.*)$/.test(line));
        expect(result.split("\n")).toEqual(expect.arrayContaining(kept));
        const again = extendProject(result, "Pulumi.yaml");
        expect([again.text, again.pluginPath]).toEqual([undefined, PLUGIN.path]);
    });

    it("keeps line ends", () => {
        const result = extended("name: x\r\nruntime: nodejs\r\n");
        expect(result.replaceAll("\r\n", "")).not.toContain("\n");
    });

    it("stays as it is, wherever it leads", () => {
        const text = `${HEAD}plugins: {providers: [{name: stackrun, path: ./bin}]}\n`;
        const again = extendProject(text, "Pulumi.yaml");
        expect([again.text, again.pluginPath]).toEqual([undefined, "./bin"]);
    });
});
