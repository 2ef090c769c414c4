import ignore, { type Ignore } from "ignore";
import { DEFAULTS } from "./never";

/** A line of an ignore file, made relative to the folder that all paths are relative to. */
interface Rule {
    readonly pattern: string;
    /** What to tell people: `data/.gitignore:3: *.csv`. */
    readonly mark: string;
    /** Whether it names a path, and not just a name that may be anywhere. */
    readonly anchored?: boolean;
}

export type Verdict = { readonly leftOut: string } | "kept" | "no rule";

/**
 * What the ignore files say of a path, as git would have it: the last matching line decides, lines of deeper files come
 * after those of shallower ones, and nothing below a folder that is left out is looked at. All lines of
 * `.stackrunignore` come after all of `.gitignore`; between them stand the defaults.
 *
 * One difference is known: where a name is not ASCII, `?` and `[…]` match a character of it here, and a byte in git.
 *
 * Objects don't change: a folder with ignore files of its own gets rules of its own, for itself and what is below it.
 */
export class IgnoreRules {
    private readonly git: Ignore;
    private readonly own: Ignore;
    /** Paths that a `!` line of `.stackrunignore` may bring back, by the depth of the folder it leads through. */
    private readonly wayBack: ReadonlyMap<number, Ignore>;

    private constructor(
        private readonly gitRules: readonly Rule[],
        private readonly ownRules: readonly Rule[],
        private readonly reopened: readonly string[],
        /** From the repository's root to the scanned folder, ending in `/`, or empty. */
        private readonly base: string,
    ) {
        this.git = build([
            ...gitRules,
            ...DEFAULTS.map(defaultRule),
            ...reopened.map((pattern) => ({ pattern, mark: "" })),
        ]);
        this.own = build(ownRules);
        this.wayBack = waysBack(ownRules);
    }

    /** For a folder at `base` below the root of a repository; its own place and those above it are not left out. */
    static at(base: string): IgnoreRules {
        return new IgnoreRules([], [], reopening(base), base);
    }

    /** With the lines of the `.gitignore` in `folder` (relative to the scanned folder, ending in `/`, or empty). */
    withGitignore(text: string, folder: string): IgnoreRules {
        return this.withGitignoreAbove(text, this.base + folder, `${folder}.gitignore`);
    }

    /** With the lines of a `.gitignore` in `folder`, which here is relative to the repository's root. */
    withGitignoreAbove(text: string, folder: string, name: string): IgnoreRules {
        const rules = [...this.gitRules, ...parse(text, folder, name)];
        return new IgnoreRules(rules, this.ownRules, this.reopened, this.base);
    }

    /** With the lines of the `.stackrunignore` in `folder` (relative to the scanned folder, ending in `/`, or empty). */
    withOwn(text: string, folder: string): IgnoreRules {
        const rules = [...this.ownRules, ...parse(text, folder, `${folder}.stackrunignore`)];
        return new IgnoreRules(this.gitRules, rules, this.reopened, this.base);
    }

    /** Inside another repository (a submodule), which the files around it say nothing about. */
    withoutGit(): IgnoreRules {
        return new IgnoreRules([], this.ownRules, this.reopened, this.base);
    }

    /** Inside a folder that `.stackrunignore` has brought back: that `.gitignore` leaves the folder out no longer counts. */
    inside(folder: string): IgnoreRules {
        const reopened = [...this.reopened, ...reopening(this.base + folder)];
        return new IgnoreRules(this.gitRules, this.ownRules, reopened, this.base);
    }

    /** Of `.stackrunignore` alone. A folder's path ends in `/`. */
    askOwn(path: string): Verdict {
        const result = this.own.test(path);
        return result.ignored ? { leftOut: result.rule?.mark ?? "" } : result.unignored ? "kept" : "no rule";
    }

    /** Of `.gitignore` and the defaults. */
    askGit(path: string): Verdict {
        const result = this.git.test(this.base + path);
        return result.ignored ? { leftOut: result.rule?.mark ?? "" } : "no rule";
    }

    /** Whether a `!` line of `.stackrunignore` names something below this folder by its path. */
    mayReopenBelow(folder: string): boolean {
        const depth = folder.split("/").length - 1;
        return (
            (this.wayBack.get(depth)?.ignores(folder) || this.wayBack.get(Infinity)?.ignores(folder)) ?? false
        );
    }
}

/** Case counts, as it does for git on Linux: or else the bundle would depend on the machine. */
function build(rules: readonly Rule[]): Ignore {
    return ignore({ ignorecase: false }).add(rules.map(({ pattern, mark }) => ({ pattern, mark })));
}

function defaultRule(pattern: string): Rule {
    return { pattern, mark: `${pattern}: left out by default` };
}

function parse(text: string, folder: string, name: string): Rule[] {
    const lines = text.replace(/^\ufeff/, "").split(/\r?\n/);
    return lines.flatMap((line, index) => {
        if (line === "" || line.startsWith("#")) {
            return [];
        }
        const mark = `${name}:${index + 1}: ${line.trim()}`;
        return [{ pattern: relocate(line, folder), mark, anchored: isAnchored(line) }];
    });
}

/** Rewrites a line of an ignore file in `folder` into one that means the same at the root. */
function relocate(line: string, folder: string): string {
    if (folder === "") {
        return line;
    }
    const negation = line.startsWith("!") ? "!" : "";
    const body = line.slice(negation.length).replace(/^\\(?=[#!])/, "");
    return `${negation}/${escape(folder)}${isAnchored(line) ? "" : "**/"}${body.replace(/^\//, "")}`;
}

/** A slash anywhere but at the end ties a line to its folder. */
function isAnchored(line: string): boolean {
    return line.replace(/^!/, "").trimEnd().slice(0, -1).includes("/");
}

/** The lines that bring back a folder and those above it: `a/b/` needs `!/a/` and `!/a/b/`. */
function reopening(folder: string): string[] {
    const names = folder.split("/").filter(Boolean);
    return names.map((_, index) => `!/${escape(names.slice(0, index + 1).join("/"))}/`);
}

function escape(path: string): string {
    return path.replace(/[\\*?[\]!# ]/g, (character) => `\\${character}`);
}

/**
 * `!data/raw/keep.csv` leads through `data/` and `data/raw/`: those are walked, though they be left out, which git would
 * not do. A line without a path (`!keep.csv`) leads nowhere in particular: it would mean walking all of node_modules.
 */
function waysBack(rules: readonly Rule[]): ReadonlyMap<number, Ignore> {
    const byDepth = new Map<number, Ignore>();
    const add = (depth: number, pattern: string): void => {
        byDepth.set(depth, (byDepth.get(depth) ?? ignore({ ignorecase: false })).add({ pattern }));
    };
    for (const { pattern } of rules.filter((rule) => rule.anchored && rule.pattern.startsWith("!"))) {
        const names = pattern.slice(1).replace(/^\//, "").replace(/\/$/, "").split("/");
        for (let depth = 1; depth < names.length && names[0] !== "**"; depth++) {
            const folder = `/${names.slice(0, depth).join("/")}/`;
            add(depth, folder);
            if (names[depth] === "**") {
                add(Infinity, `${folder}**/`);
                break;
            }
        }
    }
    return byDepth;
}
