import { Alias, Document, LineCounter, Node, Pair, Scalar, isAlias, isMap, isScalar, isSeq } from "yaml";
import { Mistake } from "./errors";
import { DocPath, formatPath } from "./path";
import { Position, Source } from "./report";
import { isRecord, textFault } from "./text";
import { parseYaml } from "./yamlSyntax";

const MAX_DEPTH = 64;
/** Aliases count each time they are used: a few lines of them can stand for billions of values. */
const MAX_VALUES = 100_000;

/** The plain data of a YAML text, where each part of it stands, and what is wrong with it as YAML. */
export function yamlSource(
    text: string,
    file: string,
): { source: Source; mistakes: Mistake[]; usable: boolean } {
    const lines = new LineCounter();
    const { document, mistakes, usable } = parseYaml(text, file, lines);
    const walker = new Walker(document, (offset, path, message, allowed) =>
        mistakes.push({
            file,
            ...position(lines, offset),
            path,
            message,
            ...(allowed === undefined ? {} : { allowed }),
        }),
    );
    const value = usable ? walker.root() : null;
    const source: Source = {
        file,
        value,
        locate: (path, part) => position(lines, walker.offset(path, part)),
        writtenAsFloat: (path) => walker.floats.has(formatPath(path)),
    };
    return { source, mistakes, usable: usable && !walker.overflowed };
}

function position(lines: LineCounter, offset: number): Position {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
}

const MERGE = "<<";

type Complain = (offset: number, path: string, message: string, allowed?: string) => void;

/** Turns nodes into values; the library's own `toJS` knows no positions and no mild mistakes. */
class Walker {
    readonly floats = new Set<string>();
    overflowed = false;
    private readonly places = new Map<string, { key?: number; value: number }>();
    private readonly anchors = new Map<string, Node>();
    private readonly open = new Set<Node>();
    private values = 0;

    constructor(
        private readonly document: Document.Parsed,
        private readonly complain: Complain,
    ) {}

    root(): unknown {
        const { contents } = this.document;
        return this.value(contents, [], contents?.range?.[0] ?? 0);
    }

    offset(path: DocPath, part: "key" | "value"): number {
        const place = this.places.get(formatPath(path));
        if (place !== undefined) {
            return part === "key" ? (place.key ?? place.value) : place.value;
        }
        return path.length === 0 ? 0 : this.offset(path.slice(0, -1), "value");
    }

    private value(node: Node | null, path: DocPath, fallback: number, key?: number): unknown {
        const absent = isScalar(node) && node.type === Scalar.PLAIN && node.source === "";
        const offset = (absent ? key : undefined) ?? offsetOf(node) ?? fallback;
        this.places.set(formatPath(path), { key, value: offset });
        this.values += 1;
        if (this.values > MAX_VALUES || path.length > MAX_DEPTH) {
            return this.overflow(offset, path);
        }
        if (isAlias(node)) {
            return this.alias(node, path, offset, key);
        }
        this.remember(node);
        if (isMap(node) || isSeq(node)) {
            this.open.add(node);
            const items = isMap(node)
                ? this.mapping(node.items, path)
                : this.list(node.items as Node[], path, offset);
            this.open.delete(node);
            return items;
        }
        return isScalar(node) ? this.scalar(node, path, offset) : null;
    }

    private overflow(offset: number, path: DocPath): null {
        if (!this.overflowed) {
            this.overflowed = true;
            const deep = path.length > MAX_DEPTH;
            const message = deep
                ? "is nested too deeply"
                : "stands for too many values (an alias counts each time)";
            this.complain(
                offset,
                deep ? "" : formatPath(path),
                message,
                deep ? `${MAX_DEPTH} levels at most` : "100,000 at most",
            );
        }
        return null;
    }

    private remember(node: Node | null): void {
        if (node !== null && "anchor" in node && typeof node.anchor === "string") {
            this.anchors.set(node.anchor, node);
        }
    }

    private alias(node: Alias, path: DocPath, offset: number, key?: number): unknown {
        const target = this.anchors.get(node.source);
        if (target === undefined || this.open.has(target)) {
            const message =
                target === undefined
                    ? `the anchor of *${node.source} is not defined above it`
                    : `the anchor of *${node.source} contains itself`;
            this.complain(offset, formatPath(path), message);
            return null;
        }
        const value = this.value(target, path, offset, key);
        this.places.set(formatPath(path), { key, value: offset });
        return value;
    }

    private list(items: readonly Node[], path: DocPath, offset: number): unknown[] {
        return this.overflowed ? [] : items.map((item, i) => this.value(item, [...path, i], offset));
    }

    private mapping(pairs: readonly Pair<unknown, unknown>[], path: DocPath): Record<string, unknown> {
        const result: Record<string, unknown> = {};
        const seen = new Set<string>();
        for (const { key, value } of pairs) {
            const offset = offsetOf(key) ?? this.offset(path, "value");
            const name = isScalar(key) ? String(key.value ?? "") : undefined;
            if (this.overflowed) {
                break;
            }
            if (name === undefined) {
                this.complain(offset, formatPath(path), "a key has to be a plain text");
                continue;
            }
            const fault = keyFault(name, seen);
            if (fault !== undefined) {
                this.complain(offset, formatPath([...path, name]), fault);
                continue;
            }
            seen.add(name);
            result[name] = this.value(value as Node, [...path, name], offset, offset);
        }
        return Object.hasOwn(result, MERGE) ? this.merge(result, path) : result;
    }

    /** `<<: *base`: what the mapping has itself stands above what it takes over, the first base above the next. */
    private merge(
        { [MERGE]: taken, ...own }: Record<string, unknown>,
        path: DocPath,
    ): Record<string, unknown> {
        const list: unknown[] = Array.isArray(taken) ? taken : [taken];
        list.forEach((base, i) => {
            const from = [...path, MERGE, ...(Array.isArray(taken) ? [i] : [])];
            if (!isRecord(base)) {
                this.complain(
                    this.offset(from, "value"),
                    formatPath(from),
                    "only mappings can be taken over",
                );
                return;
            }
            for (const name of Object.keys(base).filter((key) => !Object.hasOwn(own, key))) {
                own[name] = base[name];
                this.places.set(formatPath([...path, name]), {
                    key: this.offset([...from, name], "key"),
                    value: this.offset([...from, name], "value"),
                });
            }
        });
        return own;
    }

    private scalar(node: Scalar, path: DocPath, offset: number): unknown {
        const { value, source } = node;
        if (typeof value === "string") {
            const fault = textFault(value);
            if (fault !== undefined) {
                this.complain(offset, formatPath(path), fault);
            }
        }
        if (typeof value === "number" && source !== undefined) {
            if (isEnvironment(path)) {
                // 1.10 is 1.1 as a number; in the environment it stays what its author wrote.
                return source;
            }
            if (/^[^x]*[.e]/i.test(source)) {
                this.floats.add(formatPath(path));
            }
        }
        return value;
    }
}

function keyFault(name: string, seen: ReadonlySet<string>): string | undefined {
    if (seen.has(name)) {
        return "the same key a second time";
    }
    return name === "__proto__" ? "is reserved" : textFault(name);
}

function offsetOf(node: unknown): number | undefined {
    return (node as Node | null)?.range?.[0];
}

/** Values of `env`, `steps[…].env` and `image.build.args`. */
function isEnvironment(path: DocPath): boolean {
    const name = path
        .slice(0, -1)
        .map((part) => (typeof part === "number" ? "#" : part))
        .join(".");
    const place = name.replace(/\.<<(\.#)?$/, "");
    return place === "env" || place === "steps.#.env" || place === "image.build.args";
}
