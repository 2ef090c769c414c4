import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { ProviderError } from "../../../../src/provider/handler";
import { dockerIgnore, tarFs, type Pack } from "./tar";

/** What a build sends to the daemon. */
export interface BuildContext {
    readonly folder: string;
    /** Relative to the context; begins with `../` where it lies outside. */
    readonly dockerfile: string;
    /** Files, links and empty folders that are not ignored, relative and sorted. */
    readonly entries: readonly string[];
}

/** Both paths as the program gives them: relative to the project, the Dockerfile's too. */
export function readContext(context = ".", dockerfile = path.join(context, "Dockerfile")): BuildContext {
    if (!fs.existsSync(dockerfile)) {
        throw new ProviderError(
            `could not open dockerfile at ${path.isAbsolute(dockerfile) ? "absolute" : "relative"} path ${dockerfile}: no such file`,
        );
    }
    const folder = path.resolve(context);
    const inside = path.relative(folder, path.resolve(dockerfile));
    const ignore = dockerIgnore();
    const rules = path.join(folder, ".dockerignore");
    ignore.add(fs.existsSync(rules) ? fs.readFileSync(rules, "utf8") : "");
    // The daemon needs these two, whatever the rules say.
    const kept = new Set([inside, ".dockerignore"]);
    const entries = walk(folder, "").filter((entry) => kept.has(entry) || !ignore.ignores(entry));
    return { folder, dockerfile: inside, entries: entries.sort() };
}

/** Changes whenever the context does: names, modes, targets of links, contents, and the Dockerfile. */
export function digestOf({ folder, dockerfile, entries }: BuildContext): string {
    const hash = createHash("sha256");
    for (const entry of new Set([...entries, dockerfile])) {
        const file = path.join(folder, entry);
        const info = fs.lstatSync(file);
        hash.update(`${entry}\0${info.mode & 0o7777}\0`);
        if (info.isSymbolicLink()) {
            hash.update(fs.readlinkSync(file));
        } else if (info.isFile()) {
            hash.update(createHash("sha256").update(fs.readFileSync(file)).digest());
        }
    }
    return hash.digest("hex");
}

/** The context as a tar file, and the name of the Dockerfile in it. */
export function packContext({ folder, dockerfile, entries }: BuildContext): {
    tar: Pack;
    dockerfile: string;
} {
    const outside = dockerfile.startsWith("../");
    const name = outside
        ? `.dockerfile.${createHash("sha256").update(dockerfile).digest("hex").slice(0, 20)}`
        : dockerfile;
    const tar = tarFs.pack(folder, {
        entries,
        map: (header) => ({ ...header, uid: 0, gid: 0, uname: "", gname: "" }),
        finalize: false,
        finish(pack) {
            if (outside) {
                pack.entry({ name }, fs.readFileSync(path.join(folder, dockerfile)));
            }
            pack.finalize();
        },
    });
    return { tar, dockerfile: name };
}

function walk(folder: string, below: string): string[] {
    return fs.readdirSync(path.join(folder, below), { withFileTypes: true }).flatMap((entry) => {
        const name = path.join(below, entry.name);
        if (!entry.isDirectory()) {
            return [name];
        }
        const children = walk(folder, name);
        return children.length > 0 ? children : [name];
    });
}
