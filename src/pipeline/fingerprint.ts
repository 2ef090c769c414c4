import { createHash } from "node:crypto";
import { Pipeline } from "./types";

/**
 * JSON with the keys in order and without spaces: equal data gives equal text.
 * As in JSON.stringify, what is undefined is left out of objects.
 */
export function canonicalJson(value: unknown): string {
    if (Array.isArray(value)) {
        return `[${value.map((item: unknown) => canonicalJson(item ?? null)).join(",")}]`;
    }
    if (typeof value === "object" && value !== null) {
        const entries = Object.entries(value).filter(([, item]) => item !== undefined);
        entries.sort(([a], [b]) => (a < b ? -1 : 1));
        return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(",")}}`;
    }
    if (typeof value === "number" && !Number.isFinite(value)) {
        throw new TypeError(`${value} has no JSON`);
    }
    if (!["string", "number", "boolean"].includes(typeof value) && value !== null) {
        throw new TypeError(`a value of the type ${typeof value} has no JSON`);
    }
    return JSON.stringify(value);
}

/** SHA-256, in hex, of a value's canonical JSON. */
export function hashOf(value: unknown): string {
    return createHash("sha256").update(canonicalJson(value)).digest("hex");
}

/** The hash of each step by its name: tells which steps' definitions have changed. */
export function stepHashes(pipeline: Pipeline): Record<string, string> {
    return Object.fromEntries(pipeline.steps.map((step) => [step.name, hashOf(step)]));
}

/** The hash of everything that a pipeline says, its descriptions left aside: they are for people only. */
export function pipelineHash(pipeline: Pipeline): string {
    const params = Object.entries(pipeline.params).map(
        ([name, { description: _, ...param }]) => [name, param] as const,
    );
    return hashOf({ ...pipeline, description: undefined, params: Object.fromEntries(params) });
}
