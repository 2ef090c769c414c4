import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { FollowItem } from "../../../src/run/follower";
import { ApiError, type Api, type ApiRequest } from "../../../src/run/kubernetes/connection";
import { UnreachableError } from "../../../src/run/kubernetes/unreachable";
import { KubernetesFollower } from "../../../src/run/kubernetes/follower";
import type { Job, Pod } from "../../../src/run/kubernetes/objects";

const NONCE = "n0";
const event = (type: string, more: object = {}) =>
    `\u001e${JSON.stringify({ n: 1, nonce: NONCE, attempt: 1, time: "2026-01-01T00:00:00Z", type, ...more })}`;
const stamped = (lines: readonly string[]) =>
    lines.map((line, index) => `2026-01-01T00:00:0${index}.000000000Z ${line}\n`).join("");

/** A cluster in memory: objects by path, and what each reading of a log brings. */
class FakeCluster implements Api {
    readonly namespace = "ns";
    exec = () => Promise.reject(new Error("the right to do that is not there"));
    job?: Job;
    pods: Pod[] = [];
    events: object[] = [];
    /** One entry for each time the log is asked for; an Error drops the connection after the text before it. */
    logs: (string | Error)[][] = [];
    readonly requests: ApiRequest[] = [];
    watches = 0;
    /** The pods are deleted, and the watch has not told it yet. */
    gone = false;

    constructor(readonly fail: Partial<Record<string, Error>> = {}) {}

    json<T>(request: ApiRequest): Promise<T> {
        this.requests.push(request);
        const { path: name, method = "GET" } = request;
        const failure = this.fail[`${method} ${name}`];
        if (failure) {
            return Promise.reject(failure);
        }
        const list = (items: readonly unknown[]) => ({ metadata: { resourceVersion: "1" }, items });
        const answers: [RegExp, () => unknown][] = [
            [/\/jobs$/, () => list(this.job ? [this.job] : [])],
            [/\/jobs\/r1-1$/, () => (method === "PATCH" ? this.patch(request) : this.oneJob())],
            [/\/pods$/, () => list(this.pods)],
            [/\/pods\/p\d$/, () => this.onePod(name)],
            [/\/events$/, () => list(this.events)],
        ];
        const answer = answers.find(([pattern]) => pattern.test(name));
        return Promise.resolve()
            .then(() => answer?.[1]())
            .then((value) => structuredClone(value) as T);
    }

    async stream({ path: name }: ApiRequest, signal: AbortSignal): Promise<AsyncIterable<Buffer>> {
        if (!name.endsWith("/log")) {
            this.watches++;
            await new Promise((resolve) => setTimeout(resolve, 20));
            throw new ApiError(410, "too old resource version");
        }
        const parts = this.logs.shift() ?? [];
        return (async function* () {
            for (const part of parts) {
                signal.throwIfAborted();
                if (part instanceof Error) {
                    throw part;
                }
                yield Buffer.from(part);
            }
        })();
    }

    private onePod(name: string): Pod {
        const pod = this.pods.find(({ metadata }) => name.endsWith(`/${metadata.name}`));
        if (!pod || this.gone) {
            throw new ApiError(404, "not found");
        }
        return pod;
    }

    private oneJob(): Job {
        if (!this.job) {
            throw new ApiError(404, 'jobs.batch "r1-1" not found');
        }
        return this.job;
    }

    private patch({ body }: ApiRequest): Job {
        const { metadata } = body as { metadata: { annotations: Record<string, string> } };
        const job = this.oneJob();
        const annotations = { ...job.metadata.annotations, ...metadata.annotations };
        this.job = { ...job, metadata: { ...job.metadata, annotations } };
        this.pods = [];
        return this.job;
    }
}

const theJob = (more: Partial<Job> = {}): Job => ({
    metadata: { name: "r1-1", uid: "j", annotations: { "stackrun.dev/nonce": NONCE } },
    ...more,
});
const thePod = (name: string, state: object, more: object = {}): Pod => ({
    metadata: { name, uid: name, creationTimestamp: `2026-01-01T00:00:0${name.slice(-1)}Z` },
    status: { phase: "Running", containerStatuses: [{ name: "run", state }], ...more },
});

describe("the follower of a Job", () => {
    let runDir: string;
    let cluster: FakeCluster;
    beforeEach(() => {
        runDir = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-follower-"));
        cluster = new FakeCluster();
    });
    afterEach(() => fs.rmSync(runDir, { recursive: true }));

    const run = () => ({ runId: "r1", attempt: 1, runDir });
    const follower = (options = {}) => new KubernetesFollower(options, () => Promise.resolve(cluster));
    async function followed(options = {}, from?: string): Promise<FollowItem[]> {
        const items: FollowItem[] = [];
        for await (const item of follower(options).follow(run(), AbortSignal.timeout(20_000), from)) {
            items.push(item);
        }
        return items;
    }
    const lines = (items: readonly FollowItem[]) =>
        items.flatMap((item) => (item.type === "log" ? item.lines.map(({ text }) => text) : []));

    it("reads a log to its end over a connection that drops, and over a watch that expires", async () => {
        const log = [
            event("run.started"),
            "a\tone",
            "a\ttwo",
            "a\tthree",
            event("run.finished", { state: "Succeeded", reason: "" }),
        ];
        cluster.job = theJob();
        cluster.pods = [thePod("p1", { running: {} })];
        const whole = stamped(log);
        cluster.logs = [[whole.slice(0, whole.indexOf("two") + 1), new Error("reset")], [whole]];
        const items = await followed();
        expect(lines(items)).toEqual(["one", "two", "three"]);
        expect(items.at(-1)).toMatchObject({
            type: "event",
            event: { type: "run.finished", state: "Succeeded" },
        });
        expect(cluster.watches).toBeGreaterThan(0);
    }, 30_000);

    it("knows where an output is, if steps are brought to a store", async () => {
        cluster.job = theJob();
        cluster.pods = [thePod("p1", { running: {} })];
        const made = { step: "a", name: "x y/z", size: 1, sha256: "" };
        const log = [event("artifact", made), event("run.finished", { state: "Succeeded", reason: "" })];
        cluster.logs = [[stamped(log)], [stamped(log)]];
        const uri = "gs://bucket/p/runs/r1/steps/a/outputs/x y/z";
        const [first] = await followed({ store: "gs://bucket/p" });
        expect(first).toMatchObject({ event: { ...made, uri } });
        expect((await followed())[0]).not.toHaveProperty("event.uri");
    }, 30_000);

    it("goes on behind the bookmark that it gave", async () => {
        const log = [
            event("run.started"),
            "a\tone",
            "a\ttwo",
            event("run.finished", { state: "Succeeded", reason: "" }),
        ];
        cluster.job = theJob();
        cluster.pods = [thePod("p1", { running: {} })];
        cluster.logs = [[stamped(log.slice(0, 2)), stamped(log).slice(stamped(log.slice(0, 2)).length)]];
        const first = await followed();
        const bookmark = first.find((item) => item.type === "log")?.bookmark;
        expect(bookmark).toBeDefined();
        cluster.logs = [[stamped(log)]];
        expect(lines(await followed({}, bookmark))).toEqual(["two"]);
    }, 30_000);

    it("goes from a pod that was taken to the next one, and says who took it", async () => {
        const taken = {
            conditions: [{ type: "DisruptionTarget", status: "True", reason: "EvictionByEvictionAPI" }],
        };
        cluster.job = theJob();
        cluster.pods = [
            thePod("p1", { terminated: { exitCode: 68 } }, { phase: "Failed", ...taken }),
            thePod("p2", { running: {} }),
        ];
        cluster.logs = [
            [
                stamped([
                    event("run.started"),
                    "a\tone",
                    event("run.finished", { state: "Interrupted", message: "TERM" }),
                ]),
            ],
            [
                stamped([
                    event("run.started"),
                    "a\ttwo",
                    event("run.finished", { state: "Succeeded", reason: "" }),
                ]),
            ],
        ];
        const items = await followed();
        expect(lines(items)).toEqual(["one", "two"]);
        expect(items.find(({ type }) => type === "interrupted")).toMatchObject({
            message: expect.stringContaining("evicted"),
        });
        expect(items.at(-1)).toMatchObject({ event: { state: "Succeeded" } });
    }, 30_000);

    it("ends the Job when the pod was taken too often", async () => {
        cluster.job = theJob();
        cluster.pods = [thePod("p1", { terminated: { exitCode: 68 } }, { phase: "Failed" })];
        cluster.logs = [[stamped([event("run.finished", { state: "Interrupted", message: "TERM" })])]];
        const items = await followed({ maxRecoveries: 0 });
        expect(items.at(-1)).toMatchObject({ type: "lost", state: "Lost", reason: "PreemptionLimit" });
        expect(cluster.requests.find(({ method }) => method === "PATCH")?.body).toMatchObject({
            spec: { suspend: true },
        });
    }, 30_000);

    it("what can't heal ends the run with its reason, and every process agrees", async () => {
        cluster.job = theJob();
        cluster.pods = [
            thePod(
                "p1",
                { waiting: { reason: "ErrImageNeverPull", message: "not present" } },
                { phase: "Pending" },
            ),
        ];
        const items = await followed();
        expect(items).toMatchObject([
            { type: "status", text: expect.stringContaining("ErrImageNeverPull") },
            {
                type: "lost",
                state: "Failed",
                reason: "ImagePullFailed",
                message: expect.stringContaining("Correct `image`"),
            },
        ]);
        expect(await follower().lastOutcome(run())).toMatchObject({
            kind: "Finished",
            state: "Failed",
            reason: "ImagePullFailed",
        });
    }, 30_000);

    it("a cancel is written to the Job, and every process agrees", async () => {
        cluster.job = theJob();
        await follower().cancel(run(), "cancelled by the user");
        expect(await followed()).toEqual([
            { type: "lost", state: "Cancelled", reason: "Cancelled", message: "cancelled by the user" },
        ]);
        expect(await follower().lastOutcome(run())).toMatchObject({
            state: "Cancelled",
            message: "cancelled by the user",
        });
    }, 30_000);

    it("a Job that was there and is gone is lost; one that never was is not started", async () => {
        expect(await follower().lastOutcome(run())).toEqual({ kind: "NotStarted" });
        cluster.job = theJob();
        expect(await follower().lastOutcome(run())).toEqual({ kind: "Running" });
        cluster.job = undefined;
        expect(await follower().lastOutcome(run())).toMatchObject({
            kind: "Finished",
            state: "Lost",
            reason: "JobDeleted",
        });
        expect(await followed()).toMatchObject([{ type: "lost", reason: "JobDeleted" }]);
    }, 30_000);

    it("without a record, and without a Job, nothing is known", async () => {
        const elsewhere = { ...run(), runDir: path.join(runDir, "gone") };
        expect((await follower().lastOutcome(elsewhere)).kind).toBe("NoRecord");
        cluster.job = theJob();
        expect((await follower().lastOutcome(elsewhere)).kind).toBe("Running");
    });

    it("a cluster that does not answer is an error, once the run was seen there", async () => {
        cluster.job = theJob();
        await follower().lastOutcome(run());
        const nowhere = new KubernetesFollower({}, () =>
            Promise.reject(new UnreachableError("the cluster at x can't be reached")),
        );
        await expect(nowhere.lastOutcome(run())).rejects.toThrow(/can't be reached.*kubeconfig/);
        fs.rmSync(path.join(runDir, "job-1"));
        expect(await nowhere.lastOutcome(run())).toEqual({ kind: "NotStarted" });
    });

    it("a kubelet that has just started, and does not know the pod yet, is asked again", async () => {
        const log = [
            event("run.started"),
            "a\tone",
            "a\ttwo",
            event("run.finished", { state: "Succeeded", reason: "" }),
        ];
        cluster.job = theJob();
        cluster.pods = [thePod("p1", { terminated: { exitCode: 0 } }, { phase: "Succeeded" })];
        cluster.logs = [
            [stamped(log.slice(0, 2)), new ApiError(404, 'pod "p1" does not exist')],
            [stamped(log)],
        ];
        const items = await followed();
        expect(lines(items)).toEqual(["one", "two"]);
        expect(items.at(-1)).toMatchObject({ event: { state: "Succeeded" } });
    }, 30_000);

    it("a pod that is gone before its log was read to the end is told of", async () => {
        cluster.job = theJob({ status: { conditions: [{ type: "Complete", status: "True" }] } });
        cluster.pods = [thePod("p1", { terminated: { exitCode: 0 } }, { phase: "Succeeded" })];
        cluster.gone = true;
        cluster.logs = [[stamped(["a\tone"]), new ApiError(404, "pods p1 not found")]];
        const items = await followed();
        expect(lines(items)).toEqual(["one", "stackrun: the pod p1 is gone, and the end of its log with it"]);
        expect(items.at(-1)).toMatchObject({ type: "lost", state: "Succeeded" });
    }, 30_000);
});
