import * as fs from "node:fs";
import * as path from "node:path";

let script: string | undefined;

/** What carries code and finished steps between a machine and the artifact store: `sh ship.sh code|restore|watch …`. */
export function shipScript(): string {
    script ??= fs.readFileSync(path.join(__dirname, "ship.sh"), "utf8");
    return script;
}
