import * as pulumi from "@pulumi/pulumi";
import { definePipeline, LocalOrchestrator } from "../../src";
import { Recorder } from "../../src/testing";

const RUN = "stackrun:index:Run";
const pipeline = definePipeline({
    name: "tested",
    params: { horizon: 7 },
    steps: [{ name: "one", run: "true" }],
});
const value = <T>(output: pulumi.Output<T>) =>
    new Promise<T>((resolve) => output.apply((it) => resolve(it as T)));

describe("stackrun/testing", () => {
    // Where the SDK logs to when there is no engine.
    beforeEach(() => jest.spyOn(console, "log").mockImplementation(() => undefined));
    afterEach(() => jest.restoreAllMocks());

    const declare = (name: string, params = {}) =>
        new LocalOrchestrator(name, { pipeline, params, code: __dirname });

    it("records what a program declares, and answers as a run that succeeded", async () => {
        const recorder = await Recorder.install({ project: "shop", stack: "prod" });
        expect([pulumi.getProject(), pulumi.getStack()]).toEqual(["shop", "prod"]);
        const job = declare("job", { horizon: 14 });
        expect(await value(job.status)).toBe("Succeeded");
        expect(await value(job.runId)).toBe("tested-run");
        expect(await value(job.metrics)).toEqual({});
        await recorder.settled();
        expect(recorder.declared.map(({ name }) => name)).toEqual(["job", "job-id", "job"]);
        expect(recorder.one(RUN).inputs.params).toEqual({ horizon: 14 });
    });

    it("answers what a test says, for the resources that it chooses", async () => {
        const recorder = await Recorder.install({
            outputsOf: ({ type, name }) =>
                type === RUN && name === "b"
                    ? { status: "Succeeded", metrics: { one: { loss: 2 } } }
                    : undefined,
        });
        const [a, b] = [declare("a"), declare("b")];
        expect(await value(b.metrics)).toEqual({ one: { loss: 2 } });
        expect(await value(a.metrics)).toEqual({});
        await recorder.settled();
        expect(
            recorder
                .all(RUN)
                .map(({ name }) => name)
                .sort(),
        ).toEqual(["a", "b"]);
        expect(recorder.one(RUN, "a").name).toBe("a");
    });

    it("names what there is when something else was looked for", async () => {
        const recorder = await Recorder.install();
        expect(() => recorder.one(RUN)).toThrow(`0 resources are ${RUN}; declared: nothing`);
        declare("a");
        declare("b");
        await recorder.settled();
        expect(() => recorder.one(RUN)).toThrow(`2 resources are ${RUN}; declared: `);
        expect(() => recorder.one(RUN, "c")).toThrow(`0 resources are ${RUN} "c"`);
        recorder.clear();
        expect(recorder.declared).toEqual([]);
    });

    it("does not know outputs in a preview", async () => {
        const recorder = await Recorder.install({ preview: true, outputsOf: () => undefined });
        expect(pulumi.runtime.isDryRun()).toBe(true);
        declare("job");
        await recorder.settled();
        expect(recorder.one(RUN).inputs.pipeline).toMatchObject({ name: "tested" });
    });
});
