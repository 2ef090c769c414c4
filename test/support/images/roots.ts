import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { findCommand } from "../aptPackages";

const DEBIAN = "bookworm";

/** Debian's static busybox under the names of all its applets. */
export function makeBusyboxRoot(root: string): void {
    makeFolders(root, ["bin", "dev", "etc", "home", "proc", "root", "sbin", "sys", "usr/bin", "usr/sbin"]);
    makeTemp(root, ["tmp", "var/tmp"]);
    writeUsers(root);
    const target = path.join(root, "bin/busybox");
    copyBusybox(target);
    const applets = execFileSync(target, ["--list-full"], { encoding: "utf8" }).split("\n").filter(Boolean);
    for (const applet of applets) {
        const link = path.join(root, applet);
        if (!fs.existsSync(link)) {
            fs.mkdirSync(path.dirname(link), { recursive: true });
            fs.symlinkSync("/bin/busybox", link);
        }
    }
}

/** The same, and Debian's rclone with the libraries that it is linked with. */
export function makeRcloneRoot(root: string): void {
    makeBusyboxRoot(root);
    copyProgram(root, findCommand("rclone") as string, "/usr/bin/rclone");
}

/** Busybox, and the Node.js that runs the tests. */
export function makeNodeRoot(root: string): void {
    makeBusyboxRoot(root);
    copyProgram(root, process.execPath, "/usr/bin/node");
}

function copyProgram(root: string, program: string, name: string): void {
    const libraries = execFileSync("ldd", [program], { encoding: "utf8" }).match(/\/\S+/g) ?? [];
    for (const [from, to] of [[program, name], ...libraries.map((file) => [file, file])]) {
        const target = path.join(root, to);
        fs.mkdirSync(path.dirname(target), { recursive: true });
        fs.copyFileSync(fs.realpathSync(from), target);
        fs.chmodSync(target, 0o755);
    }
}

/** Static commands that can't be used as a shell: one binary that looks at the name it is called by. */
export function makeNoShRoot(root: string): void {
    makeFolders(root, ["bin", "dev", "etc", "proc", "sys"]);
    makeTemp(root, ["tmp"]);
    writeUsers(root);
    const first = path.join(root, "bin/sleep");
    copyBusybox(first);
    for (const name of ["echo", "true", "false"]) {
        fs.linkSync(first, path.join(root, "bin", name));
    }
}

/** Debian with Python. Needs root; its files have owners of their own. */
export function makeDebianRoot(root: string): void {
    execFileSync(
        findCommand("debootstrap") as string,
        ["--variant=minbase", "--include=python3-minimal", DEBIAN, root],
        { stdio: ["ignore", "ignore", "inherit"] },
    );
    // Device nodes come with each container, package lists only make the image larger.
    for (const folder of [
        "dev",
        "proc",
        "sys",
        "var/cache/apt",
        "var/lib/apt/lists",
        "usr/share/doc",
        "usr/share/locale",
    ]) {
        fs.rmSync(path.join(root, folder), { recursive: true, force: true });
        fs.mkdirSync(path.join(root, folder), { recursive: true });
    }
    // They are this machine's.
    fs.rmSync(path.join(root, "etc/resolv.conf"), { force: true });
    fs.rmSync(path.join(root, "etc/hostname"), { force: true });
    fs.rmSync(path.join(root, "etc/apt/apt.conf.d"), { recursive: true, force: true });
}

function makeFolders(root: string, names: readonly string[]): void {
    for (const name of names) {
        fs.mkdirSync(path.join(root, name), { recursive: true });
    }
}

// chmod: the mode of mkdir is subject to the umask.
function makeTemp(root: string, names: readonly string[]): void {
    makeFolders(root, names);
    for (const name of names) {
        fs.chmodSync(path.join(root, name), 0o1777);
    }
}

function writeUsers(root: string): void {
    const users = ["root:x:0:0:root:/root:/bin/sh", "nobody:x:65534:65534:nobody:/:/bin/sh"];
    const groups = ["root:x:0:", "nogroup:x:65534:"];
    fs.writeFileSync(path.join(root, "etc/passwd"), `${users.join("\n")}\n`);
    fs.writeFileSync(path.join(root, "etc/group"), `${groups.join("\n")}\n`);
}

function copyBusybox(target: string): void {
    fs.copyFileSync(findCommand("busybox") as string, target);
    fs.chmodSync(target, 0o755);
}
