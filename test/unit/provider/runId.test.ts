import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { silentLog } from "../../../src/provider/engineLog";
import { newRunId, runIdHandler } from "../../../src/provider/resources/runId";
import { secret, unknown, type Properties } from "../../../src/provider/values";
import { noViews } from "../../../src/provider/views";
import type { Outcome } from "../../../src/run/follower";

const FOLLOWER = path.resolve(__dirname, "../../support/fakeFollower.js");

describe("RunId", () => {
    let stateDir: string;
    let inputs: Properties;
    beforeEach(() => {
        stateDir = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-runid-"));
        fs.mkdirSync(path.join(stateDir, "runs/r1"), { recursive: true });
        inputs = {
            pipeline: "weather",
            orchestrator: "o",
            code: "hash",
            steps: { load: "a", "my-step": "b" },
            params: { horizon: 1 },
            follower: { module: FOLLOWER, options: {} },
            stateDir,
        };
    });
    afterEach(() => fs.rmSync(stateDir, { recursive: true }));

    const last = (outcome: Outcome, attempt = 1) =>
        fs.writeFileSync(path.join(stateDir, `runs/r1/outcome-${attempt}.json`), JSON.stringify(outcome));
    const finished = (state: "Succeeded" | "Failed" | "Lost" | "Cancelled" | "TimedOut"): Outcome => ({
        kind: "Finished",
        state,
        reason: "",
        message: "why",
    });
    const olds = { runId: "r1", attempt: 1 };
    const diff = (change: Properties) =>
        runIdHandler.diff({
            id: "x",
            urn: "u",
            inputs: { ...inputs, ...change },
            oldInputs: inputs,
            oldOutputs: olds,
        });
    const common = {
        urn: "u",
        log: silentLog,
        views: noViews,
        signal: new AbortController().signal,
        closed: new AbortController().signal,
    };
    const update = (change: Properties, preview = false) =>
        runIdHandler.update({
            ...common,
            id: "x",
            preview,
            inputs: { value: { ...inputs, ...change }, secrets: new Set() },
            oldInputs: inputs,
            oldOutputs: olds,
        });

    describe("what a target is declared with", () => {
        const config = { memory: 2 };

        it("makes no new run when it changes, whatever became of the last one", async () => {
            for (const outcome of [finished("Succeeded"), { kind: "Running" } as const]) {
                last(outcome);
                expect(await diff({ config })).toEqual({ changes: [] });
            }
        });

        it("is that of the next attempt or run, in a preview too", async () => {
            last(finished("Failed"));
            for (const preview of [true, false]) {
                expect((await update({ config }, preview)).outputs).toMatchObject({ attempt: 2, config });
                const changed = await update({ config, trigger: 2 }, preview);
                expect(changed.outputs).toMatchObject({ attempt: 1, config });
            }
        });

        it("stays as it was while the attempt does, and secret if something in it is", async () => {
            last({ kind: "Running" });
            const request = {
                ...common,
                id: "x",
                preview: false,
                inputs: { value: { ...inputs, config }, secrets: new Set(["config.envs[0]"]) },
                oldInputs: inputs,
                oldOutputs: { ...olds, nonce: "n", config: { memory: 1 } },
            };
            const { outputs } = await runIdHandler.update(request);
            expect(outputs).toEqual({ ...olds, nonce: "n", config: secret({ memory: 1 }) });
        });
    });

    it("has nothing to do when nothing changed and the run succeeded", async () => {
        last(finished("Succeeded"));
        expect(await diff({})).toEqual({ changes: [] });
    });

    it.each<[string, Properties]>([
        ["a further attempt", {}],
        ["another run", { trigger: 2 }],
    ])("keeps what nobody has followed of the last attempt before %s", async (_, change) => {
        last(finished("Failed"));
        const items = [
            { type: "log", lines: [{ step: "load", text: "no such table" }] },
            { type: "lost", state: "Failed", reason: "OutOfMemory", message: "too much" },
        ];
        fs.writeFileSync(path.join(stateDir, "runs/r1/items-1.json"), JSON.stringify(items));
        await update(change, true);
        expect(fs.existsSync(path.join(stateDir, "runs/r1/log"))).toBe(false);
        await update(change);
        expect(fs.readFileSync(path.join(stateDir, "runs/r1/log"), "utf8")).toBe("load\tno such table\n");
        await update(change);
        expect(fs.readFileSync(path.join(stateDir, "runs/r1/log"), "utf8")).toBe("load\tno such table\n");
    });

    it.each(["Failed", "TimedOut", "Cancelled", "Lost"] as const)(
        "makes attempt 2 of a run that was %s",
        async (state) => {
            last(finished(state));
            expect(await diff({})).toEqual({ changes: [], force: true });
            const outputs = { runId: "r1", attempt: 2 };
            expect(await update({}, true)).toEqual({ outputs: { ...outputs, nonce: unknown } });
            // Another one: what was left of the attempt before must not pass for this one's events.
            const nonce = expect.stringMatching(/^[0-9a-f]{32}$/) as string;
            expect(await update({})).toEqual({ outputs: { ...outputs, nonce } });
        },
    );

    it.each([{ kind: "Running" }, { kind: "NotStarted" }] as const)(
        "keeps the attempt that is %j",
        async (outcome) => {
            last(outcome);
            expect(await diff({})).toEqual({ changes: [] });
        },
    );

    it.each<[string, Properties, string[]]>([
        ["code", { code: "other" }, ["code"]],
        ["a parameter", { params: { horizon: 2 } }, ["params.horizon"]],
        ["a step that goes", { steps: { load: "a" } }, ['steps["my-step"]']],
        ["an image that comes", { image: "python" }, ["image"]],
        ["a trigger", { trigger: "now" }, ["trigger"]],
        ["what is not known yet", { params: { horizon: unknown } }, ["params.horizon"]],
    ])("makes a new run after a change of %s, and names it", async (_, change, changes) => {
        last(finished("Succeeded"));
        expect(await diff(change)).toEqual({ changes });
        expect(await update(change, true)).toEqual({
            outputs: { runId: unknown, attempt: 1, nonce: unknown },
        });
        const { outputs } = (await update(change)) as { outputs: { runId: string; attempt: number } };
        expect(outputs.attempt).toBe(1);
        expect(outputs.runId).not.toBe("r1");
        expect(fs.existsSync(path.join(stateDir, "runs", outputs.runId))).toBe(true);
    });

    it("does not count what only says how to follow", async () => {
        last(finished("Succeeded"));
        expect(
            await diff({ whileRunning: "replace", follower: { module: FOLLOWER, options: { other: 1 } } }),
        ).toEqual({ changes: [] });
    });

    it("refuses a change while the run is running, unless told otherwise", async () => {
        last({ kind: "Running" });
        await expect(diff({ code: "other" })).rejects.toThrow(
            /run r1 is still running, and code changed.*whileRunning: "replace"/s,
        );
        expect(await diff({ code: "other", whileRunning: "replace" })).toEqual({ changes: ["code"] });
    });

    const cancelled = () => {
        const file = path.join(stateDir, "runs/r1/cancelled");
        return fs.existsSync(file) ? fs.readFileSync(file, "utf8") : undefined;
    };

    it("cancels the running run before it names the new one: the state may have no Run that would", async () => {
        last({ kind: "Running" });
        await expect(update({ code: "other" })).rejects.toThrow(/still running/);
        expect(cancelled()).toBeUndefined();
        await update({ code: "other", whileRunning: "replace" });
        expect(cancelled()).toBe("replaced by a new run");
    });

    it("cancels what still runs when it is deleted, and leaves a run that has ended alone", async () => {
        const remove = () =>
            runIdHandler.delete({
                ...common,
                preview: false,
                id: "x",
                oldInputs: { value: inputs, secrets: new Set() },
                outputs: olds,
            });
        last(finished("Succeeded"));
        await remove();
        expect(cancelled()).toBeUndefined();
        last({ kind: "Running" });
        await remove();
        expect(cancelled()).toBe("the run was deleted from its stack");
    });

    it("finds the running run where its record was when the folder for records changes too", async () => {
        last({ kind: "Running" });
        const elsewhere = path.join(stateDir, "elsewhere");
        const strict = { module: FOLLOWER, options: { strict: true } };
        await expect(diff({ code: "other", stateDir: elsewhere, follower: strict })).rejects.toThrow(
            /still running/,
        );
    });

    it("never guesses when the outcome can't be looked up", async () => {
        const follower = { module: FOLLOWER, options: { broken: true } };
        await expect(diff({ follower })).rejects.toThrow(
            /outcome of run r1 can't be looked up: connection refused/,
        );
    });

    it("refuses a secret among the parameters and the environment, by name", () => {
        const secrets = new Set(["params.horizon", "env", "trigger"]);
        const failures = runIdHandler.check({ urn: "u", inputs: { value: inputs, secrets } });
        const reason = expect.stringContaining('pass it in "secrets" instead');
        expect(failures).toEqual([
            { property: "params.horizon", reason },
            { property: "env", reason },
        ]);
    });

    it("names no run and touches nothing in a preview", async () => {
        const before = fs.readdirSync(path.join(stateDir, "runs"));
        const { outputs } = await runIdHandler.create({
            ...common,
            preview: true,
            inputs: { value: inputs, secrets: new Set() },
        });
        expect(outputs).toEqual({ runId: unknown, attempt: 1, nonce: unknown });
        expect(fs.readdirSync(path.join(stateDir, "runs"))).toEqual(before);
    });
});

it.each([
    ["weather", /^weather-20260102-030405-[a-z0-9]{4}$/],
    ["Wetter für Köln & 東京", /^wetter-fur-koln-20260102-030405-[a-z0-9]{4}$/],
    ["123", /^run-20260102-030405-[a-z0-9]{4}$/],
    ["a".repeat(200), /^a{19}-20260102-030405-[a-z0-9]{4}$/],
    ["東京", /^run-20260102-030405-[a-z0-9]{4}$/],
])("names a run of %j as a DNS label", (pipeline, expected) => {
    const id = newRunId(pipeline, new Date("2026-01-02T03:04:05Z"));
    expect(id).toMatch(expected);
    expect(id.length).toBeLessThanOrEqual(40);
});
