import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { ensurePackages } from "../../aptPackages";
import { cacheDir } from "../../images/cache";

/**
 * The folder of what machines are made of, with `root` in it: the operating system, which must not be changed. Made once
 * for this machine, and again when the recipe has changed.
 */
export function ensureRoot(): string {
    const folder = path.join(
        cacheDir("gcp"),
        `root-${hashOf([path.join(__dirname, "root.sh"), path.join(__dirname, "root")])}`,
    );
    if (!fs.existsSync(path.join(folder, "root"))) {
        ensurePackages({ mmdebstrap: "mmdebstrap", debootstrap: "debootstrap" });
        build("root.sh", [folder]);
    }
    return folder;
}

/** Runs a recipe; one at a time on this machine. */
export function build(script: string, args: readonly string[]): void {
    const lock = path.join(cacheDir("gcp"), "lock");
    const command = [lock, "nice", "-n", "10", path.join(__dirname, script), ...args];
    execFileSync("flock", command, { stdio: ["ignore", "inherit", "inherit"] });
}

/** Changes with the contents of the files, and of all files in the folders. */
export function hashOf(paths: readonly string[]): string {
    const hash = createHash("sha256");
    const add = (file: string): void => {
        if (fs.statSync(file).isDirectory()) {
            fs.readdirSync(file)
                .sort()
                .forEach((name) => add(path.join(file, name)));
        } else {
            hash.update(`${path.basename(file)}\0`).update(fs.readFileSync(file));
        }
    };
    paths.forEach(add);
    return hash.digest("hex").slice(0, 12);
}
