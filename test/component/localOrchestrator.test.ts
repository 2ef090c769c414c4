import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import {
    BadInputError,
    definePipeline,
    LocalOrchestrator,
    type LocalOrchestratorArgs,
} from "../../src/index";
import { Recorder, settled, valueOf } from "../support/mocks";
import { secretOf } from "../support/wire";

const RUN = "stackrun:index:Run";
const RUN_ID = "stackrun:index:RunId";

describe("LocalOrchestrator", () => {
    const recorder = new Recorder();
    let dir: string;
    let pipeline: string;
    beforeAll(() => recorder.install());
    beforeEach(() => {
        recorder.clear();
        recorder.outputsOf = ({ type }) =>
            type === RUN_ID
                ? { runId: "r1", attempt: 1 }
                : type === RUN
                  ? { status: "Succeeded", message: "done" }
                  : {};
        dir = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-component-"));
        pipeline = path.join(dir, "pipeline.yaml");
        fs.writeFileSync(
            pipeline,
            "name: p\nparams: {horizon: 7}\nsecrets: [TOKEN]\nenv: {A: '1'}\nsteps: [{name: load, run: ls}]\n",
        );
    });
    afterEach(async () => {
        await settled();
        fs.rmSync(dir, { recursive: true });
    });

    const args = (more: Partial<LocalOrchestratorArgs> = {}): LocalOrchestratorArgs => ({
        pipeline,
        secrets: { TOKEN: "t" },
        stateDir: path.join(dir, ".stackrun"),
        ...more,
    });

    it("declares a RunId and a Run below it, and nothing else", async () => {
        const local = new LocalOrchestrator("job", args());
        expect(await valueOf(local.status)).toBe("Succeeded");
        await settled();
        expect(recorder.declared.map(({ type, name }) => [type, name])).toEqual([
            ["stackrun:index:LocalOrchestrator", "job"],
            [RUN_ID, "job-id"],
            [RUN, "job"],
        ]);
    });

    it("says in the RunId what makes a run another one, and nothing of the secrets' values", async () => {
        const local = new LocalOrchestrator(
            "job",
            args({ params: { horizon: "14" }, env: { B: "2" }, trigger: "today" }),
        );
        await valueOf(local.runId);
        const { inputs } = recorder.one(RUN_ID);
        expect(inputs).toEqual({
            pipeline: "p",
            orchestrator: "stackrun:index:LocalOrchestrator",
            code: expect.stringMatching(/^[0-9a-f]{64}$/),
            steps: { load: expect.stringMatching(/^[0-9a-f]{64}$/) },
            params: { horizon: 14 },
            env: { A: "1", B: "2" },
            secrets: ["TOKEN"],
            trigger: "today",
            whileRunning: "refuse",
            follower: { module: "local" },
            stateDir: path.join(dir, ".stackrun"),
        });
    });

    it("hands the values of secrets on as secrets", async () => {
        const local = new LocalOrchestrator("job", args());
        await valueOf(local.status);
        expect(recorder.one(RUN).inputs.secrets).toEqual(secretOf({ TOKEN: "t" }));
    });

    it("takes outputs of other resources as inputs", async () => {
        const horizon = pulumi.output(Promise.resolve(3));
        const local = new LocalOrchestrator(
            "job",
            args({ params: { horizon }, secrets: { TOKEN: pulumi.output("from elsewhere") } }),
        );
        await valueOf(local.status);
        expect(recorder.one(RUN).inputs.params).toEqual({ horizon: 3 });
        expect(recorder.one(RUN).inputs.secrets).toEqual(secretOf({ TOKEN: "from elsewhere" }));
    });

    it("takes a pipeline written in TypeScript", async () => {
        const defined = definePipeline({ name: "typed", steps: [{ name: "one", run: ["true"] }] });
        const local = new LocalOrchestrator("job", {
            pipeline: defined,
            code: dir,
            stateDir: path.join(dir, ".stackrun"),
        });
        await valueOf(local.status);
        expect(recorder.one(RUN_ID).inputs.pipeline).toBe("typed");
        expect(recorder.one(RUN).inputs.codeDir).toBe(dir);
    });

    it.each([
        ["record", "Failed"],
        ["fail", "Succeeded"],
    ] as const)("with onFailure %s a run that is %s fails nothing", async (onFailure, status) => {
        recorder.outputsOf = ({ type }) => (type === RUN ? { status } : { runId: "r1", attempt: 1 });
        const local = new LocalOrchestrator("job", args({ onFailure }));
        expect(await valueOf(local.status)).toBe(status);
    });

    describe("refuses, with all mistakes at once and before anything is declared,", () => {
        const mistakes = (more: Partial<LocalOrchestratorArgs>): readonly string[] => {
            try {
                new LocalOrchestrator("job", args(more));
            } catch (error) {
                expect(error).toBeInstanceOf(BadInputError);
                return (error as BadInputError).mistakes;
            }
            throw new Error("was not refused");
        };

        it("wrong arguments", async () => {
            const wrong = {
                onFailure: "ignore",
                whileRunning: "stop",
                parallelism: 0,
                timeout: "soon",
                env: { STACKRUN_X: "1" },
                secrets: { TOKN: "t" },
            };
            expect(mistakes(wrong as unknown as Partial<LocalOrchestratorArgs>)).toEqual([
                expect.stringContaining('LocalOrchestrator "job": timeout is "soon"; allowed: a duration'),
                'LocalOrchestrator "job": onFailure is "ignore"; allowed: "fail", "record"',
                'LocalOrchestrator "job": whileRunning is "stop"; allowed: "refuse", "replace"',
                'LocalOrchestrator "job": parallelism is 0; allowed: a whole number from 1',
                expect.stringContaining("env.STACKRUN_X can't be set"),
                expect.stringContaining("secrets.TOKEN is missing"),
                expect.stringContaining('did you mean "TOKEN"?'),
            ]);
            await settled();
            expect(recorder.declared.filter(({ type }) => type === RUN || type === RUN_ID)).toEqual([]);
        });

        it("a parameter that the pipeline does not have, or of the wrong type", () => {
            const found = mistakes({ params: { horizn: 1, horizon: "many" } }).join("\n");
            expect(found).toContain('did you mean "horizon"?');
            expect(found).toMatch(/params\.horizon: .*"many"/);
        });

        it("a pipeline with mistakes, by line and column", () => {
            fs.writeFileSync(pipeline, "name: p\nsteps:\n  - name: load\n    rum: ls\n");
            expect(mistakes({}).join("\n")).toContain(`${pipeline}:4:5: steps[0].rum`);
        });

        it("a code folder that isn't there", () => {
            expect(mistakes({ code: path.join(dir, "nowhere") })).toEqual([
                `code: ${path.join(dir, "nowhere")} is not a folder`,
            ]);
        });
    });
});
