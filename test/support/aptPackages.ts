import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

/** Commands that a lane needs, each with the Debian package that has it. */
export type Needed = Readonly<Record<string, string>>;

/**
 * Installs what is missing. Throws a {@link MissingPackages} where that can't be done: without root, or without apt.
 */
export function ensurePackages(needed: Needed): void {
    const missing = missingPackages(needed);
    if (missing.length === 0) {
        return;
    }
    if (process.getuid?.() !== 0 || !findCommand("apt-get")) {
        throw new MissingPackages(missing);
    }
    process.stderr.write(`installing ${missing.join(" ")} …\n`);
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const run = (...args: string[]) =>
        execFileSync("apt-get", ["-qq", ...args], { env, stdio: ["ignore", "ignore", "inherit"] });
    withoutServices(() => {
        run("update");
        run("install", "-y", "--no-install-recommends", ...missing);
    });
    const left = missingPackages(needed);
    if (left.length > 0) {
        throw new MissingPackages(left);
    }
}

// The packages' services are not started: the tests start their own. What a package's scripts ask is this file
// (https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt).
function withoutServices(install: () => void, policy = "/usr/sbin/policy-rc.d"): void {
    const own = !fs.existsSync(policy);
    if (own) {
        fs.writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
    }
    try {
        install();
    } finally {
        if (own) {
            fs.rmSync(policy, { force: true });
        }
    }
}

export class MissingPackages extends Error {
    constructor(readonly packages: readonly string[]) {
        super(`missing on this machine: ${packages.join(" ")}; only root can install them, with apt`);
    }
}

/** Where a command is: in the PATH, or where only root's PATH leads. */
export function findCommand(name: string): string | undefined {
    const folders = [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/sbin"];
    return folders.map((folder) => path.join(folder, name)).find((file) => fs.existsSync(file));
}

function missingPackages(needed: Needed): string[] {
    const missing = Object.keys(needed).filter((command) => !findCommand(command));
    return [...new Set(missing.map((command) => needed[command] as string))].sort();
}
