import * as fs from "node:fs";
import * as path from "node:path";

let script: string | undefined;

/** What a container starts: it unpacks the code, writes the plan, and becomes the runner. Called as `sh launcher.sh RUNDIR`. */
export function launcherScript(): string {
    script ??= fs.readFileSync(path.join(__dirname, "launcher.sh"), "utf8");
    return script;
}
