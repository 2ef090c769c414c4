import * as fs from "node:fs";
import * as path from "node:path";
import * as fc from "fast-check";
import type { RunnerEvent } from "../../../src/run/events";
import type { FollowItem, Follower, RunRef } from "../../../src/run/follower";
import { followRun } from "../../../src/run/followRun";
import { recordedOutcome } from "../../../src/run/outcome";
import { readEvents } from "../../../src/run/record";
import { useFolder } from "../../support/folder";

const PIPELINE = {
    name: "p",
    params: {},
    env: {},
    secrets: [],
    parallelism: 1,
    steps: [
        {
            name: "a",
            run: "true",
            after: [],
            inputs: {},
            outputs: ["x"],
            env: {},
            retries: { limit: 0, delaySeconds: 0, factor: 1 },
            cache: false,
        },
    ],
};
type Body = { type: string } & Record<string, unknown>;
const event = (n: number, body: Body): FollowItem => ({
    type: "event",
    event: { n, nonce: "x", time: "2026-01-01T00:00:00.000Z", attempt: 1, ...body } as RunnerEvent,
});
const line = (text: string): FollowItem => ({ type: "log", lines: [{ step: "a", text }] });
const done = { step: "a", try: 1, exitCode: 0, reason: "", durationSeconds: 1 };
const finished = { state: "Succeeded", reason: "", exitCode: 0, message: "" };

/** A machine is taken in the middle, and the next one begins to count its events anew. */
const STORY: FollowItem[] = [
    { type: "image", ref: "python:3", digest: "python@sha256:1" },
    event(1, { type: "run.started", pid: 1, fresh: true }),
    event(2, { type: "step.started", step: "a", try: 1 }),
    line("one"),
    { type: "interrupted", message: "the node was drained" },
    event(1, { type: "run.started", pid: 1, fresh: true }),
    event(2, { type: "step.started", step: "a", try: 1 }),
    line("two"),
    { type: "status", text: "working" },
    line("three"),
    event(3, { type: "artifact", step: "a", name: "x", size: 3, sha256: "abc", uri: "gs://b/x" }),
    event(4, { type: "step.finished", state: "Succeeded", ...done }),
    event(5, { type: "run.finished", ...finished }),
];

describe("the record of a run that can't write it itself", () => {
    const folder = useFolder();
    let run: RunRef;
    beforeEach(() => {
        run = { runId: "r", attempt: 1, runDir: path.join(folder(), "r") };
    });

    /** Follows a story whose items are its bookmarks, or has none; killed when it has handed out `until` items. */
    const follow = async (story: FollowItem[], bookmarks: boolean, until = Infinity) => {
        const asked: (string | undefined)[] = [];
        const follower: Follower = {
            lastOutcome: () => Promise.resolve({ kind: "Running" }),

            async *follow(_run, _signal, from) {
                asked.push(from);
                const begin = from === undefined ? 0 : Number(from);
                for (let index = begin; index < story.length; index++) {
                    if (index - begin >= until) {
                        throw new Error("killed");
                    }
                    const item = story[index] as FollowItem;
                    yield bookmarks && index % 2 === 1 ? { ...item, bookmark: String(index + 1) } : item;
                }
            },
            cancel: () => Promise.resolve(),
            recover: () => Promise.resolve(),
        };
        const sink = { log: () => undefined, changed: () => undefined };
        const { signal } = new AbortController();
        const file = await followRun({ follower, run, pipeline: PIPELINE, params: {}, sink, signal }).catch(
            () => undefined,
        );
        return { file, asked };
    };
    const record = async () => ({
        events: (await readEvents(run.runDir)).map(({ n, type }) => `${n} ${type}`),
        log: fs.readFileSync(path.join(run.runDir, "log"), "utf8"),
    });

    it("numbers events without a gap, and keeps what only the follower knows", async () => {
        const { file } = await follow(STORY, false);
        expect(await record()).toEqual({
            events: [
                "1 run.image",
                "2 run.started",
                "3 step.started",
                "4 run.interrupted",
                "5 run.started",
                "6 step.started",
                "7 artifact",
                "8 step.finished",
                "9 run.finished",
            ],
            log: "a\tone\na\ttwo\na\tthree\n",
        });
        expect(file).toMatchObject({
            status: "Succeeded",
            interruptions: 1,
            image: { ref: "python:3", digest: "python@sha256:1" },
            artifacts: { "a/x": { uri: "gs://b/x", size: 3, sha256: "abc" } },
            steps: [{ name: "a", attempts: 2, outputs: { x: "gs://b/x" } }],
        });
    });

    it("is the same as without a kill, wherever the follower was killed, with bookmarks and without", async () => {
        const whole = await follow(STORY, false);
        const expected = await record();
        await fc.assert(
            fc.asyncProperty(
                fc.array(fc.nat(STORY.length), { maxLength: 4 }),
                fc.boolean(),
                async (kills, bookmarks) => {
                    fs.rmSync(run.runDir, { recursive: true, force: true });
                    for (const kill of kills) {
                        await follow(STORY, bookmarks, kill);
                    }
                    const { file } = await follow(STORY, bookmarks);
                    expect(await record()).toEqual(expected);
                    expect(file).toEqual(whole.file);
                },
            ),
            { numRuns: 60 },
        );
    });

    it("asks a follower to go on behind its last bookmark", async () => {
        await follow(STORY, true, 5);
        expect((await follow(STORY, true)).asked).toEqual(["4"]);
        await follow(STORY, false);
    });

    it("starts all steps anew on a machine that holds nothing of them", async () => {
        const second = [
            ...STORY.slice(0, 2),
            event(2, { type: "step.started", step: "a", try: 1 }),
            event(3, { type: "step.finished", state: "Succeeded", ...done }),
            { type: "interrupted", message: "taken" } as const,
            event(1, { type: "run.started", pid: 1, fresh: true }),
            event(2, {
                type: "run.finished",
                state: "Failed",
                reason: "RecordFailed",
                exitCode: 65,
                message: "full",
            }),
        ];
        const { file } = await follow(second, false);
        expect(file?.steps).toMatchObject([{ state: "Pending" }]);
        const kept = [...second];
        kept[5] = event(4, { type: "run.started", pid: 1 });
        fs.rmSync(run.runDir, { recursive: true });
        expect((await follow(kept, false)).file?.steps).toMatchObject([{ state: "Succeeded" }]);
    });

    it("keeps an end that only the target told, and looks it up again", async () => {
        const story: FollowItem[] = [
            ...STORY.slice(0, 4),
            { type: "lost", state: "Failed", reason: "OutOfMemory", message: "killed for want of memory" },
        ];
        const { file } = await follow(story, false);
        expect(file).toMatchObject({ status: "Failed", reason: "OutOfMemory" });
        expect(await recordedOutcome(run)).toEqual({
            kind: "Finished",
            state: "Failed",
            reason: "OutOfMemory",
            message: "killed for want of memory",
        });
        expect(await recordedOutcome({ ...run, attempt: 2 })).toBeUndefined();
    });
});
