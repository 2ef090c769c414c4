import { Mistake } from "./errors";
import { DocPath, formatPath } from "./path";
import { Source } from "./report";
import { textFault } from "./text";

const MAX_DEPTH = 64;
const MAX_VALUES = 100_000;

/** A plain, independent copy of a pipeline written in TypeScript, and what can't be part of one. */
export function objectSource(spec: unknown): { source: Source; mistakes: Mistake[] } {
    const copy = new PlainCopy();
    const value = copy.of(spec, []);
    const source = { value, locate: () => undefined, writtenAsFloat: () => false };
    return { source, mistakes: copy.mistakes };
}

class PlainCopy {
    readonly mistakes: Mistake[] = [];
    private readonly open = new Set<object>();
    private values = 0;

    of(value: unknown, path: DocPath): unknown {
        this.values += 1;
        if (this.values > MAX_VALUES) {
            return this.values === MAX_VALUES + 1
                ? this.refuse(path, "too many values", "100,000 at most")
                : null;
        }
        if (typeof value === "string") {
            const fault = textFault(value);
            return fault === undefined ? value : this.refuse(path, fault);
        }
        if (value === null || typeof value === "number" || typeof value === "boolean") {
            return value;
        }
        if (typeof value !== "object" || !isPlain(value)) {
            return this.refuse(
                path,
                `found ${nameOf(value)}`,
                "plain data: texts, numbers, booleans, lists, objects",
            );
        }
        if (this.open.has(value)) {
            return this.refuse(path, "contains itself");
        }
        if (path.length >= MAX_DEPTH) {
            return this.refuse(path, "nested too deeply", `${MAX_DEPTH} levels at most`);
        }
        this.open.add(value);
        const copy = Array.isArray(value) ? this.list(value, path) : this.mapping(value, path);
        this.open.delete(value);
        return copy;
    }

    private list(value: readonly unknown[], path: DocPath): unknown[] {
        return Array.from(value, (item, i) => this.of(item, [...path, i]));
    }

    private mapping(value: object, path: DocPath): Record<string, unknown> {
        const copy: Record<string, unknown> = {};
        for (const [key, item] of Object.entries(value)) {
            const fault = key === "__proto__" ? "is reserved" : textFault(key);
            if (fault !== undefined) {
                this.refuse([...path, key], fault);
            } else if (item !== undefined) {
                copy[key] = this.of(item, [...path, key]);
            }
        }
        return copy;
    }

    private refuse(path: DocPath, message: string, allowed?: string): null {
        this.mistakes.push({
            path: formatPath(path),
            message,
            ...(allowed === undefined ? {} : { allowed }),
        });
        return null;
    }
}

function isPlain(value: object): boolean {
    const prototype: unknown = Object.getPrototypeOf(value);
    // The second test: plain objects of another realm, such as a test runner's or a worker's.
    const plain = prototype === null || Object.getPrototypeOf(prototype) === null;
    return Array.isArray(value) || (plain && !isOutput(value));
}

function isOutput(value: object): boolean {
    return "__pulumiOutput" in value;
}

function nameOf(value: unknown): string {
    if (typeof value === "object" && value !== null) {
        if (isOutput(value)) {
            return "a Pulumi output: a pipeline has to be known before anything is created, so hand it over as a secret or parameter";
        }
        return `an instance of ${value.constructor?.name || "a class"}`;
    }
    return value === undefined ? "undefined" : `a ${typeof value}`;
}
