import * as fs from "node:fs";
import * as path from "node:path";
import type { Follower, FollowItem } from "../../../src/run/follower";
import { followRun, lookAt, type FollowSink } from "../../../src/run/followRun";
import { readRunFile } from "../../../src/run/record";
import type { RunnerEvent } from "../../../src/run/events";
import { useFolder } from "../../support/folder";
import { pipelineOf } from "../../support/pipelines";

const event = (n: number, body: object, attempt = 1): FollowItem => ({
    type: "event",
    event: { n, nonce: "x", time: `2026-01-01T00:00:0${n}Z`, attempt, ...body } as RunnerEvent,
});
const started = event(1, { type: "run.started", pid: 1 });
const succeeded = event(9, {
    type: "run.finished",
    state: "Succeeded",
    reason: "",
    exitCode: 0,
    message: "",
});
const interrupted: FollowItem = { type: "interrupted", message: "the machine was taken" };

describe("following a run", () => {
    const folder = useFolder();
    const run = () => ({ runId: "r", attempt: 1, runDir: folder() });
    const quiet: FollowSink = { log: () => undefined, changed: () => undefined };
    const follow = (
        follower: Partial<Follower>,
        more: {
            signal?: AbortSignal;
            detach?: AbortSignal;
            secrets?: string[];
            maxRecoveries?: number;
            sink?: FollowSink;
        } = {},
    ) =>
        followRun({
            follower: {
                lastOutcome: () => Promise.resolve({ kind: "Running" }),
                cancel: () => Promise.resolve(),
                ...follower,
            } as Follower,
            run: run(),
            pipeline: pipelineOf("load"),
            params: {},
            sink: quiet,
            signal: new AbortController().signal,
            ...more,
        });
    const items = (...all: FollowItem[]): Pick<Follower, "follow"> => ({
        async *follow() {
            yield* all;
        },
    });

    it("keeps the record of a target that can't keep it itself; followed again, it is the same", async () => {
        const log: FollowItem = { type: "log", lines: [{ step: "load", text: "hello" }] };
        const target = items(started, log, succeeded);
        const record = () => [
            fs.readFileSync(path.join(folder(), "events.jsonl"), "utf8"),
            fs.readFileSync(path.join(folder(), "log"), "utf8"),
        ];
        expect(await follow(target)).toMatchObject({ status: "Succeeded", pipeline: "test" });
        const first = record();
        expect(first[1]).toBe("load\thello\n");
        expect(first[0].split("\n").length).toBe(3);
        await follow(target);
        expect(record()).toEqual(first);
        expect(await readRunFile(folder())).toMatchObject({ runId: "r", status: "Succeeded" });
    });

    it("shows what happens in its order", async () => {
        const seen: string[] = [];
        const sink: FollowSink = {
            log: (lines) => seen.push(...lines.map(({ text }) => text)),
            changed: ({ status }) => seen.push(status),
        };
        await follow(items(started, { type: "log", lines: [{ step: "load", text: "line" }] }, succeeded), {
            sink,
        });
        expect(seen).toEqual(["Running", "line", "Succeeded"]);
    });

    it("recovers an interrupted run, and counts the interruptions", async () => {
        let recovered = 0;
        const recover = () => Promise.resolve(void recovered++);
        const result = await follow({
            ...items(started, interrupted, started, interrupted, started, succeeded),
            recover,
        });
        expect(result).toMatchObject({ status: "Succeeded", interruptions: 2 });
        expect(recovered).toBe(2);
    });

    it("gives up after too many recoveries", async () => {
        const recover = () => Promise.resolve();
        const result = await follow(
            { ...items(started, interrupted, interrupted, succeeded), recover },
            { maxRecoveries: 1 },
        );
        expect(result).toMatchObject({ status: "Lost", reason: "PreemptionLimit" });
    });

    it("is lost when nothing can bring the machine back", async () => {
        expect(await follow(items(started, interrupted, succeeded))).toMatchObject({
            status: "Lost",
            reason: "Interrupted",
            message: "the machine was taken",
        });
    });

    it("cancels the run when asked to, and goes on following to its end", async () => {
        const abort = new AbortController();
        const reasons: string[] = [];
        const cancelled = event(5, {
            type: "run.finished",
            state: "Cancelled",
            reason: "Cancelled",
            exitCode: 67,
            message: "why",
        });
        const follower: Partial<Follower> = {
            cancel: (_, reason) => Promise.resolve(void reasons.push(reason)),
            async *follow() {
                yield started;
                abort.abort();
                await Promise.resolve();
                yield cancelled;
            },
        };
        expect(await follow(follower, { signal: abort.signal })).toMatchObject({ status: "Cancelled" });
        expect(reasons).toEqual(["cancelled by the user"]);
    });

    it("fails with the reason, instead of hanging, when the run can't be cancelled", async () => {
        const abort = new AbortController();
        const follower: Partial<Follower> = {
            cancel: () => Promise.reject(new Error("no access")),
            async *follow(_, signal) {
                yield started;
                abort.abort();
                await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
            },
        };
        await expect(follow(follower, { signal: abort.signal })).rejects.toThrow("no access");
    });

    it("stops when nobody wants to know any more", async () => {
        const detach = new AbortController();
        const follower: Partial<Follower> = {
            async *follow(_, signal) {
                yield started;
                detach.abort();
                await new Promise<void>((resolve) =>
                    signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve()),
                );
            },
        };
        await expect(follow(follower, { detach: detach.signal })).rejects.toThrow(
            /no longer followed; it goes on/,
        );
    });

    it("has no secret in the record, whoever wrote the line or the message", async () => {
        const log: FollowItem = { type: "log", lines: [{ step: "load", text: "the key is s3cret" }] };
        const failed = event(9, {
            type: "run.finished",
            state: "Failed",
            reason: "X",
            exitCode: 1,
            message: "s3cret was refused",
        });
        const result = await follow(items(started, log, failed), { secrets: ["s3cret"] });
        expect(result.message).toBe("*** was refused");
        const record = fs.readdirSync(folder()).flatMap((name) => {
            const file = path.join(folder(), name);
            return fs.statSync(file).isFile() ? [fs.readFileSync(file, "utf8")] : [];
        });
        expect(record.join("")).toContain("the key is ***");
        expect(record.join("")).not.toContain("s3cret");
    });

    it("shows no secret, whoever wrote the line or the message", async () => {
        const log: FollowItem = {
            type: "log",
            lines: [{ step: "load", text: "the key is s3cret, s3cret!" }],
        };
        const waits: FollowItem = { type: "status", text: "pulling s3cret" };
        const taken: FollowItem = { type: "interrupted", message: "s3cret was taken" };
        const failed = event(9, {
            type: "run.finished",
            state: "Failed",
            reason: "X",
            exitCode: 1,
            message: "s3cret was refused",
        });
        const shown: unknown[] = [];
        const sink: FollowSink = {
            log: (lines) => shown.push(...lines.map(({ text }) => text)),
            changed: ({ message }, item) =>
                shown.push(
                    item.type === "status" ? item.text : item.type === "interrupted" ? item.message : message,
                ),
        };
        const follower = { ...items(started, waits, log, taken, failed), recover: () => Promise.resolve() };
        await follow(follower, { secrets: ["s3cret", ""], sink });
        expect(shown).toEqual([
            "",
            "pulling ***",
            "the key is ***, ***!",
            "*** was taken",
            "*** was refused",
        ]);
    });

    it("keeps an error of the follower, and what was recorded before it", async () => {
        const broken: Partial<Follower> = {
            async *follow() {
                yield started;
                throw new Error("connection reset");
            },
        };
        await expect(follow(broken)).rejects.toThrow("connection reset");
        expect(fs.readFileSync(path.join(folder(), "events.jsonl"), "utf8")).toContain("run.started");
    });

    const lost = () =>
        Promise.resolve({
            kind: "Finished",
            state: "Lost",
            reason: "RunnerKilled",
            message: "gone",
        } as const);

    it("that ends without a word is what the look-up says", async () => {
        expect(await follow({ ...items(started), lastOutcome: lost })).toMatchObject({
            status: "Lost",
            reason: "RunnerKilled",
            message: "gone",
        });
    });

    it("fails, and guesses nothing, when the follower stops before the run has ended", async () => {
        await expect(follow(items(started))).rejects.toThrow(
            /stopped following, and the run has not ended \(Running\)/,
        );
    });

    it("looks at a run whose target ended without a word", async () => {
        fs.writeFileSync(
            path.join(folder(), "events.jsonl"),
            `${JSON.stringify((started as { event: object }).event)}\n`,
        );
        const follower = {
            ...items(),
            recordsItself: true,
            lastOutcome: lost,
            cancel: () => Promise.resolve(),
        } as Follower;
        const seen = await lookAt({ follower, run: run(), pipeline: pipelineOf("load"), params: {} });
        expect(seen).toMatchObject({ status: "Lost", reason: "RunnerKilled", message: "gone" });
    });

    it("looks at a run that its target did not record by following it through its end", async () => {
        const lastOutcome = () =>
            Promise.resolve({ kind: "Finished", state: "Succeeded", reason: "", message: "" } as const);
        const follower = {
            ...items(started, succeeded),
            lastOutcome,
            cancel: () => Promise.resolve(),
        } as Follower;
        const seen = await lookAt({ follower, run: run(), pipeline: pipelineOf("load"), params: {} });
        expect(seen).toMatchObject({ status: "Succeeded", startedAt: "2026-01-01T00:00:01Z" });
    });
});
