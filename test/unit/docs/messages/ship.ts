import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { shipScript } from "../../../../src/runner/ship";
import { toolPath } from "../../../support/shells";
import type { Producers } from "./said";
import { VM } from "./vm";

/** What ship.sh says where `rclone` is this script. */
const shipped =
    (
        rclone: string,
        args: (folder: string) => string[],
        harm?: (folder: string) => void,
        tools = process.env.PATH,
    ) =>
    (folder: string): string => {
        const bin = path.join(folder, "bin");
        fs.mkdirSync(bin);
        fs.writeFileSync(path.join(bin, "rclone"), `#!/bin/sh\n${rclone}\n`, { mode: 0o755 });
        fs.writeFileSync(path.join(folder, "ship.sh"), shipScript());
        harm?.(folder);
        const { stderr } = spawnSync("/bin/sh", [path.join(folder, "ship.sh"), ...args(folder)], {
            env: {
                PATH: tools === process.env.PATH ? `${bin}:${tools}` : tools,
                STACKRUN_SHIP_TRIES: "1",
                STACKRUN_TERMINATION_LOG: path.join(folder, "log"),
            },
            encoding: "utf8",
            // `watch` goes on for ever; told to end, it does first what is left.
            timeout: args === watch ? 1_000 : 20_000,
        });
        return stderr.replaceAll(/^stackrun: /gm, "");
    };

const BROKEN = 'echo "2026/01/01 00:00:00 Failed: no access" >&2; exit 1';
const code = (folder: string) => ["code", "store:bucket", "h1", path.join(folder, "run/code")];
const restore = (folder: string) => ["restore", "store:bucket/run", path.join(folder, "run")];
const watch = (folder: string) => ["watch", "store:bucket/run", path.join(folder, "run")];
/** There is one step, and it can't be had. */
const LISTED = 'case "$*" in *lsf*) echo a/status ;; *" copy "*) echo gone >&2; exit 1 ;; esac';

/** A step has ended, and what it left is to be stored. */
const finished = (folder: string) => {
    const step = path.join(folder, "run/steps/a");
    fs.mkdirSync(path.join(step, "outputs"), { recursive: true });
    fs.writeFileSync(path.join(step, "status"), "succeeded 0 \n");
};
/** What is said where code and finished steps come from the artifact store, or go there. */
export const SHIP: Producers = {
    ...VM,
    "this machine or image lacks the tool …, which the artifact store needs": (folder) => {
        const bin = path.join(folder, "tools");
        fs.mkdirSync(bin);
        fs.symlinkSync(toolPath("id"), path.join(bin, "id"));
        return shipped("", restore, undefined, bin)(folder);
    },
    "usage: sh ship.sh code STORE HASH DIR, or restore or watch REMOTE RUNDIR": shipped("", () => []),
    "the folder of the run, …, can't be made by user …": shipped("", restore, (folder) =>
        fs.writeFileSync(path.join(folder, "run"), ""),
    ),
    "the code … can't be fetched from the artifact store: …": shipped(BROKEN, code),
    "the code … can't be fetched from the artifact store: not found": shipped("", code),
    "the code can't be unpacked into …: is the disk full?": shipped(
        'for last; do :; done; echo nonsense > "$last"',
        code,
    ),
    "… can't be written by user …": shipped("", restore, (folder) => {
        fs.mkdirSync(path.join(folder, "run"));
        fs.writeFileSync(path.join(folder, "run/steps"), "");
    }),
    "the artifact store can't be written: …": shipped(BROKEN, restore),
    "the artifact store can't be listed: …": shipped(`case "$*" in *lsf*) ${BROKEN} ;; esac`, restore),
    'step "…" can\'t be brought back from the artifact store: …': shipped(LISTED, restore),
    // It stands behind what could not be done.
    "rclone has ended with exit code …": (folder) =>
        shipped("exit 137", restore)(folder).replace("the artifact store can't be written: ", ""),
    'step "…" is not in the artifact store: …': shipped(BROKEN, watch, finished),
    "… has a name that rclone keeps for links": shipped("", watch, (folder) => {
        finished(folder);
        fs.writeFileSync(path.join(folder, "run/steps/a/outputs/x.rclonelink"), "");
    }),
};
