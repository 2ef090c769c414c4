import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { installPacked, pack, type Packed } from "../support/packed";
import { Project, REPO } from "../support/project";

const NAMES = "LocalOrchestrator, Orchestrator, definePipeline";
const TEST_NAMES = "Recorder, startPlugin";
const TYPES =
    "typeof LocalOrchestrator, typeof Orchestrator, typeof definePipeline, typeof Recorder, typeof startPlugin";
const PROGRAM = `
import * as pulumi from "@pulumi/pulumi";
import { ${NAMES}, type Follower, type OrchestratorArgs, type RunSnapshot } from "stackrun";
import type { DurationSpec, EnvSpec, ImageBuildSpec, ParamSpec, PipelineSpec, ResourcesSpec, RetriesSpec, StepSpec } from "stackrun";
import { ${TEST_NAMES}, type Declared } from "stackrun/testing";

export const used = [Orchestrator, Recorder, startPlugin];
export type Used = [Follower, RunSnapshot, Declared];
// All that a pipeline is written with has a name.
const [timeout, env, retries]: [DurationSpec, EnvSpec, RetriesSpec] = ["2h", { A: 1 }, { limit: 2, delay: "10s" }];
const resources: ResourcesSpec = { cpu: 2 };
const step: StepSpec = { name: "one", run: "true", env, retries, resources, timeout };
const params: Record<string, ParamSpec> = { n: { type: "integer", minimum: 1 } };
const image: ImageBuildSpec = { build: { context: "." } };
export const spec: PipelineSpec = { name: "p", image, params, steps: [step] };
const args: OrchestratorArgs = { pipeline: definePipeline({ name: "p", steps: [{ name: "one", run: "true" }] }) };
const run = new LocalOrchestrator("typed", { ...args, params: { a: pulumi.output(1) } });
export const status: pulumi.Output<string> = run.status;
export const loss: pulumi.Output<number> = run.metrics.apply((metrics) => metrics.train.loss);
// @ts-expect-error: what is wrong has to be seen to be wrong, else the types were never found.
new LocalOrchestrator("typed", { ...args, onFailure: "ignore" });
`;

// What npm makes of this repository, as another project sees it.
describe("the package", () => {
    let dir: string;
    let packed: Packed;
    beforeAll(() => {
        dir = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-package-"));
        packed = pack(dir);
        installPacked(packed, dir);
    }, 120_000);
    afterAll(() => fs.rmSync(dir, { recursive: true }));

    const write = (file: string, content: string) => {
        fs.mkdirSync(path.dirname(path.join(dir, file)), { recursive: true });
        fs.writeFileSync(path.join(dir, file), content);
    };
    const node = (file: string, code: string): string => {
        write(file, code);
        return execFileSync(process.execPath, [file], { cwd: dir, encoding: "utf8" }).trim();
    };

    it("is small, and holds what is needed and nothing else", () => {
        expect(packed.size).toBeLessThan(2 * 1024 * 1024);
        expect(packed.files).toEqual(
            expect.arrayContaining([
                "README.md",
                "LICENSE",
                "bin/stackrun",
                "bin/pulumi-resource-stackrun",
                "dist/src/index.js",
                "dist/src/index.d.ts",
                "dist/src/testing/index.js",
                "dist/src/runner/main.sh",
                "src/engine/modules/pulumi/go.mod",
                "schema/pipeline.schema.json",
            ]),
        );
        const wanted =
            /^(dist|bin|schema|src\/engine\/modules)\/|^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/;
        expect(packed.files.filter((file) => !wanted.test(file))).toEqual([]);
        expect(packed.files.filter((file) => /\.map$|\.tsbuildinfo$|[^d]\.ts$|test\//.test(file))).toEqual(
            [],
        );
    });

    it("can be required, and imported by name", () => {
        const [main, test] = ["stackrun", "stackrun/testing"];
        const all = "function function function function function";
        const required = `const { ${NAMES} } = require("${main}"); const { ${TEST_NAMES} } = require("${test}");`;
        expect(node("a.js", `${required} console.log(${TYPES})`)).toBe(all);
        const imported = `import { ${NAMES} } from "${main}"; import { ${TEST_NAMES} } from "${test}";`;
        expect(node("a.mjs", `${imported} console.log(${TYPES})`)).toBe(all);
    }, 60_000);

    it.each([
        // The deprecated name of the one that Pulumi's template has.
        ["node", { module: "commonjs", moduleResolution: "node", ignoreDeprecations: "6.0" }, "commonjs"],
        ["nodenext, as an ES module", { module: "nodenext", moduleResolution: "nodenext" }, "module"],
        ["nodenext, as CommonJS", { module: "nodenext", moduleResolution: "nodenext" }, "commonjs"],
    ])(
        "has all its types with moduleResolution %s",
        (_name, options, type) => {
            write("typed/index.ts", PROGRAM);
            write("typed/package.json", JSON.stringify({ type }));
            const compilerOptions = {
                strict: true,
                noEmit: true,
                target: "es2022",
                types: ["node"],
                ...options,
            };
            write("typed/tsconfig.json", JSON.stringify({ compilerOptions, files: ["index.ts"] }));
            const tsc = path.join(REPO, "node_modules/typescript/bin/tsc");
            const result = spawnSync(process.execPath, [tsc, "-p", "typed", "--pretty", "false"], {
                cwd: dir,
                encoding: "utf8",
            });
            expect(result.stdout).toBe("");
            expect(result.status).toBe(0);
        },
        120_000,
    );

    it("loads no cloud's SDK, no archiver, no command and no ajv with the local orchestrator", () => {
        const list =
            'require("stackrun").definePipeline({ name: "p", steps: [{ name: "one", run: "true" }] }); console.log(Object.keys(require.cache).join("\\n"))';
        const loaded = node("b.js", list).split("\n");
        const unwanted =
            /@pulumi\/(gcp|kubernetes|docker|aws)|client-node|@google-cloud|archiver|commander|ajv|compileSchema|dist\/src\/testing/;
        expect(loaded.some((file) => file.includes("/@pulumi/pulumi/"))).toBe(true);
        expect(loaded.filter((file) => unwanted.test(file))).toEqual([]);
    }, 60_000);

    it("has the clouds' SDKs as optional peers, and no dependency that the product does not use", () => {
        const manifest = JSON.parse(fs.readFileSync(path.join(REPO, "package.json"), "utf8")) as {
            dependencies: Record<string, string>;
            peerDependencies: Record<string, string>;
            peerDependenciesMeta: Record<string, { optional: boolean }>;
        };
        const peers = Object.keys(manifest.peerDependencies);
        expect(peers).toEqual(
            expect.arrayContaining(["@pulumi/docker", "@pulumi/gcp", "@pulumi/kubernetes"]),
        );
        expect(peers.filter((name) => !manifest.peerDependenciesMeta[name]?.optional)).toEqual([]);
        const folders = ["src", "components", "stacks"];
        const sources = folders.flatMap((folder) => sourceText(path.join(REPO, folder))).join("\n");
        const unused = Object.keys(manifest.dependencies).filter(
            (name) => !new RegExp(`["']${name}(/[^"']*)?["']`).test(sources),
        );
        expect(unused).toEqual([]);
    });

    it("runs with plain pulumi: one entry in Pulumi.yaml finds the plugin in it", async () => {
        const plugins = { providers: [{ name: "stackrun", path: "node_modules/stackrun/bin" }] };
        const runtime = { name: "nodejs", options: { typescript: false } };
        const project = await Project.create({
            "Pulumi.yaml": JSON.stringify({ name: "test", runtime, plugins }),
            "pipeline.yaml": "name: packed\nsteps: [{name: one, run: echo from the package}]\n",
        });
        try {
            installPacked(packed, project.dir);
            // As a package manager may well do, without being asked: copies beside those of Pulumi's SDK.
            for (const name of ["@grpc/grpc-js", "google-protobuf"]) {
                const copy = path.join(project.dir, "node_modules/stackrun/node_modules", name);
                fs.cpSync(path.join(REPO, "node_modules", name), copy, { recursive: true });
            }
            project.write({
                "index.js": `
                    const { LocalOrchestrator } = require("stackrun");
                    exports.status = new LocalOrchestrator("job", { pipeline: "pipeline.yaml" }).status;
                `,
            });
            const up = await project.up();
            expect(up.stdout).toContain("one | from the package");
            expect(up.stdout + up.stderr).not.toContain("warning");
            expect([up.code, await project.outputs()]).toEqual([0, { status: "Succeeded" }]);
        } finally {
            project.dispose();
        }
    }, 120_000);
});

function sourceText(folder: string): string[] {
    return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
        const file = path.join(folder, entry.name);
        return entry.isDirectory()
            ? sourceText(file)
            : entry.name.endsWith(".ts")
              ? [fs.readFileSync(file, "utf8")]
              : [];
    });
}
