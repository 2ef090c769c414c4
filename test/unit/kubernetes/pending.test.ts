import type { Job, KubeEvent, Pod } from "../../../src/run/kubernetes/objects";
import { pendingJob, pendingPod } from "../../../src/run/kubernetes/pending";

const metadata = { name: "p", uid: "u" };
const waiting = (reason: string, message: string): Pod => ({
    metadata,
    status: {
        containerStatuses: [{ name: "run", image: "nowhere/x:1", state: { waiting: { reason, message } } }],
    },
});
const event = (reason: string, message: string, lastTimestamp: string): KubeEvent => ({
    metadata: { name: "e", uid: `e-${lastTimestamp}` },
    reason,
    message,
    lastTimestamp,
    involvedObject: { uid: "u" },
});

describe("why a pod does not run", () => {
    it.each([
        ["ErrImagePull", "ImagePullFailed", undefined],
        ["ImagePullBackOff", "ImagePullFailed", undefined],
        ["InvalidImageName", "ImagePullFailed", true],
        ["ErrImageNeverPull", "ImagePullFailed", true],
        ["CreateContainerConfigError", "ConfigMissing", undefined],
        ["RunContainerError", "ContainerFailed", undefined],
    ])("%s is %s, with the cluster's own words", (reason, expected, hopeless) => {
        const found = pendingPod(waiting(reason, "the  registry's\nwords"), []);
        expect(found).toMatchObject({ reason: expected });
        expect(found.hopeless ?? false).toBe(hopeless ?? false);
        expect(found.text).toContain(": the registry's words");
    });

    it.each(["fetch", "ship"])("of what carries the code (%s), another image is to be corrected", (name) => {
        const state = { waiting: { reason: "ErrImagePull", message: "" } };
        const pod: Pod = { metadata, status: { initContainerStatuses: [{ name, image: "x", state }] } };
        expect(pendingPod(pod, [])).toMatchObject({
            reason: "ImagePullFailed",
            remedy: expect.stringContaining("`transfer.image`"),
        });
    });

    it("what the store brings is waited for, and said", () => {
        const initContainerStatuses = [{ name: "fetch", state: { running: {} } }];
        expect(pendingPod({ metadata, status: { initContainerStatuses } }, [])).toEqual({
            text: "fetching code and finished steps from the artifact store",
        });
    });

    it("a cluster that knows no sidecars has left out that one goes on beside the steps", () => {
        const pod = (restartPolicy?: string): Pod => ({
            metadata,
            spec: { initContainers: [{ name: "ship", restartPolicy }] },
        });
        expect(pendingPod(pod(), [])).toMatchObject({ reason: "ClusterTooOld", hopeless: true });
        expect(pendingPod(pod("Always"), [])).not.toHaveProperty("reason");
    });

    it("no node: the scheduler's sentence", () => {
        const message = "0/1 nodes are available: 1 Insufficient cpu.";
        const pod: Pod = {
            metadata,
            status: { conditions: [{ type: "PodScheduled", status: "False", message }] },
        };
        expect(pendingPod(pod, [])).toEqual({
            text: `waiting for a node: ${message}`,
            reason: "Unschedulable",
        });
    });

    it("what only its last event tells", () => {
        const pod: Pod = { ...waiting("ContainerCreating", ""), spec: { nodeName: "n1" } };
        const missing = event(
            "FailedMount",
            'MountVolume.SetUp failed: configmap "c" not found',
            "2026-01-01T00:00:02Z",
        );
        const pulling = event("Pulling", 'Pulling image "x"', "2026-01-01T00:00:01Z");
        expect(pendingPod(pod, [missing, pulling])).toMatchObject({ reason: "ConfigMissing" });
        expect(pendingPod(pod, [pulling])).toEqual({ text: 'pulling image "x"' });
        expect(pendingPod(pod, [])).toEqual({ text: "the node n1 prepares the container" });
    });
});

describe("why there is no pod", () => {
    const job: Job = { metadata };
    it.each([
        [
            'Error creating: pods "x" is forbidden: exceeded quota: q, requested: cpu=2, used: cpu=0, limited: cpu=1',
            "QuotaExceeded",
        ],
        [
            'Error creating: pods "x" is forbidden: violates PodSecurity "restricted:latest"',
            "AdmissionRefused",
        ],
        ['Error creating: admission webhook "w" denied the request: no', "AdmissionRefused"],
        [
            'Error creating: pods "x-" is forbidden: error looking up service account a/b: serviceaccount "b" not found',
            "ConfigMissing",
        ],
    ])("%s", (message, reason) => {
        const found = pendingJob(job, [event("FailedCreate", message, "2026-01-01T00:00:00Z")]);
        expect(found.reason).toBe(reason);
        expect(found.text).toContain(message.replace("Error creating: ", ""));
    });

    it("nothing is known yet", () => {
        expect(
            pendingJob(job, [event("SuccessfulCreate", "Created pod: x", "2026-01-01T00:00:00Z")]),
        ).toEqual({
            text: "waiting for the pod",
        });
    });
});
