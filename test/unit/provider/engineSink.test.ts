import { EngineSink, statusText } from "../../../src/provider/engineSink";
import type { ResourceLog } from "../../../src/provider/engineLog";
import type { RunnerEvent } from "../../../src/run/events";
import { newSnapshot } from "../../../src/run/snapshot";
import { pipelineOf } from "../../support/pipelines";

const run = () => newSnapshot({ runId: "r", attempt: 1, runDir: "/r" }, pipelineOf("load", "train"));
const event = (body: object) =>
    ({ type: "event", event: { n: 1, nonce: "", time: "", attempt: 1, ...body } as RunnerEvent }) as const;
const line = (text: string, step = "load") => ({ step, text });

function sink() {
    const shown: string[] = [];
    let now = 0;
    const log: ResourceLog = {
        info: (text) => shown.push(text),
        warn: (text) => shown.push(`warning: ${text}`),
        status: () => undefined,
        flush: () => Promise.resolve(),
    };
    const made = new EngineSink({ log, whereLog: "/r/log", now: () => now });
    return { made, shown, pass: (ms: number) => (now += ms) };
}

describe("what the engine is shown of a log", () => {
    it("is every line of a short one", () => {
        const { made, shown } = sink();
        made.log([line("one"), line("two", "train"), { step: "", text: "of the runner" }]);
        made.end();
        expect(shown).toEqual(["load | one", "train | two", "of the runner"]);
    });

    it("is bounded at once, per second and in all, and says how much is missing and where it is", () => {
        const { made, shown, pass } = sink();
        const many = (count: number) =>
            made.log(Array.from({ length: count }, (_, index) => line(String(index))));
        many(10_000);
        expect(shown.length).toBe(300);
        pass(1000);
        many(10_000);
        expect(shown.length).toBe(400);
        for (let second = 0; second < 60; second++) {
            pass(1000);
            many(1000);
        }
        expect(shown.length).toBe(1000);
        made.end();
        expect(shown.at(-1)).toBe("79,000 lines are not shown here; the whole log: /r/log");
    });

    it("ends with the last lines of a step that failed, though the budget is used up", () => {
        const { made, shown } = sink();
        const snapshot = run();
        made.changed(snapshot, event({ type: "step.started", step: "load", try: 1 }));
        made.log(Array.from({ length: 5000 }, (_, index) => line(`line ${index}`)));
        made.changed(
            snapshot,
            event({
                type: "step.finished",
                step: "load",
                state: "Failed",
                try: 1,
                exitCode: 1,
                reason: "StepFailed",
                durationSeconds: 1,
            }),
        );
        const tail = shown.slice(-21);
        expect(tail[0]).toBe("the last lines of step load:");
        expect(tail.slice(1)).toEqual(
            Array.from({ length: 20 }, (_, index) => `load | line ${4980 + index}`),
        );
        made.end();
        expect(shown.at(-1)).toBe("4,680 lines are not shown here; the whole log: /r/log");
    });

    it("does not repeat lines of a failed step that were shown", () => {
        const { made, shown } = sink();
        made.log([line("only")]);
        made.changed(
            run(),
            event({
                type: "step.finished",
                step: "load",
                state: "Failed",
                try: 1,
                exitCode: 1,
                reason: "StepFailed",
                durationSeconds: 1,
            }),
        );
        made.end();
        expect(shown).toEqual(["load | only"]);
    });
});

describe("the status text", () => {
    it("names the running step, its number and the time", () => {
        const snapshot = run();
        Object.assign(snapshot.steps[0], { state: "Succeeded" });
        Object.assign(snapshot.steps[1], { state: "Running" });
        expect(statusText(snapshot, "", 12)).toBe("train 2/2 · 12 s");
    });

    it("after the end tells how it ended", () => {
        expect(statusText({ ...run(), status: "Failed", message: "step load failed" }, "", 3)).toBe(
            "Failed: step load failed",
        );
    });

    it("says what the target waits for, as long as no step runs", () => {
        expect(statusText(run(), "pulling the image", 75)).toBe("pulling the image · 1 min 15 s");
    });
});
