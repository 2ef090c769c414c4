import * as path from "node:path";

interface Rule {
    readonly pattern: RegExp;
    /** `!`: brings back what an earlier line has left out. */
    readonly keeps: boolean;
}

/**
 * The rules of a `.dockerignore`, as Docker has them (https://docs.docker.com/build/concepts/context/#dockerignore-files).
 * Unlike those of git, every line is tied to the root, the last line that matches decides, and a file can be brought back
 * from a folder that is left out.
 */
export class DockerIgnore {
    private constructor(private readonly rules: readonly Rule[]) {}

    static parse(text: string): DockerIgnore {
        const lines = text
            .replace(/^\ufeff/, "")
            .split(/\r?\n/)
            .filter((line) => !line.startsWith("#"))
            .map((line) => line.trim())
            .filter((line) => line !== "" && line !== "!");
        return new DockerIgnore(lines.map(parseRule));
    }

    /** Whether a file or folder, or one that it is in, is left out; `name` is relative to the context, with `/`. */
    leavesOut(name: string): boolean {
        const parts = name.split("/");
        const withParents = parts.map((_, index) => parts.slice(0, index + 1).join("/"));
        const last = this.rules.findLast(({ pattern }) => withParents.some((one) => pattern.test(one)));
        return last !== undefined && !last.keeps;
    }

    /** Whether something below a folder that is left out may be brought back. */
    get keepsSome(): boolean {
        return this.rules.some(({ keeps }) => keeps);
    }
}

function parseRule(line: string): Rule {
    const keeps = line.startsWith("!");
    const body = (keeps ? line.slice(1) : line).trim();
    const clean = path.posix.normalize(body).replace(/^\/+/, "").replace(/\/$/, "");
    return { pattern: toPattern(clean), keeps };
}

/** `*` and `?` stay within a name, `**` crosses folders, `[…]` is a class of characters, `\` takes a character as it is. */
function toPattern(glob: string): RegExp {
    let source = "";
    for (let at = 0; at < glob.length; at++) {
        const rest = glob.slice(at);
        const [classOf] = /^\[\^?[^\]]+\]/.exec(rest) ?? [];
        if (rest.startsWith("**")) {
            const folder = rest.startsWith("**/");
            source += folder ? "(?:.*/)?" : ".*";
            at += folder ? 2 : 1;
        } else if (glob[at] === "*") {
            source += "[^/]*";
        } else if (glob[at] === "?") {
            source += "[^/]";
        } else if (classOf) {
            source += classOf;
            at += classOf.length - 1;
        } else {
            at += glob[at] === "\\" && at + 1 < glob.length ? 1 : 0;
            source += glob[at].replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
        }
    }
    return new RegExp(`^${source}$`, "s");
}
