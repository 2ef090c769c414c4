import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { RunError } from "@pulumi/pulumi";
import Ajv from "ajv";
import { PipelineError } from "../../../src/pipeline";
import { schemaText } from "../../../src/pipeline/printSchema";
import { pipelineSchema } from "../../../src/pipeline/schema";

const FILE = join(__dirname, "../../../schema/pipeline.schema.json");

test("the published schema is the one in the code", () => {
    expect(readFileSync(FILE, "utf8")).toBe(schemaText());
});

describe("the published schema", () => {
    const schema = JSON.parse(readFileSync(FILE, "utf8")) as Record<string, unknown>;
    const validate = new Ajv({ strict: false }).compile(schema);

    test("is a draft-07 schema that any validator can use", () => {
        expect(schema.$schema).toBe("http://json-schema.org/draft-07/schema#");
        expect(schema.$id).toMatch(/^urn:/);
        expect(
            validate({ name: "x", steps: [{ name: "a", run: ["b"], retries: 2, timeout: "1h30m" }] }),
        ).toBe(true);
    });

    test.each([
        [{ name: "x" }],
        [{ name: "x", steps: [] }],
        [{ name: "x", steps: [{ name: "a" }] }],
        [{ name: "x", steps: [{ name: "a", run: "b", foo: 1 }] }],
        [{ name: "x", timeout: "soon", steps: [{ name: "a", run: "b" }] }],
        [{ name: "x", env: { "A-B": 1 }, steps: [{ name: "a", run: "b" }] }],
    ])("refuses %j", (document) => {
        expect(validate(document)).toBe(false);
    });
});

test("every key has a description for editors", () => {
    const missing: string[] = [];
    const visit = (schema: Record<string, unknown>, path: string): void => {
        for (const [key, part] of Object.entries(
            (schema.properties ?? {}) as Record<string, Record<string, unknown>>,
        )) {
            if (typeof part.description !== "string" || typeof part.errorMessage !== "string") {
                missing.push(`${path}.${key}`);
            }
            visit(part, `${path}.${key}`);
        }
        for (const part of [schema.items, schema.additionalProperties]) {
            if (typeof part === "object" && part !== null) {
                visit(part as Record<string, unknown>, `${path}[]`);
            }
        }
    };
    visit(pipelineSchema, "");
    expect(missing).toEqual([]);
});

test("the error shows its mistakes and no stack, in a Pulumi program too", () => {
    const error = new PipelineError([
        {
            file: "p.yaml",
            line: 2,
            column: 3,
            path: "a[0]",
            message: "is wrong",
            allowed: "b",
            suggestion: "c",
        },
        { path: "d", message: "is missing" },
    ]);
    const text = 'p.yaml:2:3: a[0]: is wrong; allowed: b; did you mean "c"?\nd: is missing';
    expect([error.message, error.stack, inspect(error), error.name]).toEqual([
        text,
        text,
        text,
        "PipelineError",
    ]);
    expect(error).toBeInstanceOf(Error);
    expect(RunError.isInstance(error)).toBe(true);
});
