import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { linkModules } from "./example";
import { Project, REPO } from "./project";

/** What `npm pack` says of the package. */
export interface Packed {
    readonly tarball: string;
    readonly size: number;
    readonly files: readonly string[];
}

/** Packs the built package into a folder. */
export function pack(into: string): Packed {
    const args = ["pack", "--ignore-scripts", "--json", "--pack-destination", into];
    const stdout = execFileSync("npm", args, {
        cwd: REPO,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
    });
    const result = JSON.parse(stdout) as unknown;
    // An array, and from npm 12 on a map by the package's name.
    const [packed] = Object.values(result as object) as {
        filename: string;
        size: number;
        files: { path: string }[];
    }[];
    return {
        tarball: path.join(into, packed.filename),
        size: packed.size,
        files: packed.files.map((file) => file.path),
    };
}

/** What `npm install` of the tarball makes of a folder, with links for the dependencies. */
export function installPacked({ tarball }: Packed, dir: string, modules: Record<string, string> = {}): void {
    linkModules(dir, modules);
    const target = path.join(dir, "node_modules/stackrun");
    fs.mkdirSync(target);
    execFileSync("tar", ["-xzf", tarball, "-C", target, "--strip-components=1"]);
}

/** A Pulumi project in which `npm install` itself has installed the tarball, and packages beside it. */
export async function projectWithPacked(
    { tarball }: Packed,
    beside: readonly string[] = [],
): Promise<Project> {
    const project = await Project.create({
        "Pulumi.yaml": JSON.stringify({
            name: "test",
            runtime: { name: "nodejs", options: { typescript: false } },
            plugins: { providers: [{ name: "stackrun", path: "node_modules/stackrun/bin" }] },
        }),
        "pipeline.yaml": "name: packed\nsteps: [{name: one, run: echo from the package}]\n",
    });
    fs.rmSync(path.join(project.dir, "node_modules"));
    project.write({
        "index.js": `
            const { LocalOrchestrator } = require("stackrun");
            exports.status = new LocalOrchestrator("job", { pipeline: "pipeline.yaml" }).status;
        `,
    });
    const args = ["install", "--prefer-offline", "--no-audit", "--no-fund", tarball, ...beside];
    const installed = await project.start("npm", args).ended;
    if (installed.code !== 0) {
        project.dispose();
        throw new Error(`npm install ended with ${installed.code}:\n${installed.stderr}`);
    }
    return project;
}
