import * as fs from "node:fs";
import * as path from "node:path";
import { Project, REPO } from "./project";

/**
 * A copy of an example in a folder of its own, with the packages that its users would install: links to those of this
 * repository, and to the repository itself as `stackrun`.
 */
export async function projectOfExample(name: string, modules: Record<string, string> = {}): Promise<Project> {
    const example = path.join(REPO, "examples", name);
    const file = "Pulumi.yaml";
    const project = await Project.create({ [file]: fs.readFileSync(path.join(example, file), "utf8") });
    fs.rmSync(path.join(project.dir, "index.js"));
    fs.rmSync(path.join(project.dir, ".stackrunignore"));
    fs.cpSync(example, project.dir, { recursive: true });
    linkModules(project.dir, { stackrun: REPO, ...modules });
    return project;
}

/** Makes `node_modules` of links: to all packages of the repository, and to these others (or in their place). */
export function linkModules(dir: string, others: Record<string, string>): void {
    const folder = path.join(dir, "node_modules");
    fs.rmSync(folder, { recursive: true, force: true });
    const theirs = packages(path.join(REPO, "node_modules"));
    for (const [name, target] of Object.entries({ ...theirs, ...others })) {
        fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
        fs.symlinkSync(target, path.join(folder, name));
    }
}

function packages(folder: string): Record<string, string> {
    const names = fs
        .readdirSync(folder)
        .filter((name) => !name.startsWith("."))
        .flatMap((name) =>
            name.startsWith("@")
                ? fs.readdirSync(path.join(folder, name)).map((inner) => `${name}/${inner}`)
                : [name],
        );
    return Object.fromEntries(names.map((name) => [name, path.join(folder, name)]));
}
