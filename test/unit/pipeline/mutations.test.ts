import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { Pipeline, PipelineError, loadPipelineFile, pipelineHash, toRunPlan } from "../../../src/pipeline";

const VALID = `name: weather
image: {build: {context: ., args: {A: 1}}}
params:
  horizon: 7
  model: {type: string, default: small, enum: [small, large], pattern: '^[a-z]+$'}
env: {LOG_LEVEL: info}
secrets: [API_TOKEN]
timeout: 2h
parallelism: 2
steps:
  - name: load
    run: python load.py "$STACKRUN_OUTPUTS/raw.csv"
    outputs: [raw.csv]
    env: &env {A: b}
  - name: train
    run: [python, train.py]
    inputs: {raw: load/raw.csv}
    retries: {limit: 2, delay: 10s, factor: 2}
    timeout: 30m
    cache: true
    resources: {cpu: 2, memory: 4Gi, gpu: 1}
    env: *env
  - name: score
    run: |
      echo one
      echo two
    after: [train]
    processing: dataflow
`;

const NASTY = [
    ...'null ~ true 0 -1 1e400 .nan 99999999999999999999 \'\' "\\0" "\\uD800" [] {} *env &x !t !!set [[]] {<<: 1} | > - ?'.split(
        " ",
    ),
    ..."load train / .. ../x load/x x/load __proto__ constructor STACKRUN_X 10s 0s 1y : , # % @ ` \" ' ] } --- ...".split(
        " ",
    ),
    "\t",
    " ",
    "\n",
    "\u2028",
    "é",
    "a b",
    "x".repeat(70),
];

type Edit = (text: string) => string;

const index = fc.nat({ max: 10_000 });

const onLines = (change: (lines: string[], i: number, j: number) => void): fc.Arbitrary<Edit> =>
    fc.tuple(index, index).map(([i, j]) => (text) => {
        const lines = text.split("\n");
        change(lines, i % lines.length, j % lines.length);
        return lines.join("\n");
    });

/** Replaces the i-th match. */
const onMatch = (pattern: RegExp, change: (match: string, by: string) => string): fc.Arbitrary<Edit> =>
    fc.tuple(index, fc.constantFrom(...NASTY)).map(([i, by]) => (text) => {
        const matches = [...text.matchAll(pattern)];
        const match = matches[i % Math.max(1, matches.length)];
        return match === undefined
            ? text
            : text.slice(0, match.index) + change(match[0], by) + text.slice(match.index + match[0].length);
    });

const textEdit: fc.Arbitrary<Edit> = fc.oneof(
    onLines((lines, i) => lines.splice(i, 1)),
    onLines((lines, i, j) => lines.splice(j, 0, lines[i])),
    onLines((lines, i, j) => ([lines[i], lines[j]] = [lines[j], lines[i]])),
    onLines((lines, i, j) => (lines[i] = " ".repeat(j % 7) + lines[i].trimStart())),
    onLines((lines, i, j) => lines.splice(i, j)),
    onMatch(/[\w./$-]+/g, (_, by) => by),
    onMatch(/[\w./$-]+/g, (word, by) => word + by),
    onMatch(/[\w-]+(?=:)/g, (key) => key.slice(1)),
    onMatch(/[\w-]+(?=:)/g, (key) => key + key.slice(-1)),
    onMatch(/\w+/g, (word) => word.toUpperCase()),
    onMatch(/[[\]{}:,'"|&*-]/g, () => ""),
    onMatch(/[[\]{}:,'"|&*-]/g, (_, by) => by),
    onMatch(/\n/g, (_, by) => `\n${by}\n`),
);

const byText = fc
    .array(textEdit, { minLength: 1, maxLength: 4 })
    .map((edits) => Buffer.from(edits.reduce((text, edit) => edit(text), VALID)));

const byBytes = fc
    .array(fc.tuple(index, fc.uint8Array({ maxLength: 3 })), { minLength: 1, maxLength: 3 })
    .map((edits) =>
        edits.reduce((bytes, [at, by]) => {
            const i = at % bytes.length;
            return Buffer.concat([bytes.subarray(0, i), by, bytes.subarray(i + (at % 3))]);
        }, Buffer.from(VALID)),
    );

/** The same shape with other values: of any kind, at any place. */
const byStructure = fc
    .tuple(fc.array(fc.tuple(index, fc.jsonValue()), { minLength: 1, maxLength: 3 }))
    .map(([edits]) => {
        const document: unknown = {
            name: "x",
            params: { a: 1, b: { type: "string", default: "c" } },
            env: { A: "b" },
            secrets: ["B"],
            steps: [
                { name: "a", run: "x", outputs: ["o"], retries: { limit: 1 } },
                {
                    name: "b",
                    run: ["y", "z"],
                    inputs: { i: "a/o" },
                    after: ["a"],
                    resources: { cpu: 1 },
                    timeout: "1h",
                },
            ],
        };
        for (const [at, value] of edits) {
            const places = placesIn(document);
            const [holder, key] = places[at % places.length];
            holder[key] = value;
        }
        return Buffer.from(JSON.stringify(document));
    });

function placesIn(value: unknown): [Record<string, unknown>, string][] {
    if (typeof value !== "object" || value === null) {
        return [];
    }
    const holder = value as Record<string, unknown>;
    return Object.keys(holder).flatMap((key) => [
        [holder, key] as [typeof holder, string],
        ...placesIn(holder[key]),
    ]);
}

describe("a file that went wrong somehow", () => {
    const folder = mkdtempSync(join(tmpdir(), "stackrun-mutations-"));
    const file = join(folder, "pipeline.yaml");
    afterAll(() => rmSync(folder, { recursive: true }));

    function outcomeOf(bytes: Uint8Array): Pipeline | PipelineError {
        writeFileSync(file, bytes);
        try {
            return loadPipelineFile(file);
        } catch (error) {
            if (error instanceof PipelineError) {
                return error;
            }
            throw error;
        }
    }

    function expectPositions({ mistakes, message }: PipelineError, bytes: Uint8Array): void {
        const lines = Buffer.from(bytes)
            .toString("utf8")
            .split(/\r\n?|\n/).length;
        expect(mistakes.length).toBeGreaterThan(0);
        for (const { line, column } of mistakes) {
            expect(line).toBeGreaterThan(0);
            expect(line).toBeLessThanOrEqual(lines);
            expect(column).toBeGreaterThan(0);
        }
        expect(message).not.toMatch(/\n\s+at |node_modules|undefined/);
    }

    function expectRunnable(pipeline: Pipeline): void {
        const options = { runId: "r", attempt: 1, nonce: "n", stream: "files", params: {} } as const;
        const { steps } = toRunPlan(pipeline, options);
        const names = steps.map(({ name }) => name);
        expect(new Set(names).size).toBe(names.length);
        for (const [i, { argv, after, inputs, outputs }] of steps.entries()) {
            expect(argv[0]).not.toBe("");
            const before = new Set(names.slice(0, i));
            expect(
                [...after, ...Object.values(inputs).map(({ step }) => step)].filter(
                    (name) => !before.has(name),
                ),
            ).toEqual([]);
            expect(outputs.filter((path) => path.split("/").includes("..") || path.startsWith("/"))).toEqual(
                [],
            );
        }
        expect(JSON.stringify(pipeline)).not.toContain("\\u0000");
        expect(pipelineHash(pipeline)).toHaveLength(64);
    }

    test("the one that they start from is good", () => {
        expect(outcomeOf(Buffer.from(VALID))).toMatchObject({ name: "weather" });
    });

    test("is refused with positions, or is a pipeline that can run", () => {
        let [good, bad] = [0, 0];
        const anyMutation = fc.oneof({ arbitrary: byText, weight: 3 }, byBytes, byStructure);
        fc.assert(
            fc.property(anyMutation, (bytes) => {
                const start = performance.now();
                const outcome = outcomeOf(bytes);
                expect(performance.now() - start).toBeLessThan(5000);
                if (outcome instanceof PipelineError) {
                    bad += 1;
                    expectPositions(outcome, bytes);
                } else {
                    good += 1;
                    expectRunnable(outcome);
                }
            }),
            { numRuns: 1000 },
        );
        // Mutations that all end the same way would show nothing.
        expect(Math.min(good, bad)).toBeGreaterThan(10);
    });
});
