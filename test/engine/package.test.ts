import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { REPO } from "../support/project";

// The built package, as another project sees it.
describe("the package", () => {
    let dir: string;
    beforeAll(() => {
        dir = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-package-"));
        fs.mkdirSync(path.join(dir, "node_modules"));
        fs.symlinkSync(REPO, path.join(dir, "node_modules/stackrun"));
    });
    afterAll(() => fs.rmSync(dir, { recursive: true }));

    const node = (file: string, code: string): string => {
        fs.writeFileSync(path.join(dir, file), code);
        return execFileSync(process.execPath, [file], { cwd: dir, encoding: "utf8" }).trim();
    };

    it("can be required, and imported by name", () => {
        const show = "console.log(typeof LocalOrchestrator, typeof Orchestrator, typeof definePipeline)";
        expect(
            node(
                "a.js",
                `const { LocalOrchestrator, Orchestrator, definePipeline } = require("stackrun"); ${show}`,
            ),
        ).toBe("function function function");
        expect(
            node(
                "a.mjs",
                `import { LocalOrchestrator, Orchestrator, definePipeline } from "stackrun"; ${show}`,
            ),
        ).toBe("function function function");
    }, 60_000);

    it("loads no cloud's SDK, no archiver and no command with the local orchestrator", () => {
        const loaded = node(
            "b.js",
            'require("stackrun"); console.log(Object.keys(require.cache).join("\\n"))',
        ).split("\n");
        expect(loaded.some((file) => file.includes("/@pulumi/pulumi/"))).toBe(true);
        expect(
            loaded.filter((file) =>
                /@pulumi\/(gcp|kubernetes|docker|aws)|client-node|@google-cloud|archiver|commander/.test(
                    file,
                ),
            ),
        ).toEqual([]);
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
        const sources = ["src", "components", "stacks"]
            .flatMap((folder) => sourceText(path.join(REPO, folder)))
            .join("\n");
        const unused = Object.keys(manifest.dependencies).filter(
            (name) => !new RegExp(`["']${name}(/[^"']*)?["']`).test(sources),
        );
        expect(unused).toEqual([]);
    });
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
