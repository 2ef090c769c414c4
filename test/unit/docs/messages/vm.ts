import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { vmBootScript, vmFiles, type VmSettings } from "../../../../src/runner/vm";
import type { Producers } from "./said";

/** What stream.sh says where `rclone` is this script. */
const streamed =
    (rclone: string) =>
    (folder: string): string => {
        const bin = path.join(folder, "bin");
        fs.mkdirSync(bin);
        fs.writeFileSync(path.join(bin, "rclone"), `#!/bin/sh\n${rclone}\n`, { mode: 0o755 });
        fs.writeFileSync(path.join(folder, "stream.sh"), vmFiles("gce")["stream.sh"]);
        const { stderr } = spawnSync("/bin/sh", ["stream.sh", "begin", "store:bucket", "vm", "boot"], {
            cwd: folder,
            env: { PATH: `${bin}:${process.env.PATH}`, STACKRUN_SHIP_TRIES: "2" },
            encoding: "utf8",
        });
        return stderr.replaceAll(/^stackrun: /gm, "");
    };

const settings: VmSettings = {
    remote: "stackrun:bucket",
    runId: "r",
    attempt: 1,
    nonce: "n",
    image: "image",
    transferImage: "rclone",
    rcloneEnv: {},
    graceSeconds: 10,
    spot: true,
};

/** What is said on a machine of a cloud, and before there is one. */
export const VM: Producers = {
    "the artifact store can't be reached: …": streamed("echo no access >&2; exit 1"),
    "the artifact store is there again": streamed("[ -e known ] || { : > known; exit 1; }"),
    "the machine's startup script has … bytes, … at most are allowed: its settings have …": () =>
        vmBootScript("gce", { ...settings, rcloneEnv: { LONG: "x".repeat(10_000) } }),
    "the machine's settings can't be written: …": () => vmBootScript("gce", { ...settings, user: "me" }),
};
