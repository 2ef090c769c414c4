/** Folders, lists and values of a metadata server, with its own names (`service-accounts`). */
export type Node = string | readonly Node[] | { readonly [name: string]: Node };

/** Folders whose entries have names of their users' choice: they keep them in JSON, too. */
const VERBATIM = new Set(["attributes", "service-accounts"]);
/** 64-bit numbers, which JSON shows as such. */
const NUMBERS = /"(id|numericProjectId|remainingCpuTime|index|mtu)":"(-?\d+)"/g;

/** What stands at a path; `undefined` for nothing. */
export function nodeAt(tree: Node, path: readonly string[]): Node | undefined {
    return path.reduce<Node | undefined>((at, name) => {
        if (at === undefined || typeof at === "string") {
            return undefined;
        }
        return Object.hasOwn(at, name) ? (at as Readonly<Record<string, Node>>)[name] : undefined;
    }, tree);
}

/** A folder's entries, one a line; those that are folders end with a slash. */
export function listing(folder: Exclude<Node, string>): string {
    return Object.entries(folder)
        .map(([name, node]) => `${name}${typeof node === "string" ? "" : "/"}\n`)
        .join("");
}

/** `recursive=true&alt=text`: each value with its path. */
export function lines(node: Node, prefix = ""): string {
    return typeof node === "string"
        ? `${prefix.replace(/\/$/, "")} ${node}\n`
        : Object.entries(node)
              .map(([name, child]) => lines(child as Node, `${prefix}${name}/`))
              .join("");
}

/** As JSON, in which names are `camelCase`. */
export function json(node: Node, name = ""): string {
    return JSON.stringify(camel(node, name)).replace(NUMBERS, '"$1":$2');
}

function camel(node: Node, name: string): Node {
    if (typeof node === "string") {
        return node;
    }
    if (Array.isArray(node)) {
        return node.map((child: Node) => camel(child, ""));
    }
    const entries = Object.entries(node).map(([key, child]) => [
        VERBATIM.has(name) ? key : key.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
        camel(child as Node, VERBATIM.has(name) ? "" : key),
    ]);
    return Object.fromEntries(entries) as Node;
}
