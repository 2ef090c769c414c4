import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { cacheDir } from "./cache";
import { ensurePackages } from "../aptPackages";
import { writeImage } from "./archive";
import { makeBusyboxRoot, makeDebianRoot, makeNodeRoot, makeNoShRoot, makeRcloneRoot } from "./roots";

export type TestImage = "busybox" | "nosh" | "debian" | "rclone" | "node";

/**
 * The images of the test beds. They are in no registry: a daemon or a cluster gets them from a file, and an attempt to
 * pull them fails.
 */
export const IMAGES: Readonly<Record<TestImage, string>> = {
    /** All applets of busybox, /tmp, and the users root and nobody. */
    busybox: "stackrun.test/busybox:1",
    /** Static `sleep`, `echo`, `true` and `false`, and no shell at all. */
    nosh: "stackrun.test/nosh:1",
    /** Debian's minimum and python3-minimal. */
    debian: "stackrun.test/debian:1",
    /** All applets of busybox, and Debian's rclone: as rclone's own image, which is busybox and rclone. */
    rclone: "stackrun.test/rclone:1",
    /** All applets of busybox, and the Node.js that runs the tests. */
    node: "stackrun.test/node:1",
};

const MAKERS: Readonly<Record<TestImage, Maker>> = {
    busybox: { needs: { busybox: "busybox-static" }, make: makeBusyboxRoot, cmd: ["/bin/sh"] },
    nosh: { needs: { busybox: "busybox-static" }, make: makeNoShRoot, cmd: ["/bin/true"] },
    debian: {
        needs: { debootstrap: "debootstrap" },
        make: makeDebianRoot,
        cmd: ["/bin/bash"],
        owners: "keep",
    },
    rclone: {
        needs: { busybox: "busybox-static", rclone: "rclone" },
        make: makeRcloneRoot,
        cmd: ["/usr/bin/rclone"],
    },
    node: { needs: { busybox: "busybox-static" }, make: makeNodeRoot, cmd: ["/usr/bin/node"] },
};

interface Maker {
    readonly needs: Readonly<Record<string, string>>;
    readonly make: (root: string) => void;
    readonly cmd: readonly string[];
    readonly owners?: "keep";
}

/** Files for `docker load` and `ctr images import`; made once for this machine. Debian takes a minute then, and root. */
export function ensureImages(): Promise<Record<TestImage, string>>;
export function ensureImages<N extends TestImage>(names: readonly N[]): Promise<Record<N, string>>;
export function ensureImages(
    names: readonly TestImage[] = Object.keys(IMAGES) as TestImage[],
): Promise<Partial<Record<TestImage, string>>> {
    return Promise.resolve(Object.fromEntries(names.map((name) => [name, ensureImage(name)])));
}

function ensureImage(name: TestImage): string {
    const folder = cacheDir("images");
    const file = path.join(folder, `${name}-${recipeHash()}.tar`);
    if (!fs.existsSync(file)) {
        removeUnused(folder);
        make(name, file);
    }
    fs.utimesSync(file, new Date(), new Date());
    return file;
}

// Beside its final place and then renamed: another process may be doing the same.
function make(name: TestImage, file: string): void {
    const { needs, make, cmd, owners } = MAKERS[name];
    ensurePackages(needs);
    process.stderr.write(`making the image ${IMAGES[name]} …\n`);
    const work = fs.mkdtempSync(`${file}.`);
    try {
        const root = path.join(work, "root");
        fs.mkdirSync(root);
        fs.chmodSync(root, 0o755);
        make(root);
        const archive = path.join(work, "image.tar");
        writeImage({ name: IMAGES[name], root, config: { Cmd: cmd }, owners }, archive);
        fs.renameSync(archive, file);
    } finally {
        fs.rmSync(work, { recursive: true, force: true });
    }
}

// What is made changes with these files only.
function recipeHash(): string {
    const hash = createHash("sha256");
    for (const name of ["archive.ts", "ensureImages.ts", "roots.ts"]) {
        hash.update(fs.readFileSync(path.join(__dirname, name)));
    }
    return hash.digest("hex").slice(0, 16);
}

// Not at once: another checkout may be using what an older recipe has made.
function removeUnused(folder: string): void {
    const weekAgo = Date.now() - 7 * 24 * 3600 * 1000;
    for (const entry of fs.readdirSync(folder)) {
        const file = path.join(folder, entry);
        if ((fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? weekAgo) < weekAgo) {
            fs.rmSync(file, { recursive: true, force: true });
        }
    }
}
