import { readFileSync } from "node:fs";
import * as path from "node:path";

/** The version of this package; the plugin reports the same. */
export const version: string = readVersion(__dirname);

// `src/` in the tests, `dist/src/` in the package.
function readVersion(folder: string): string {
    for (const up of ["..", "../.."]) {
        try {
            const text = readFileSync(path.join(folder, up, "package.json"), "utf8");
            return (JSON.parse(text) as { version: string }).version;
        } catch {
            continue;
        }
    }
    throw new Error(`stackrun is not installed completely: no package.json above ${folder}`);
}
