import * as fs from "node:fs";
import * as path from "node:path";
import { REPO } from "./project";

/** What `npm install` would bring into a project: this repository's own dependencies, and this package. */
export function linkDependencies(folder: string): void {
    const modules = path.join(folder, "node_modules");
    fs.mkdirSync(modules);
    for (const name of fs.readdirSync(path.join(REPO, "node_modules"))) {
        fs.symlinkSync(path.join(REPO, "node_modules", name), path.join(modules, name));
    }
    fs.symlinkSync(REPO, path.join(modules, "stackrun"));
}
