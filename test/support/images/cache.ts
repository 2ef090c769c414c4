import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/** A folder for what the test beds make once for this machine; beside the engine's. */
export function cacheDir(name: string): string {
    const caches = process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache");
    const folder = path.join(process.env.STACKRUN_CACHE || path.join(caches, "stackrun"), "testbeds", name);
    fs.mkdirSync(folder, { recursive: true });
    return folder;
}
