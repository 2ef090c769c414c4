import * as fs from "node:fs";
import * as path from "node:path";
import { silentLog } from "../../../src/provider/engineLog";
import { runHandler } from "../../../src/provider/resources/run";
import { isUnknown, type Properties } from "../../../src/provider/values";
import { noViews } from "../../../src/provider/views";
import type { Outcome } from "../../../src/run/follower";
import { useFolder } from "../../support/folder";
import { pipelineOf } from "../../support/pipelines";

const FOLLOWER = path.resolve(__dirname, "../../support/fakeFollower.js");

describe("Run", () => {
    const folder = useFolder();
    const handler = runHandler();
    const runDir = () => path.join(folder(), "runs/r1");
    beforeEach(() => fs.mkdirSync(runDir(), { recursive: true }));

    const inputs = (change: Properties = {}): Properties => ({
        runId: "r1",
        attempt: 1,
        pipeline: pipelineOf("load") as unknown as Properties,
        params: {},
        codeDir: folder(),
        codeHash: "h",
        follower: { module: FOLLOWER, options: {} },
        stateDir: folder(),
        ...change,
    });
    const last = (outcome: Outcome) =>
        fs.writeFileSync(path.join(runDir(), "outcome-1.json"), JSON.stringify(outcome));
    const diff = (change: Properties, oldOutputs: Properties) =>
        handler.diff({ id: "i", urn: "u", inputs: inputs(change), oldInputs: inputs(), oldOutputs });
    const common = {
        urn: "a::b::c::name",
        log: silentLog,
        views: noViews,
        signal: new AbortController().signal,
        closed: new AbortController().signal,
        preview: false,
    };
    const decoded = (change: Properties = {}) => ({ value: inputs(change), secrets: new Set<string>() });

    it("is replaced by another run or attempt, and by nothing else", async () => {
        const succeeded = { status: "Succeeded" };
        expect(await diff({ runId: "r2" }, succeeded)).toEqual({ changes: ["runId"], replace: true });
        expect(await diff({ attempt: 2 }, succeeded)).toEqual({ changes: ["attempt"], replace: true });
        expect(await diff({ codeDir: "/elsewhere", wait: false, codeHash: "other" }, succeeded)).toEqual({
            changes: [],
        });
    });

    it("that was left running is followed on by an update, if it is to be waited for or has ended", async () => {
        const running = { status: "Running" };
        last({ kind: "Running" });
        expect(await diff({}, running)).toEqual({ changes: [], force: true });
        expect(await diff({ wait: false }, running)).toEqual({ changes: [], force: false });
        last({ kind: "Finished", state: "Succeeded", reason: "", message: "" });
        expect(await diff({ wait: false }, running)).toEqual({ changes: [], force: true });
    });

    it("that did not succeed and whose record is gone is never run again on a guess", async () => {
        last({ kind: "NoRecord", message: "there is no folder" });
        await expect(diff({}, { status: "Failed" })).rejects.toThrow(
            /outcome of run r1 can't be looked up: there is no folder.*trigger/s,
        );
        await expect(handler.create({ ...common, inputs: decoded() })).rejects.toThrow(/can't be looked up/);
        expect(await diff({}, { status: "Succeeded" })).toEqual({ changes: [] });
    });

    it("in a preview tells its id and attempt, and that the rest is not known", async () => {
        const { outputs } = (await handler.create({ ...common, preview: true, inputs: decoded() })) as {
            outputs: Properties;
        };
        expect(outputs).toMatchObject({ runId: "r1", attempt: 1 });
        expect(isUnknown(outputs.status)).toBe(true);
        expect(fs.readdirSync(runDir())).toEqual([]);
    });

    it("is not started any more once the update was cancelled", async () => {
        const signal = AbortSignal.abort();
        await expect(handler.create({ ...common, signal, inputs: decoded() })).rejects.toThrow(/abort/i);
    });

    it("is cancelled by its deletion while it runs, and left alone after its end", async () => {
        last({ kind: "Running" });
        const remove = (status: string) =>
            handler.delete({ ...common, id: "i", oldInputs: decoded(), outputs: { status } });
        await remove("Succeeded");
        expect(fs.existsSync(path.join(runDir(), "cancelled"))).toBe(false);
        await remove("Running");
        expect(fs.readFileSync(path.join(runDir(), "cancelled"), "utf8")).toBe(
            "the run was deleted from its stack",
        );
    });

    it("is deleted although its log can't be read, and says so", async () => {
        last({ kind: "Finished", state: "Failed", reason: "", message: "" });
        fs.writeFileSync(path.join(runDir(), "items-1.json"), "no JSON");
        const info = jest.fn();
        const outputs = { status: "Running" };
        const log = { ...silentLog, info };
        await handler.delete({ ...common, log, id: "i", oldInputs: decoded(), outputs });
        expect(info).toHaveBeenCalledWith(
            expect.stringMatching(/^the rest of the log of run r1 can't be had: .*JSON/),
        );
    });

    it("is read to its end before its target is deleted, if nobody has done that", async () => {
        last({ kind: "Finished", state: "Lost", reason: "ContainerGone", message: "it is gone" });
        await handler.delete({ ...common, id: "i", oldInputs: decoded(), outputs: { status: "Running" } });
        expect(fs.existsSync(path.join(runDir(), "cancelled"))).toBe(false);
        const file = JSON.parse(fs.readFileSync(path.join(runDir(), "run.json"), "utf8"));
        expect(file).toMatchObject({ status: "Lost", message: "it is gone" });
    });

    it("keeps what is recorded of it when it is read after its end", async () => {
        const outputs = { status: "Failed", message: "why" };
        expect(await handler.read({ ...common, id: "i", inputs: decoded(), outputs })).toEqual({ outputs });
    });

    it("refuses secrets that no environment variable can hold", () => {
        const failures = handler.check({
            urn: "u",
            inputs: decoded({ secrets: { A: "x\0y", B: 5, C: "fine" } }),
        });
        expect(failures.map(({ property }) => property)).toEqual(["secrets.A", "secrets.B"]);
    });
});
