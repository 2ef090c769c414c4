import { jobEnd, podEnd, writtenEnd } from "../../../src/run/kubernetes/endings";
import type { Job, Pod } from "../../../src/run/kubernetes/objects";

const metadata = { name: "p", uid: "u" };
const exited = (exitCode: number, more: object = {}): Pod => ({
    metadata,
    status: {
        phase: exitCode === 0 ? "Succeeded" : "Failed",
        containerStatuses: [
            { name: "run", state: { terminated: { exitCode, message: "its last words\n", ...more } } },
        ],
    },
});
const fetching = (terminated: { exitCode: number; message?: string; reason?: string }): Pod => ({
    metadata,
    status: { phase: "Failed", initContainerStatuses: [{ name: "fetch", state: { terminated } }] },
});
const disrupted = (pod: Pod, reason: string): Pod => ({
    ...pod,
    status: { ...pod.status, conditions: [{ type: "DisruptionTarget", status: "True", reason }] },
});
const failed = (reason: string): Job => ({
    metadata,
    status: { conditions: [{ type: "Failed", status: "True", reason, message: "the controller's words" }] },
});

describe("what the end of a pod means", () => {
    it.each([
        [0, "Succeeded", ""],
        [1, "Failed", "StepFailed"],
        [64, "Failed", "ImageUnusable"],
        [65, "Failed", "RecordFailed"],
        [66, "TimedOut", "DeadlineExceeded"],
        [67, "Cancelled", "Cancelled"],
        [69, "Failed", "ArtifactStoreFailed"],
        [126, "Failed", "ImageUnusable"],
        [127, "Failed", "ImageUnusable"],
        [128, "Failed", "ImageUnusable"],
        [137, "Lost", "RunnerKilled"],
    ])("exit code %i: %s %s", (code, state, reason) => {
        expect(podEnd(exited(code), false)).toMatchObject({ state, reason });
    });

    it.each([
        [64, "ImageUnusable", /last words.*transfer\.image/],
        [65, "RecordFailed", /^its last words$/],
        [69, "ArtifactStoreFailed", /^its last words$/],
        [70, "BundleFetchFailed", /^its last words$/],
        [127, "ImageUnusable", /transfer\.image/],
    ])("before the steps, what fetches the code ends with exit code %i: %s", (exitCode, reason, message) => {
        const end = podEnd(fetching({ exitCode, message: "stackrun: its last words\n" }), false);
        expect(end).toMatchObject({ state: "Failed", reason, message: expect.stringMatching(message) });
    });

    it("before the steps, what fetches the code is told to end, or wants memory", () => {
        expect(podEnd(fetching({ exitCode: 68 }), true)).toEqual({ interrupted: "the pod p was deleted" });
        expect(podEnd(fetching({ exitCode: 137, reason: "OOMKilled" }), false)).toMatchObject({
            reason: "OutOfMemory",
            message: expect.stringContaining("transfer.resources.memory"),
        });
    });

    it.each([68, 143, 2, 139])("exit code %i is an interruption", (code) => {
        expect(podEnd(exited(code), false)).toEqual({ interrupted: expect.any(String) });
    });

    it("says what the container said", () => {
        expect(podEnd(exited(64), false)).toMatchObject({
            message: expect.stringContaining("its last words"),
        });
    });

    it("want of memory is no interruption", () => {
        expect(podEnd(exited(137, { reason: "OOMKilled" }), false)).toMatchObject({
            state: "Failed",
            reason: "OutOfMemory",
        });
    });

    it.each([
        ["EvictionByEvictionAPI", /evicted/],
        ["DeletionByTaintManager", /node was tainted or lost/],
        ["DeletionByPodGC", /node was lost/],
        ["PreemptionByScheduler", /higher priority/],
        ["TerminationByKubelet", /node ended the pod/],
        ["SomethingNew", /SomethingNew/],
    ])("taken by %s", (reason, words) => {
        for (const pod of [exited(68), exited(137), { metadata }]) {
            expect(podEnd(disrupted(pod, reason), true)).toEqual({
                interrupted: expect.stringMatching(words),
            });
        }
    });

    it("a pod that was deleted, and that nobody saw end", () => {
        expect(podEnd({ metadata }, true)).toEqual({ interrupted: "the pod p was deleted" });
        expect(podEnd(exited(137), true)).toEqual({ interrupted: "the pod p was deleted" });
    });

    it("the metadata store was not reached: no step has run", () => {
        const message =
            "the metadata store at db:5432 can't be used from inside the cluster: refused. No step has run.";
        const pod: Pod = {
            metadata,
            status: {
                phase: "Failed",
                initContainerStatuses: [
                    { name: "metadata-check", state: { terminated: { exitCode: 64, message } } },
                ],
            },
        };
        expect(podEnd(pod, false)).toMatchObject({
            state: "Failed",
            reason: "MetadataStoreUnreachable",
            message,
        });
    });
});

describe("what the end of a Job means", () => {
    it("goes on as long as it has no condition", () => {
        expect(jobEnd({ metadata, status: { active: 1 } }, [])).toBeUndefined();
    });

    it.each<[string, Job, Pod[], object]>([
        [
            "complete",
            { metadata, status: { conditions: [{ type: "Complete", status: "True" }] } },
            [],
            { state: "Succeeded" },
        ],
        [
            "too long",
            failed("DeadlineExceeded"),
            [exited(68)],
            { state: "TimedOut", reason: "DeadlineExceeded" },
        ],
        ["a step failed", failed("PodFailurePolicy"), [exited(1)], { state: "Failed", reason: "StepFailed" }],
        [
            "policy, and no pod left",
            failed("PodFailurePolicy"),
            [],
            { state: "Lost", reason: "PodFailurePolicy" },
        ],
        [
            "taken too often",
            failed("BackoffLimitExceeded"),
            [exited(68)],
            { state: "Lost", reason: "PreemptionLimit" },
        ],
        [
            "taken too often, no pod left",
            failed("BackoffLimitExceeded"),
            [],
            { state: "Lost", reason: "PreemptionLimit" },
        ],
    ])("%s", (_, job, pods, expected) => {
        expect(jobEnd(job, pods)).toMatchObject(expected);
    });

    it("somebody has written it to the Job", () => {
        const end = { state: "Cancelled", reason: "Cancelled", message: "cancelled by the user" };
        expect(
            writtenEnd({
                metadata: { ...metadata, annotations: { "stackrun.dev/end": JSON.stringify(end) } },
            }),
        ).toEqual(end);
        expect(
            writtenEnd({ metadata: { ...metadata, annotations: { "stackrun.dev/end": "{" } } }),
        ).toMatchObject({ state: "Cancelled" });
        expect(writtenEnd({ metadata })).toBeUndefined();
    });
});
