import type { ErrorObject } from "ajv";
import { suggestDuration, DURATION_PATTERN } from "./duration";
import { IDENTIFIER, MEMORY, suggestIdentifier, suggestMemory } from "./names";
import { suggestBoolean } from "./paramValue";
import { DocPath } from "./path";
import { MistakeDetails, Report, Source } from "./report";
import type { Schema } from "./schema";
import { validate } from "./validator";
import { describe, nearest, quote } from "./words";

/** Reports what does not fit the schema. */
export function checkStructure(source: Source, report: Report): void {
    if (!validate(source.value)) {
        for (const error of validate.errors ?? []) {
            translate(error, toPath(error.instancePath, source.value), report);
        }
    }
}

/** A JSON pointer's parts are all texts: what they point through tells which are indices. */
function toPath(pointer: string, root: unknown): DocPath {
    const path: (string | number)[] = [];
    let value = root;
    for (const raw of pointer.split("/").slice(1)) {
        const part = raw.replace(/~1/g, "/").replace(/~0/g, "~");
        path.push(Array.isArray(value) ? Number(part) : part);
        value = (value as Record<string, unknown>)[part];
    }
    return path;
}

function translate(error: ErrorObject, path: DocPath, report: Report): void {
    const schema = error.parentSchema as Schema;
    const words = allowedBy(schema);
    switch (error.keyword) {
        case "required":
            return reportMissing(String(error.params.missingProperty), schema, path, report);
        case "additionalProperties": {
            const key = String(error.params.additionalProperty);
            return report.mistake([...path, key], "unknown key", unknownKey(key, schema, error.data));
        }
        case "propertyNames":
            return undefined; // the fault of the name itself is reported beside it
        case "minItems":
        case "minProperties":
            return report.mistake(path, "is empty", words);
        case "maxItems":
            return report.mistake(path, `has ${(error.data as unknown[]).length} entries`, {
                allowed: `${error.params.limit} at most`,
            });
    }
    if (error.propertyName !== undefined) {
        const name = error.propertyName;
        return report.mistake([...path, name], `${quote(name)} can't be a name`, {
            ...words,
            part: "key",
            suggestion: () => suggestIdentifier(name),
        });
    }
    report.mistake(path, fault(error.data, error.keyword === "type" && schema.type === "string"), {
        ...words,
        suggestion: () => suggestValue(error, schema),
    });
}

function reportMissing(key: string, schema: Schema, path: DocPath, report: Report): void {
    const properties = schema.properties as Readonly<Record<string, Schema>>;
    report.mistake([...path, key], "is missing", allowedBy(properties[key]));
}

function fault(value: unknown, textWanted: boolean): string {
    if (typeof value === "string" && value.trim() === "") {
        return "is empty";
    }
    const unquoted = textWanted && (typeof value === "number" || typeof value === "boolean");
    return unquoted
        ? `found the ${typeof value} ${value}, not a text (put it in quotes)`
        : `found ${describe(value)}`;
}

function allowedBy(schema: Schema): { allowed?: string } {
    const words = schema.errorMessage;
    return typeof words === "string" ? { allowed: words.replace(/^Allowed: /, "") } : {};
}

/** What other tools call our keys. */
const SYNONYMS: Readonly<Record<string, string>> = {
    command: "run",
    cmd: "run",
    script: "run",
    args: "run",
    depends: "after",
    depends_on: "after",
    dependsOn: "after",
    dependencies: "after",
    needs: "after",
    environment: "env",
    variables: "env",
    parameters: "params",
    artifacts: "outputs",
    title: "name",
    id: "name",
    tasks: "steps",
    jobs: "steps",
    stages: "steps",
    concurrency: "parallelism",
    max_parallel: "parallelism",
    container: "image",
    backoff: "delay",
    multiplier: "factor",
    attempts: "limit",
    count: "limit",
    mem: "memory",
    choices: "enum",
    values: "enum",
    min: "minimum",
    max: "maximum",
    regex: "pattern",
};

function unknownKey(key: string, schema: Schema, data: unknown): MistakeDetails {
    const known = Object.keys(schema.properties as object);
    const free = known.filter((name) => !Object.hasOwn(data as object, name));
    const synonym = Object.hasOwn(SYNONYMS, key) && free.includes(SYNONYMS[key]) ? SYNONYMS[key] : undefined;
    return { allowed: known.join(", "), part: "key", suggestion: () => nearest(key, free) ?? synonym };
}

const TYPES: ReadonlyMap<string, string> = new Map([
    ["int", "integer"],
    ["long", "integer"],
    ["str", "string"],
    ["text", "string"],
    ["float", "number"],
    ["double", "number"],
    ["bool", "boolean"],
]);

function suggestValue(error: ErrorObject, schema: Schema): string | undefined {
    const value: unknown = error.data;
    if (error.keyword === "enum") {
        const choices = (schema.enum as unknown[]).map(String);
        return typeof value === "string"
            ? (TYPES.get(value.toLowerCase()) ?? nearest(value, choices))
            : undefined;
    }
    if (typeof value === "string") {
        return suggestForText(value, schema);
    }
    return undefined;
}

function suggestForText(value: string, schema: Schema): string | undefined {
    const types = [schema.type].flat();
    if (types.includes("boolean") && !types.includes("string")) {
        return suggestBoolean(value);
    }
    if ((types.includes("integer") || types.includes("number")) && !types.includes("string")) {
        return /^-?[0-9]+$/.test(value) ? value : undefined;
    }
    switch (schema.pattern) {
        case DURATION_PATTERN:
            return suggestDuration(value);
        case MEMORY.pattern:
            return suggestMemory(value);
        case IDENTIFIER.pattern:
            return suggestIdentifier(value);
        default:
            return undefined;
    }
}
