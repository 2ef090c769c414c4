import type { RunnerEvent, RunnerEventBody, StepReason } from "../../../src/run/events";
import { apply, formatSeconds, newSnapshot, type RunSnapshot } from "../../../src/run/snapshot";
import { pipelineOf } from "../../support/pipelines";

function replay(bodies: readonly (RunnerEventBody & { attempt?: number })[], run = start()): RunSnapshot {
    bodies.forEach((body, index) => {
        const time = new Date(Date.UTC(2026, 0, 1, 0, 0, index)).toISOString();
        apply(run, {
            type: "event",
            event: { n: index + 1, nonce: "n", time, attempt: 1, ...body } as RunnerEvent,
        });
    });
    return run;
}

const start = () => newSnapshot({ runId: "r", attempt: 1, runDir: "/r" }, pipelineOf("load", "train"));
const finished = (
    step: string,
    state: "Succeeded" | "Failed" | "Cancelled",
    exitCode: number,
    tries = 1,
    reason: StepReason = "StepFailed",
): RunnerEventBody => ({
    type: "step.finished",
    step,
    state,
    try: tries,
    exitCode,
    reason: state === "Failed" ? reason : "",
    durationSeconds: 1.5,
});

describe("the state of a run", () => {
    it("succeeds when all steps have", () => {
        const run = replay([
            { type: "run.started", pid: 1 },
            { type: "step.started", step: "load", try: 1 },
            finished("load", "Succeeded", 0),
            { type: "step.started", step: "train", try: 1 },
            { type: "metric", step: "train", name: "loss", value: 0.25 },
            finished("train", "Succeeded", 0),
            { type: "run.finished", state: "Succeeded", reason: "", exitCode: 0, message: "" },
        ]);
        expect(run).toMatchObject({
            status: "Succeeded",
            reason: "",
            message: "2 steps in 6.0 s",
            exitCode: 0,
            durationSeconds: 6,
        });
        expect(run.steps.map(({ name, state, attempts }) => [name, state, attempts])).toEqual([
            ["load", "Succeeded", 1],
            ["train", "Succeeded", 1],
        ]);
        expect(run.metrics).toEqual({ train: { loss: 0.25 } });
    });

    it("names the step that failed, its exit code and its tries", () => {
        const run = replay([
            { type: "run.started", pid: 1 },
            { type: "step.started", step: "load", try: 1 },
            {
                type: "step.retrying",
                step: "load",
                try: 1,
                exitCode: 3,
                delaySeconds: 1,
                reason: "StepFailed",
            },
            { type: "step.started", step: "load", try: 2 },
            finished("load", "Failed", 3, 2),
            { type: "step.skipped", step: "train", reason: "DependencyFailed" },
            { type: "run.finished", state: "Failed", reason: "StepFailed", exitCode: 1, message: "" },
        ]);
        expect(run).toMatchObject({
            status: "Failed",
            reason: "StepFailed",
            exitCode: 3,
            message: "step load failed with exit code 3 at try 2",
        });
        expect(run.steps[1]).toMatchObject({ name: "train", state: "Skipped" });
    });

    it("says of a step that could not be stored what the runner says, and not that it failed", () => {
        const message =
            'step "load" has ended well, but what it left is not in the artifact store: no access';
        const reason = "ArtifactStoreFailed";
        const run = replay([
            { type: "run.started", pid: 1 },
            { type: "step.started", step: "load", try: 1 },
            finished("load", "Failed", 0, 1, reason),
            { type: "run.finished", state: "Failed", reason, exitCode: 69, message },
        ]);
        expect(run).toMatchObject({ status: "Failed", reason, exitCode: 69, message });
    });

    it("keeps what an earlier attempt finished, and begins the rest anew", () => {
        const run = replay([
            { type: "run.started", pid: 1 },
            { type: "step.started", step: "load", try: 1 },
            finished("load", "Succeeded", 0),
            { type: "step.started", step: "train", try: 1 },
            { type: "metric", step: "train", name: "old", value: 1 },
            finished("train", "Failed", 9),
            { type: "run.finished", state: "Failed", reason: "StepFailed", exitCode: 1, message: "" },
            { type: "run.started", pid: 2, attempt: 2 },
            { type: "step.reused", step: "load", attempt: 2 },
        ]);
        expect(run).toMatchObject({
            attempt: 2,
            status: "Running",
            reason: "",
            message: "",
            exitCode: undefined,
        });
        expect(run.steps).toMatchObject([
            { name: "load", state: "Succeeded", attempts: 1, durationSeconds: 1.5 },
            { name: "train", state: "Pending", attempts: 1, exitCode: undefined },
        ]);
    });

    it("tells a machine that was taken from code that failed", () => {
        const taken = start();
        apply(taken, { type: "interrupted", message: "the VM was preempted" });
        expect(taken).toMatchObject({
            status: "Recovering",
            interruptions: 1,
            message: "the VM was preempted",
        });
        const killed = replay([
            { type: "run.started", pid: 1 },
            { type: "step.started", step: "load", try: 1 },
        ]);
        apply(killed, { type: "lost", reason: "RunnerKilled", message: "gone" });
        expect(killed).toMatchObject({ status: "Lost", reason: "RunnerKilled" });
        expect(killed.steps[0]).toMatchObject({ state: "Cancelled", reason: "RunnerKilled" });
        expect(killed.steps[1]).toMatchObject({ state: "Pending" });
        const cancelled = replay([{ type: "run.started", pid: 1 }]);
        apply(cancelled, { type: "lost", state: "Cancelled", reason: "Cancelled", message: "by the user" });
        expect(cancelled.steps[0]).toMatchObject({ state: "Skipped", reason: "RunEnding" });
        const terminated = replay([
            { type: "run.started", pid: 1 },
            { type: "run.finished", state: "Interrupted", reason: "", exitCode: 68, message: "" },
        ]);
        expect(terminated).toMatchObject({ status: "Lost", reason: "Interrupted" });
    });

    it("passes over steps and events that it does not know", () => {
        const run = replay([
            { type: "run.started", pid: 1 },
            { type: "step.reused", step: "ghost" },
            { type: "later" } as never,
        ]);
        expect(run.steps.map((step) => step.name)).toEqual(["load", "train"]);
    });
});

it.each([
    [0.04, "0.0 s"],
    [9.96, "10.0 s"],
    [59.4, "59 s"],
    [61, "1 min 1 s"],
    [3599, "59 min 59 s"],
    [7500, "2 h 5 min"],
])("writes %d seconds as %s", (seconds, text) => expect(formatSeconds(seconds)).toBe(text));
