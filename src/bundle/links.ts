import { promises as fs } from "node:fs";
import * as path from "node:path";
import { printable } from "./errors";
import type { CodeLink, LeftOut } from "./types";
import type { FoundLink } from "./walk";

const MOST_HOPS = 40;

interface Judged {
    readonly links: CodeLink[];
    readonly leftOut: LeftOut[];
    readonly warnings: string[];
}

/**
 * Keeps the links that lead to something in the bundle, or to nothing (yet): a program may make it. Where they lead is
 * worked out within the bundle itself, not on disk: that is what they will find where it is unpacked.
 */
export async function judgeLinks(
    dir: string,
    found: readonly FoundLink[],
    files: readonly string[],
): Promise<Judged> {
    const leftOut: LeftOut[] = [];
    const warnings: string[] = [];
    let kept = found;
    for (let before = -1; before !== kept.length;) {
        before = kept.length;
        const bundle = new Bundle(files, kept);
        const good: FoundLink[] = [];
        for (const link of kept) {
            const rule = await whyNot(link, bundle, dir);
            if (rule) {
                leftOut.push({ path: link.path, rule });
            } else {
                good.push(link);
            }
        }
        kept = good;
    }
    const bundle = new Bundle(files, kept);
    for (const link of kept.filter(({ path: at, target }) => bundle.resolve(at, target) === "nowhere")) {
        warnings.push(
            `the link ${printable(link.path)} leads to ${printable(link.target)}, which does not exist`,
        );
    }
    return {
        links: kept.map(({ path: at, target }) => ({ path: at, type: "link", linkTarget: target })),
        leftOut,
        warnings,
    };
}

async function whyNot(link: FoundLink, bundle: Bundle, dir: string): Promise<string | undefined> {
    if (path.posix.isAbsolute(link.target)) {
        return "a link to an absolute path";
    }
    switch (bundle.resolve(link.path, link.target)) {
        case "outside":
            return "a link that leaves the folder";
        case "circle":
            return "a link that leads in a circle";
        case "nowhere": {
            const exists = await fs.stat(path.join(dir, link.path)).catch(() => undefined);
            return exists && "a link to something that is left out";
        }
        default:
            return undefined;
    }
}

/** The names of a bundle, and where its links lead. */
class Bundle {
    private readonly places = new Set<string>([""]);
    private readonly links: ReadonlyMap<string, string>;

    constructor(files: readonly string[], links: readonly FoundLink[]) {
        this.links = new Map(links.map((link) => [link.path, link.target]));
        for (const file of [...files, ...this.links.keys()]) {
            for (let at = file; at !== "." && !this.places.has(at); at = path.posix.dirname(at)) {
                this.places.add(at);
            }
        }
    }

    resolve(from: string, target: string): "there" | "nowhere" | "outside" | "circle" {
        let at = parentOf(from);
        let names = target.split("/");
        for (let hops = 0; names.length > 0;) {
            const [name, ...rest] = names;
            names = rest;
            if (name === "..") {
                if (at === "") {
                    return "outside";
                }
                at = parentOf(at);
            } else if (name !== "" && name !== ".") {
                const next = at === "" ? name : `${at}/${name}`;
                const through = this.links.get(next);
                if (!this.places.has(next)) {
                    return leaves(at, [name, ...rest]) ? "outside" : "nowhere";
                }
                if (through !== undefined) {
                    if (++hops > MOST_HOPS) {
                        return "circle";
                    }
                    names = [...through.split("/"), ...names];
                } else {
                    at = next;
                }
            }
        }
        return "there";
    }
}

function parentOf(at: string): string {
    const parent = path.posix.dirname(at);
    return parent === "." ? "" : parent;
}

/** Whether names lead above the root, where nothing is there to follow. */
function leaves(at: string, names: readonly string[]): boolean {
    return path.posix.normalize(`${at}/${names.join("/")}`.replace(/^\//, "")).startsWith("..");
}
