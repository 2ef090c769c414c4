import { existsSync, readFileSync } from "node:fs";
import * as path from "node:path";

/** The folder of this package, whether this runs from its sources or from dist. */
export function packageRoot(): string {
    const root = ["../..", "../../.."]
        .map((up) => path.resolve(__dirname, up))
        .find((folder) => existsSync(path.join(folder, "package.json")));
    if (root === undefined) {
        throw new Error(`stackrun is not installed completely: no package.json above ${__dirname}`);
    }
    return root;
}

/** The range of a dependency, as this package's own package.json names it. */
export function ownRangeOf(name: string): string {
    const manifest = JSON.parse(readFileSync(path.join(packageRoot(), "package.json"), "utf8")) as {
        dependencies: Record<string, string>;
    };
    return manifest.dependencies[name] ?? "*";
}
