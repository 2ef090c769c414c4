import { pipelineSchema } from "../../../src/pipeline/schema";
import { read, REPO } from "./pages";

interface Api {
    readonly exported: readonly { readonly name: string; readonly documentation: string }[];
}
/* eslint-disable @typescript-eslint/no-require-imports */
const { pipelineReference } = require("../../../scripts/docs/pipelineReference.js") as {
    pipelineReference(schema: unknown): string;
};
const { apiReference, readApi } = require("../../../scripts/docs/apiReference.js") as {
    apiReference(api: Api): string;
    readApi(root: string): Api;
};
/* eslint-enable @typescript-eslint/no-require-imports */

// When one of these fails: npm run build && node scripts/docs/generate.js

it("docs/pipeline.md is what the schema says", () => {
    expect(read("docs/pipeline.md")).toBe(pipelineReference(pipelineSchema));
});

describe("docs/api.md", () => {
    const api = readApi(REPO);

    it("is what the doc comments say", () => {
        expect(read("docs/api.md")).toBe(apiReference(api));
    });

    it("has a doc comment for everything that the package exports", () => {
        const names = api.exported.map(({ name }) => name);
        expect(names).toEqual(
            expect.arrayContaining(["LocalOrchestrator", "Orchestrator", "definePipeline"]),
        );
        expect(api.exported.filter(({ documentation }) => documentation === "")).toEqual([]);
    });
});
