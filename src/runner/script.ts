import * as fs from "node:fs";
import * as path from "node:path";

/** The runner's parts, in their order; the build copies them beside this module. */
const PARTS = ["base.sh", "filter.sh", "step.sh", "schedule.sh", "main.sh"];

let script: string | undefined;

/** The runner: one POSIX sh program, called as `sh runner.sh RUNDIR`. */
export function runnerScript(): string {
    script ??=
        "#!/bin/sh\n" + PARTS.map((part) => fs.readFileSync(path.join(__dirname, part), "utf8")).join("\n");
    return script;
}
