// TEMPORARY placeholder so that the rest builds; replaced by the real one (scan.ts, writeBundle.ts).
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
export async function scanCode(dir: string, _options: { cacheFile?: string } = {}): Promise<{ hash: string }> {
    const hash = createHash("sha256");
    for (const name of fs.readdirSync(dir).sort()) {
        if (!name.startsWith(".") && fs.statSync(path.join(dir, name)).isFile() && name !== "index.js") hash.update(name + "\0" + fs.readFileSync(path.join(dir, name), "utf8"));
    }
    return { hash: hash.digest("hex") };
}
