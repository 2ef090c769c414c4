import type { ErrorObject } from "ajv";
import { compileSchema, validatorCode } from "../../../src/pipeline/compileSchema";

type Validate = ((value: unknown) => boolean) & { errors?: ErrorObject[] | null };

const STEP = { name: "a", run: "b" };
const GOOD: readonly unknown[] = [
    { name: "x", steps: [STEP] },
    { name: "x", image: { build: { args: { A: 1 } } }, params: { n: { type: "integer" } }, steps: [STEP] },
];
const BAD: readonly unknown[] = [
    null,
    [],
    "x",
    {},
    { name: "x", steps: [] },
    { name: "x\n/y", steps: [STEP] },
    { name: "x", steps: [{ name: "a" }, { run: 3 }, 7] },
    { name: "x", steps: [{ ...STEP, foo: 1, retries: -1, timeout: "soon" }] },
    { name: "x", steps: [{ ...STEP, retries: { limit: 101, factor: 0.5 } }] },
    { name: "x", steps: [{ ...STEP, retries: {} }] },
    { name: "x", steps: [{ ...STEP, inputs: { raw: 1 }, outputs: [1], resources: { memory: "much" } }] },
    { name: "x", env: { "A-B": 1, C: null }, steps: [STEP] },
    { name: "x", params: { n: { type: "float", enum: [] } }, steps: [STEP] },
    { name: "x", steps: Array.from({ length: 1001 }, () => STEP) },
];

describe("the validator that the build makes", () => {
    const code = validatorCode();
    const built = evaluate(code);

    it("needs nothing else", () => {
        expect(code).not.toMatch(/\brequire\(|\bimport\b/);
    });

    it.each([...GOOD, ...BAD].map((document) => [JSON.stringify(document).slice(0, 90), document]))(
        "says of %s what the schema says",
        (_, document) => {
            const compiled = compileSchema() as Validate;
            expect([built(document), GOOD.includes(document)]).toEqual([compiled(document), built(document)]);
            expect(built.errors).toEqual(compiled.errors);
        },
    );
});

function evaluate(code: string): Validate {
    const made: { validate?: Validate } = {};
    new Function("exports", code)(made);
    return made.validate as Validate;
}
