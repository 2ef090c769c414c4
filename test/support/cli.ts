import { spawnSync } from "node:child_process";
import * as path from "node:path";

const COMMAND = path.resolve(__dirname, "../../bin/stackrun");

/** Runs the built command to its end, without what the developer's environment says of Pulumi. */
export function stackrun(
    cwd: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
): { code: number | null; stdout: string; stderr: string } {
    const inherited = Object.fromEntries(
        Object.entries(process.env).filter(([name]) => !/^(PULUMI|STACKRUN)_/.test(name)),
    );
    const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...args], {
        cwd,
        encoding: "utf8",
        env: { ...inherited, PULUMI_HOME: path.join(cwd, ".home"), ...env },
    });
    return { code: status, stdout, stderr };
}
