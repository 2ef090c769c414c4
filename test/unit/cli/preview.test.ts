import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Forecaster } from "../../../src/cli/preview";
import { pipelineOf } from "../../support/pipelines";

describe("what a preview tells", () => {
    let stateDir: string;
    beforeEach(() => (stateDir = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-preview-"))));
    afterEach(() => fs.rmSync(stateDir, { recursive: true }));

    const old = {
        outputs: { runId: "r1", attempt: 1 },
        inputs: {
            params: { n: 2, word: "a" },
            env: { KEY: "secret?" },
            steps: { one: "x", gone: "y" },
            code: "1",
        },
    };
    const forecast = (runId: object, run: object = { op: "same" }) => {
        const forecaster = new Forecaster();
        for (const [type, metadata] of [
            ["RunId", runId],
            ["Run", { op: "delete-replaced" }],
            ["Run", run],
            ["Step", { op: "delete" }],
        ] as const) {
            const event = { resourcePreEvent: { metadata: { type: `stackrun:index:${type}`, ...metadata } } };
            forecaster.onEvent(event as unknown as Parameters<Forecaster["onEvent"]>[0]);
        }
        return forecaster.forecast({ stateDir, pipeline: pipelineOf("one", "two") });
    };
    const record = (content: object) => {
        fs.mkdirSync(path.join(stateDir, "runs/r1"), { recursive: true });
        fs.writeFileSync(path.join(stateDir, "runs/r1/run.json"), JSON.stringify(content));
    };

    it("the first run of a stack", async () => {
        const expected = {
            action: "new run",
            attempt: 1,
            why: ["this stack has had no run yet"],
            steps: ["one", "two"],
        };
        expect(await forecast({ op: "create" }, { op: "create" })).toEqual(expected);
    });

    it("a new run, and all that changed; no values of environment variables", async () => {
        const news = {
            inputs: { params: { n: 3, more: true }, env: { KEY: "other" }, steps: { one: "z" }, code: "2" },
        };
        const diffs = [
            "code",
            "params.n",
            "params.word",
            "params.more",
            'env["KEY"]',
            "steps.one",
            "steps.gone",
            "trigger",
        ];
        const detailedDiff = Object.fromEntries(
            diffs.map((path) => [path, { kind: "update", inputDiff: true }]),
        );
        expect(await forecast({ op: "update", old, new: news, detailedDiff }, { op: "replace" })).toEqual({
            action: "new run",
            runId: "r1",
            attempt: 1,
            why: [
                "the code has changed",
                "parameter n: 2 → 3",
                "parameter word is gone",
                "parameter more is new",
                "environment variable KEY has changed",
                "step one has changed",
                "step gone is gone",
                "trigger is new",
            ],
            steps: ["one", "two"],
        });
    });

    it("the next attempt of a run that failed, and which steps are left", async () => {
        record({
            status: "Failed",
            message: "step two failed with exit code 1",
            steps: [
                { name: "one", state: "Succeeded" },
                { name: "two", state: "Failed" },
            ],
        });
        expect(
            await forecast({ op: "update", old, new: { inputs: {} }, detailedDiff: {} }, { op: "replace" }),
        ).toEqual({
            action: "next attempt",
            runId: "r1",
            attempt: 2,
            why: ["attempt 1 was Failed: step two failed with exit code 1"],
            steps: ["two"],
        });
    });

    it.each(["create", "update"])("a run that is there and is followed (%s)", async (op) => {
        record({
            status: "Running",
            steps: [
                { name: "one", state: "Succeeded" },
                { name: "two", state: "Running" },
            ],
        });
        expect(await forecast({ op: "same", old }, { op })).toMatchObject({
            action: "follow",
            runId: "r1",
            steps: ["two"],
        });
    });

    it("nothing", async () => {
        expect(await forecast({ op: "same", old })).toMatchObject({
            action: "nothing",
            runId: "r1",
            steps: [],
        });
    });
});
