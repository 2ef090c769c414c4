import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/** The program of a version of Node (npm ships Node itself), installed once and kept in the cache that the engine has too. */
export function nodeOf(version: string): string {
    const cache = process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache");
    const dir = path.join(cache, "stackrun", "test-node", version);
    const name = `node-${process.platform}-${process.arch}`;
    const file = path.join(dir, "node_modules", name, "bin/node");
    if (!fs.existsSync(file)) {
        fs.mkdirSync(dir, { recursive: true });
        const args = [
            "install",
            "--prefix",
            dir,
            "--no-audit",
            "--no-fund",
            "--no-save",
            `${name}@${version}`,
        ];
        execFileSync("npm", args, { cwd: dir, stdio: "ignore" });
    }
    return file;
}
