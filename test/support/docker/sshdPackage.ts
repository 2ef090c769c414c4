import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

/** What a package of Debian has, unpacked and not installed. */
export interface Server {
    readonly program: string;
    /** Folders of the libraries that this machine has not. */
    readonly libraries: readonly string[];
}

/** A library brings others with it, which are known when it is there. */
const ROUNDS = 5;

/** sshd, and what it is linked with, below `dir`. */
export function unpackServer(dir: string): Server {
    const root = path.join(dir, "server");
    const program = path.join(root, "usr/sbin/sshd");
    execFileSync("apt-get", ["-qq", "update"], { stdio: "pipe" });
    unpack(dir, root, ["openssh-server"]);
    for (let round = 0; round < ROUNDS; round++) {
        const libraries = libraryFolders(root);
        const missing = missingLibraries(linked(program, libraries));
        if (missing.length === 0) {
            return { program, libraries };
        }
        unpack(dir, root, missing.map(packageOf));
    }
    const left = missingLibraries(linked(program, libraryFolders(root)));
    throw new Error(`sshd can't be started: ${left.join(", ")} can't be found; install openssh-server`);
}

/** The libraries that `ldd` does not find. */
export function missingLibraries(said: string): string[] {
    return [...said.matchAll(/^\s*(\S+) => not found$/gm)].map(([, name]) => name as string);
}

/** Debian's name for the package of a library (Policy, 8.1): `libwrap.so.0` is in libwrap0. */
export function packageOf(library: string): string {
    const [, name = library, version = ""] = /^(.*)\.so\.(\d+)/.exec(library) ?? [];
    return `${name}${/\d$/.test(name) ? "-" : ""}${version}`.replaceAll("_", "-").toLowerCase();
}

function linked(program: string, libraries: readonly string[]): string {
    const env = { ...process.env, LD_LIBRARY_PATH: libraries.join(":") };
    return execFileSync("ldd", [program], { env, encoding: "utf8" });
}

function unpack(dir: string, root: string, packages: readonly string[]): void {
    execFileSync("apt-get", ["-qq", "download", ...packages], { cwd: dir, stdio: "pipe" });
    for (const file of fs.readdirSync(dir).filter((name) => name.endsWith(".deb"))) {
        execFileSync("dpkg", ["-x", file, root], { cwd: dir });
        fs.rmSync(path.join(dir, file));
    }
}

function libraryFolders(root: string): string[] {
    return ["usr/lib", "lib"]
        .map((folder) => path.join(root, folder))
        .filter((folder) => fs.existsSync(folder))
        .flatMap((folder) => fs.readdirSync(folder).map((name) => path.join(folder, name)))
        .filter((folder) => /-linux-/.test(path.basename(folder)));
}
