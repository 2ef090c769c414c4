import * as fs from "node:fs";
import * as path from "node:path";
import { parsePipeline } from "../../../src/pipeline/load";
import { stackrun } from "../../support/cli";
import { useFolder } from "../../support/folder";

describe("stackrun runs", () => {
    const folder = useFolder();
    const definition = parsePipeline("name: p\nsteps: [{name: one, run: ls}]\n", "pipeline.yaml");
    const record = (runId: string, fields: object) => {
        const dir = path.join(folder(), ".stackrun/runs", runId);
        fs.mkdirSync(dir, { recursive: true });
        const run = { runId, attempt: 1, reason: "", message: "", steps: [], metrics: {}, artifacts: {} };
        const text = JSON.stringify({ ...run, params: {}, logUrl: "file:///log", definition, ...fields });
        fs.writeFileSync(path.join(dir, "run.json"), text);
    };
    const three = () => {
        const at = (hour: number) => ({ startedAt: `2026-11-22T0${hour}:00:00.000Z` });
        record("a-2", { pipeline: "a", status: "Failed", attempt: 3, durationSeconds: 75, ...at(2) });
        record("b-1", { pipeline: "b", status: "Succeeded", durationSeconds: 0.25, ...at(3) });
        record("a-1", { pipeline: "a", status: "Succeeded", durationSeconds: 1, ...at(1) });
    };
    const ids = (...args: string[]) =>
        (JSON.parse(stackrun(folder(), ["runs", "--json", ...args]).stdout) as { runId: string }[]).map(
            ({ runId }) => runId,
        );

    it("shows a table, newest first", () => {
        three();
        const { code, stdout, stderr } = stackrun(folder(), ["runs"], { TZ: "UTC" });
        expect(stdout.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
            ["RUN", "PIPELINE", "STATUS", "ATTEMPT", "STARTED", "DURATION"],
            ["b-1", "b", "Succeeded", "1", "2026-11-22 03:00:00", expect.stringMatching(/^0\.[23] s$/)],
            ["a-2", "a", "Failed", "3", "2026-11-22 02:00:00", expect.stringMatching(/^1 min 15 s|75/)],
            ["a-1", "a", "Succeeded", "1", "2026-11-22 01:00:00", "1.0 s"],
            [""],
        ]);
        expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    });

    it("narrows them down", () => {
        three();
        expect(ids()).toEqual(["b-1", "a-2", "a-1"]);
        expect(ids("--pipeline", "a")).toEqual(["a-2", "a-1"]);
        expect(ids("--status", "succeeded")).toEqual(["b-1", "a-1"]);
        expect(ids("--pipeline", "a", "--status", "Succeeded")).toEqual(["a-1"]);
        expect(ids("--limit", "2")).toEqual(["b-1", "a-2"]);
        expect(ids("--pipeline", "c")).toEqual([]);
        const none = stackrun(folder(), ["runs", "--pipeline", "c"]);
        expect(none).toEqual({
            code: 0,
            stdout: "",
            stderr: expect.stringContaining("there are runs of b, a"),
        });
    });

    it("names all wrong options", () => {
        const { code, stderr } = stackrun(folder(), ["runs", "--status", "Faild", "--limit", "0"]);
        expect(stderr).toContain('--status "Faild" is no state of a run');
        expect(stderr).toContain("did you mean Failed?");
        expect(stderr).toContain('--limit "0" is no number of runs');
        expect(code).toBe(2);
    });

    it("says so when there are none", () => {
        expect(stackrun(folder(), ["runs"])).toMatchObject({
            code: 0,
            stdout: "",
            stderr: expect.stringContaining("there is no recorded run"),
        });
        expect(ids()).toEqual([]);
    });

    it("passes over what is no record, with a word", () => {
        three();
        const runs = path.join(folder(), ".stackrun/runs");
        fs.mkdirSync(path.join(runs, "empty"));
        fs.writeFileSync(path.join(runs, "file"), "");
        record("foreign", {});
        record("copied", { pipeline: "a", status: "Failed", runId: "a-2" });
        fs.mkdirSync(path.join(runs, "torn"));
        fs.writeFileSync(path.join(runs, "torn", "run.json"), '{"runId": "to');
        const { code, stdout, stderr } = stackrun(folder(), ["runs", "--json"]);
        expect((JSON.parse(stdout) as unknown[]).length).toBe(3);
        expect(stderr.trim().split("\n").sort()).toEqual([
            "passed over .stackrun/runs/copied: its run.json is about another run, a-2",
            "passed over .stackrun/runs/empty: it has no run.json",
            expect.stringContaining("passed over .stackrun/runs/file: "),
            "passed over .stackrun/runs/foreign: its run.json is not about a run",
            "passed over .stackrun/runs/torn: its run.json is no JSON",
        ]);
        expect(code).toBe(0);
        const status = stackrun(folder(), ["status", "torn"]);
        expect(status).toEqual({
            code: 3,
            stdout: "",
            stderr: "the record of run torn can't be read: its run.json is no JSON\n",
        });
    });

    it("cancels nothing that has ended, and knows no other run", () => {
        three();
        expect(stackrun(folder(), ["cancel", "a-2"])).toEqual({
            code: 0,
            stdout: "run a-2 has ended already: Failed\n",
            stderr: "",
        });
        expect(stackrun(folder(), ["cancel"])).toMatchObject({
            code: 0,
            stdout: expect.stringContaining("no run is running"),
        });
        expect(stackrun(folder(), ["cancel", "a-22"])).toMatchObject({
            code: 2,
            stderr: "there is no run a-22; did you mean a-2?\n",
        });
        record("far", { pipeline: "a", status: "Running" });
        expect(stackrun(folder(), ["cancel", "far"])).toMatchObject({
            code: 3,
            stderr: expect.stringContaining("run far does not run on this machine"),
        });
    });
});
