import { isUtf8 } from "node:buffer";
import { promises as fs, type BigIntStats } from "node:fs";
import * as path from "node:path";
import { BundleError, listed } from "./errors";
import { IgnoreRules } from "./ignoreRules";
import { neverBundled } from "./never";
import type { LeftOut } from "./types";

export interface FoundFile {
    readonly path: string;
    readonly stats: BigIntStats;
}

export interface FoundLink {
    readonly path: string;
    readonly target: string;
}

/** What a walk has found: what may go into the bundle, and what does not. */
export interface Found {
    readonly files: FoundFile[];
    readonly links: FoundLink[];
    readonly leftOut: LeftOut[];
    readonly warnings: string[];
}

interface Name {
    /** With U+FFFD for what is not UTF-8. */
    readonly text: string;
    readonly bytes: Buffer;
    /** Whether an archive can carry it everywhere. */
    readonly sound: boolean;
}

/** How a folder is walked. */
interface Folder {
    /** Relative to the root of the walk, ending in `/`, or empty. */
    readonly path: string;
    readonly rules: IgnoreRules;
    /** It is left out itself, by this rule, but some of what is below it may not be. */
    readonly leftOut?: string;
    /** `.stackrunignore` has brought it back by name. */
    readonly broughtBack: boolean;
}

const AT_ONCE = 32;

/** Finds what `root` (a real path) holds, by the ignore files' rules; reads no file but those. */
export async function walk(root: string, signal?: AbortSignal): Promise<Found> {
    const walker = new Walker(root, signal);
    await walker.walkFolder({ path: "", rules: await rulesAbove(root), broughtBack: false });
    walker.complain();
    return walker.found;
}

class Walker {
    readonly found: Found = { files: [], links: [], leftOut: [], warnings: [] };
    private readonly unreadable: string[] = [];
    private readonly unspeakable: string[] = [];

    constructor(
        private readonly root: string,
        private readonly signal?: AbortSignal,
    ) {}

    async walkFolder(folder: Folder): Promise<void> {
        this.signal?.throwIfAborted();
        const names = await this.readFolder(folder);
        if (has(names, "pyvenv.cfg") && folder.path !== "" && !folder.broughtBack) {
            this.leaveOut(folder.path, "pyvenv.cfg: a Python virtual environment, left out by default");
            return;
        }
        const rules = folder.leftOut ? folder.rules : await this.rulesIn(folder, names);
        const all = await inTurns(names, (name) => this.lstat(folder.path + name.text, name.bytes));
        for (const [index, stats] of all.entries()) {
            if (stats) {
                await this.visit(names[index], stats, { ...folder, rules });
            }
        }
    }

    /** Fails if something could not be read or named: a bundle that silently lacks a file is worse than none. */
    complain(): void {
        if (this.unreadable.length > 0) {
            throw new BundleError(`The code can't be read:${listed(this.unreadable.sort())}`);
        }
        if (this.unspeakable.length > 0) {
            const why =
                "These names can't be bundled (they are not UTF-8, or hold a backslash, which is a slash elsewhere)";
            throw new BundleError(
                `${why}; rename them, or leave them out in .stackrunignore:${listed(this.unspeakable)}`,
            );
        }
    }

    private async visit(name: Name, stats: BigIntStats, folder: Folder): Promise<void> {
        const file = folder.path + name.text;
        const asked = stats.isDirectory() ? `${file}/` : file;
        const own = folder.rules.askOwn(asked);
        const never = neverBundled(name.text);
        if (never) {
            this.leaveOut(asked, never);
            if (own === "kept") {
                this.found.warnings.push(
                    `.stackrunignore asks for ${asked}, which is never bundled (${never})`,
                );
            }
            return;
        }
        if (typeof own !== "string") {
            this.leaveOut(asked, own.leftOut);
            return;
        }
        const rule = own === "kept" ? undefined : (folder.leftOut ?? ruleOf(folder.rules, asked));
        if (!rule && !name.sound) {
            this.unspeakable.push(asked);
        } else if (stats.isDirectory()) {
            await this.visitFolder(asked, rule, own === "kept", folder);
        } else if (!rule) {
            await this.take(file, stats);
        } else if (!folder.leftOut) {
            this.leaveOut(file, rule);
        }
    }

    private async visitFolder(
        asked: string,
        rule: string | undefined,
        kept: boolean,
        parent: Folder,
    ): Promise<void> {
        if (rule && !parent.leftOut) {
            this.leaveOut(asked, rule);
        }
        if (!rule) {
            const rules = kept ? parent.rules.inside(asked) : parent.rules;
            await this.walkFolder({ path: asked, rules, broughtBack: kept });
        } else if (parent.rules.mayReopenBelow(asked)) {
            await this.walkFolder({ path: asked, rules: parent.rules, leftOut: rule, broughtBack: false });
        }
    }

    private async take(file: string, stats: BigIntStats): Promise<void> {
        if (stats.isFile()) {
            this.found.files.push({ path: file, stats });
        } else if (stats.isSymbolicLink()) {
            await this.takeLink(file);
        } else {
            this.leaveOut(file, kindOf(stats));
        }
    }

    private async takeLink(file: string): Promise<void> {
        const bytes = await this.attempt(file, (full) => fs.readlink(full, { encoding: "buffer" }));
        if (bytes && isUtf8(bytes)) {
            this.found.links.push({ path: file, target: bytes.toString() });
        } else if (bytes) {
            this.leaveOut(file, "a link whose target is not UTF-8");
        }
    }

    private async rulesIn(folder: Folder, names: readonly Name[]): Promise<IgnoreRules> {
        let rules = folder.rules;
        if (folder.path !== "" && has(names, ".git")) {
            rules = rules.withoutGit();
        }
        if (has(names, ".gitignore")) {
            rules = rules.withGitignore(await this.readIgnoreFile(`${folder.path}.gitignore`), folder.path);
        }
        if (has(names, ".stackrunignore")) {
            rules = rules.withOwn(await this.readIgnoreFile(`${folder.path}.stackrunignore`), folder.path);
        }
        return rules;
    }

    /** A link, or a folder, of that name counts as none, as in git. */
    private async readIgnoreFile(file: string): Promise<string> {
        const stats = await this.lstat(file);
        return stats?.isFile() ? ((await this.attempt(file, (full) => fs.readFile(full, "utf8"))) ?? "") : "";
    }

    private async readFolder(folder: Folder): Promise<Name[]> {
        const all = await this.attempt(folder.path, (full) => fs.readdir(full, { encoding: "buffer" }));
        return (all ?? []).sort(Buffer.compare).map((bytes) => {
            const text = bytes.toString();
            return { text, bytes, sound: isUtf8(bytes) && !text.includes("\\") };
        });
    }

    /** By its bytes, where they are known: those of a name that is not UTF-8 don't survive as a string. */
    private lstat(file: string, name?: Buffer): Promise<BigIntStats | undefined> {
        return this.attempt(file, (full) => {
            const exact = name ? Buffer.concat([Buffer.from(`${path.dirname(full)}/`), name]) : full;
            return fs.lstat(exact, { bigint: true });
        });
    }

    private leaveOut(file: string, rule: string): void {
        this.found.leftOut.push({ path: file, rule });
    }

    /** Undefined if it is gone, or can't be read, which is remembered. */
    private async attempt<T>(file: string, read: (full: string) => Promise<T>): Promise<T | undefined> {
        try {
            return await read(path.join(this.root, file));
        } catch (error) {
            const { code } = error as NodeJS.ErrnoException;
            if (code !== "ENOENT" && code !== "ENOTDIR") {
                this.unreadable.push(`${file || "."} (${code})`);
            }
            return undefined;
        }
    }
}

function has(names: readonly Name[], name: string): boolean {
    return names.some(({ text }) => text === name);
}

function ruleOf(rules: IgnoreRules, asked: string): string | undefined {
    const verdict = rules.askGit(asked);
    return typeof verdict === "string" ? undefined : verdict.leftOut;
}

/** The `.gitignore` files between the repository's root and the folder count, as they do for git. */
async function rulesAbove(root: string): Promise<IgnoreRules> {
    const above: string[] = [];
    for (let folder = root; ; folder = path.dirname(folder)) {
        if (await fs.lstat(path.join(folder, ".git")).catch(() => undefined)) {
            break;
        }
        if (path.dirname(folder) === folder) {
            return IgnoreRules.at("");
        }
        above.unshift(path.dirname(folder));
    }
    const top = above[0] ?? root;
    const base = path.relative(top, root);
    let rules = IgnoreRules.at(base && `${base}/`);
    for (const folder of above) {
        const file = path.join(folder, ".gitignore");
        const text = await fs.readFile(file, "utf8").catch(() => "");
        const below = path.relative(top, folder);
        rules = rules.withGitignoreAbove(text, below && `${below}/`, path.relative(root, file));
    }
    return rules;
}

function kindOf(stats: BigIntStats): string {
    const kinds: [boolean, string][] = [
        [stats.isSocket(), "a socket"],
        [stats.isFIFO(), "a named pipe"],
        [stats.isBlockDevice() || stats.isCharacterDevice(), "a device"],
    ];
    return kinds.find(([is]) => is)?.[1] ?? "not a file";
}

async function inTurns<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
    const results: R[] = [];
    for (let start = 0; start < items.length; start += AT_ONCE) {
        results.push(...(await Promise.all(items.slice(start, start + AT_ONCE).map(work))));
    }
    return results;
}
