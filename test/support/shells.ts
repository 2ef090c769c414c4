import { execFileSync, spawnSync } from "node:child_process";

/** A shell that the runner has to work in. */
export interface Shell {
    readonly name: string;
    /** The command that runs a script, without the script's name. */
    readonly argv: readonly [string, ...string[]];
}

const SHELLS: readonly Shell[] = [
    { name: "dash", argv: ["dash"] },
    { name: "bash", argv: ["bash"] },
    { name: "busybox sh", argv: ["busybox", "sh"] },
];

/** Whether a tool is on the PATH. */
export function hasTool(name: string): boolean {
    return spawnSync("/bin/sh", ["-c", 'command -v "$1"', "sh", name]).status === 0;
}

/** Where a tool is. */
export function toolPath(name: string): string {
    return execFileSync("/bin/sh", ["-c", 'command -v "$1"', "sh", name], { encoding: "utf8" }).trim();
}

/**
 * Runs the tests in `body` only where a tool is; says so where it is not. Under CI a missing tool is a failure:
 * what is tested there must be all of it.
 */
export function describeWithTool(tool: string, title: string, body: () => void): void {
    if (hasTool(tool)) {
        describe(title, body);
        return;
    }
    test(`${title}: needs ${tool}`, () => {
        if (process.env.CI) {
            throw new Error(`${tool} is missing`);
        }
        process.stderr.write(`NOT TESTED: ${title}: ${tool} is missing on this machine\n`);
    });
}

/** The tests in `body`, once for each shell. */
export function describeShells(title: string, body: (shell: Shell) => void): void {
    for (const shell of SHELLS) {
        describeWithTool(shell.argv[0], `${title} [${shell.name}]`, () => body(shell));
    }
}
