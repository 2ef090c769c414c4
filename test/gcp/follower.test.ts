import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import type { Follower, FollowItem, RunRef } from "../../src/run/follower";
import { gcpFollower } from "../../src/run/gcp/follower";
import type { GcpFollowerOptions } from "../../src/run/gcp/options";
import { loadFollower } from "../../src/run/registry";
import { openArtifactStore } from "../../src/stores/artifacts/open";
import { ask, operate, spotInstance, zonePath } from "../support/gcp/client";
import { describeGcp } from "../support/gcp/lane";
import { until } from "../support/project";
import { INTERRUPTED, MachineWriter, STARTED, SUCCEEDED } from "../support/vm/machine";
import { faster } from "../support/vm/pace";
import { statuses, told } from "../unit/vm/world";

const BUCKET = "runs-of-the-tests";
/** Google's API, which is on this machine, has no more time for an answer than this. */
const PATIENCE = {
    busyMs: 5_000,
    unreachedMs: 1_000,
    firstPauseMs: 20,
    longestPauseMs: 100,
    idleMs: 500,
};
/** A port on which nobody listens. */
async function closedPort(): Promise<number> {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as net.AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return port;
}
const PREEMPTED = "interrupted: Google has preempted the Spot machine in us-central1-a";

describeGcp("following an instance", {}, (bed) => {
    const before = { ...process.env };
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-gcp-follower-"));
    let number = 0;
    let current: Attempt | undefined;

    beforeAll(async () => {
        await bed().storage.createBucket(BUCKET);
    });
    beforeEach(() => {
        const endpoint = { GOOGLE_COMPUTE_CUSTOM_ENDPOINT: `${bed().url}/compute/v1/` };
        Object.assign(process.env, bed().storage.env, bed().env, endpoint);
    });
    afterEach(async () => {
        await current?.end();
        current = undefined;
        bed().faults.clear();
        bed().api.denied.clear();
        bed().api.disabled.clear();
        bed().world.skewMs = 0;
        await Promise.all(
            bed().instances.list.map(({ name, zone }) =>
                operate(bed(), "DELETE", zonePath(bed(), `instances/${name}`, zone)),
            ),
        );
        bed().requests.forget();
    });
    afterAll(() => {
        // eslint-disable-next-line jest/no-standalone-expect -- of all tests together: the emulator has all that was asked for
        expect(bed().api.unknown).toEqual([]);
        process.env = before;
        fs.rmSync(dir, { recursive: true, force: true });
    });

    /** An attempt on an instance, and what was told of it so far. */
    class Attempt {
        readonly run: RunRef;
        readonly name: string;
        readonly machine: MachineWriter;
        readonly follower: Follower;
        readonly items: FollowItem[] = [];
        private readonly stop = new AbortController();
        private following?: Promise<void>;

        constructor(options: Partial<GcpFollowerOptions> = {}) {
            const runId = `t${++number}`;
            this.run = { runId, attempt: 1, runDir: path.join(dir, runId) };
            this.name = `stackrun-${runId}-1`;
            const store = `gs://${BUCKET}/${runId}`;
            this.machine = new MachineWriter(openArtifactStore(store), this.run);
            const all = { project: bed().project, zones: [bed().zone], made: false, store, ...options };
            this.follower = gcpFollower(all, { clock: faster(20), patience: PATIENCE });
        }

        get body(): object {
            return JSON.parse(
                JSON.stringify(spotInstance(bed(), this.name)).replaceAll(
                    `zones/${bed().zone}`,
                    "zones/{zone}",
                ),
            ) as object;
        }

        get instance() {
            return bed().instance(this.name);
        }

        /** Declared and started, and its runner has begun. */
        async runs(more: object = {}): Promise<void> {
            await this.machine.bootFiles();
            await operate(
                bed(),
                "POST",
                zonePath(bed(), "instances"),
                spotInstance(bed(), this.name, {}, more),
            );
            await this.machine.boot();
            await this.machine.says(STARTED, "s\tone\n");
            this.follow();
            await this.seen("one");
        }

        follow(from?: string): void {
            this.following = (async () => {
                for await (const item of this.follower.follow(this.run, this.stop.signal, from)) {
                    this.items.push(item);
                }
            })();
            this.following.catch(() => undefined);
        }

        get told(): string[] {
            return told(this.items);
        }

        async seen(text: string, times = 1): Promise<void> {
            const count = (): number =>
                [...this.told, ...statuses(this.items)].filter((one) => one.startsWith(text)).length;
            await until(
                () => count() >= times,
                20_000,
                () => `${text}: ${[...this.told, ...statuses(this.items)].join("\n")}`,
            );
        }

        async on(boots = this.instance.boots + 1): Promise<void> {
            const isOn = () =>
                bed().instances.list.some(
                    (one) => one.name === this.name && one.boots >= boots && one.status === "RUNNING",
                );
            await until(isOn, 20_000, () => `${this.name} to be on: ${statuses(this.items).join("\n")}`);
        }

        /** To the attempt's end. */
        async ended(): Promise<string[]> {
            await this.following;
            return this.told;
        }

        async end(): Promise<void> {
            this.stop.abort();
            await this.following?.catch(() => undefined);
        }
    }

    const attempted = (options?: Partial<GcpFollowerOptions>): Attempt => (current = new Attempt(options));
    const names = (...zones: string[]) => zones.map((zone) => `us-central1-${zone}`);
    const states = () => bed().instances.list.map(({ zone, status }) => `${zone} ${status}`);

    test("tells what comes within seconds, at its own pace, and asks Compute Engine now and then", async () => {
        const attempt = attempted();
        await attempt.machine.bootFiles();
        await operate(bed(), "POST", zonePath(bed(), "instances"), spotInstance(bed(), attempt.name));
        await attempt.machine.boot();
        await attempt.machine.says(STARTED);
        const options = {
            project: bed().project,
            zones: [bed().zone],
            made: false,
            store: attempt.machine.store.url,
        };
        const follower = await loadFollower({ module: "gcp", options });
        const seen: string[] = [];
        const following = (async () => {
            for await (const item of follower.follow(attempt.run, new AbortController().signal)) {
                seen.push(...told([item]));
            }
        })();
        bed().requests.forget();
        for (let piece = 1; piece <= 30; piece++) {
            await attempt.machine.says(`s\tline ${piece}\n`);
        }
        const began = Date.now();
        await until(
            () => seen.includes("line 30"),
            5_000,
            () => `the lines: ${seen.join()}`,
        );
        await attempt.machine.says("s\tlast\n");
        const last = Date.now();
        await until(
            () => seen.includes("last"),
            5_000,
            () => `the last line: ${seen.join()}`,
        );
        expect(Date.now() - last).toBeLessThan(3_000);
        await attempt.machine.says(SUCCEEDED);
        await following;
        expect(seen.at(-1)).toBe("finished Succeeded");
        const seconds = (Date.now() - began) / 1000;
        expect(bed().requests.count("instances.get")).toBeLessThanOrEqual(2 + seconds / 5);
    });

    test("starts a machine again that was preempted twice", async () => {
        const attempt = attempted();
        await attempt.runs();
        for (const boot of [1, 2]) {
            await attempt.machine.says(`s\tlast of ${boot}\n`, INTERRUPTED);
            await bed().preempt(attempt.name);
            await attempt.on(boot + 1);
            await attempt.machine.boot();
            await attempt.machine.says(STARTED);
        }
        await attempt.machine.says(SUCCEEDED);
        expect(await attempt.ended()).toEqual([
            "run.started",
            "one",
            "last of 1",
            PREEMPTED,
            "run.started",
            "last of 2",
            PREEMPTED,
            "run.started",
            "finished Succeeded",
        ]);
    });

    test.each([
        ["a power cut", "the machine in us-central1-a lost its power without notice"],
        ["a host error", "the host below the machine broke (host error) in us-central1-a"],
        ["a hang", "no sign of life of the machine in us-central1-a for 40 s"],
    ])("starts a machine again after %s, and says which it was", async (what, message) => {
        const attempt = attempted({ silenceSeconds: 40 });
        await attempt.runs();
        await (what === "a power cut"
            ? bed().powerCut(attempt.name)
            : what === "a host error"
              ? bed().hostError(attempt.name)
              : bed().freeze(attempt.name));
        await attempt.on(2);
        await attempt.machine.boot();
        await attempt.machine.says(SUCCEEDED);
        expect(await attempt.ended()).toEqual([
            "run.started",
            "one",
            `interrupted: ${message}`,
            "finished Succeeded",
        ]);
        expect(bed().requests.count("instances.stop")).toBe(what === "a hang" ? 1 : 0);
    });

    test("starts a machine once more when the operation has failed within Google", async () => {
        const attempt = attempted();
        await attempt.runs();
        bed().faults.nextOperation("instances.start", { code: "INTERNAL_ERROR", message: "Internal error." });
        await bed().preempt(attempt.name);
        await attempt.on(2);
        await attempt.machine.boot();
        await attempt.machine.says(SUCCEEDED);
        expect((await attempt.ended()).at(-1)).toBe("finished Succeeded");
        expect(bed().requests.count("instances.start")).toBe(2);
    });

    test("tells a standard machine that Google itself has started again", async () => {
        const attempt = attempted();
        await attempt.runs({ scheduling: {} });
        await bed().hostError(attempt.name);
        expect(attempt.instance.boots).toBe(2);
        await attempt.machine.boot();
        await attempt.machine.says(SUCCEEDED);
        expect(await attempt.ended()).toEqual([
            "run.started",
            "one",
            "interrupted: the host below the machine broke (host error), and has booted again",
            "finished Succeeded",
        ]);
        expect(bed().requests.count("instances.start")).toBe(0);
    });

    test("ends with a machine that somebody has stopped", async () => {
        const attempt = attempted();
        await attempt.runs();
        await operate(bed(), "POST", zonePath(bed(), `instances/${attempt.name}/stop`));
        expect((await attempt.ended()).at(-1)).toBe(
            "Cancelled MachineStopped: user has stopped the machine in us-central1-a",
        );
        expect(attempt.instance.status).toBe("TERMINATED");
        expect(await attempt.follower.lastOutcome(attempt.run)).toMatchObject({ reason: "MachineStopped" });
    });

    test("ends with a machine that somebody has deleted", async () => {
        const attempt = attempted();
        await attempt.runs();
        await operate(bed(), "DELETE", zonePath(bed(), `instances/${attempt.name}`));
        expect((await attempt.ended()).at(-1)).toBe(
            "Lost MachineDeleted: user has deleted the machine, and nobody has seen how the run ended",
        );
    });

    test("ends with a machine that was on for as long as it may be", async () => {
        const attempt = attempted({ silenceSeconds: 10_000 });
        await attempt.runs({
            scheduling: {
                provisioningModel: "SPOT",
                automaticRestart: false,
                instanceTerminationAction: "STOP",
                maxRunDuration: { seconds: 30 },
            },
        });
        expect((await attempt.ended()).at(-1)).toMatch(
            /^TimedOut DeadlineExceeded: the machine in us-central1-a was on/,
        );
        expect(bed().requests.count("instances.start")).toBe(0);
    });

    test("ends with what the machine writes to its serial console where it can't reach the store", async () => {
        const attempt = attempted();
        await attempt.machine.bootFiles();
        await operate(bed(), "POST", zonePath(bed(), "instances"), spotInstance(bed(), attempt.name));
        attempt.instance.serial.write(
            Buffer.from(
                "stackrun: looks for the store\r\nstackrun n0 ArtifactStoreFailed: 403 for gs://b\r\n",
            ),
        );
        attempt.follow();
        expect(await attempt.ended()).toEqual(["Failed ArtifactStoreFailed: 403 for gs://b"]);
        expect(attempt.instance.status).toBe("TERMINATED");
    });

    test("ends with a machine that was not heard of, and stops it", async () => {
        const attempt = attempted({ bootTimeoutSeconds: 30 });
        await attempt.machine.bootFiles();
        await operate(bed(), "POST", zonePath(bed(), "instances"), spotInstance(bed(), attempt.name));
        attempt.follow();
        expect(await attempt.ended()).toEqual([
            `Failed MachineUnusable: the machine in us-central1-a was not heard of within 30 s of its start. The last lines of its serial console:\n${attempt.name}: no operating system`,
        ]);
        expect(attempt.instance.status).toBe("TERMINATED");
    });

    test("makes the machine in the first zone that has one, and moves it when that has none any more", async () => {
        const attempt = attempted({ made: true, zones: names("a", "b", "c") });
        await attempt.machine.bootFiles(attempt.body);
        bed().faults.stockout("us-central1-a");
        attempt.follow();
        await attempt.seen("the machine boots in us-central1-b");
        await attempt.machine.boot();
        await attempt.machine.says(STARTED);
        await attempt.seen("run.started");
        bed().faults.restock("us-central1-a");
        bed().faults.stockout("us-central1-b");
        await bed().preempt(attempt.name);
        await attempt.seen("the machine boots in us-central1-a");
        expect(states()).toEqual(["us-central1-a RUNNING"]);
        await attempt.machine.boot();
        await attempt.machine.says(SUCCEEDED);
        expect(await attempt.ended()).toEqual([
            "run.started",
            "interrupted: Google has preempted the Spot machine in us-central1-b",
            "finished Succeeded",
        ]);
    });

    test("waits where no zone has a machine, and gives up in the end", async () => {
        const attempt = attempted({ made: true, zones: names("a", "b"), capacityTimeoutSeconds: 100 });
        await attempt.machine.bootFiles(attempt.body);
        names("a", "b").forEach((zone) => bed().faults.stockout(zone));
        attempt.follow();
        await attempt.seen(
            "no machine is to be had in us-central1-a, us-central1-b: it is tried again in 15 s",
        );
        bed().faults.restock("us-central1-b");
        await attempt.seen("the machine boots in us-central1-b");
        await attempt.end();

        const given = attempted({ made: true, zones: names("a"), capacityTimeoutSeconds: 60 });
        await given.machine.bootFiles(given.body);
        given.follow();
        expect(await given.ended()).toEqual([
            expect.stringMatching(
                /^Lost CapacityExhausted: no machine was to be had in us-central1-a for 60 s: .*ZONE_RESOURCE_POOL_EXHAUSTED/,
            ),
        ]);
    });

    test("waits for a quota in the same way", async () => {
        const attempt = attempted();
        await attempt.runs();
        const fault = {
            code: "QUOTA_EXCEEDED",
            message: "Quota 'CPUS' exceeded. Limit: 2.0 in region us-central1.",
        };
        bed().faults.nextOperation("instances.start", fault, 2);
        await bed().preempt(attempt.name);
        await attempt.seen("no machine is to be had in us-central1-a: it is tried again in 15 s (");
        await attempt.on(2);
        expect(bed().requests.count("instances.start")).toBe(3);
    });

    test("takes a standard machine after too many interruptions, where that is wanted", async () => {
        const attempt = attempted({ made: true, maxRecoveries: 1, fallback: "standard" });
        await attempt.machine.bootFiles(attempt.body);
        attempt.follow();
        await attempt.seen("the machine boots in us-central1-a");
        for (const boots of [2, 1]) {
            await attempt.machine.boot();
            await attempt.machine.says(STARTED);
            await attempt.seen("run.started", 3 - boots);
            const { id } = attempt.instance;
            await bed().preempt(attempt.name);
            await until(
                () =>
                    bed().instances.list.some(
                        (one) => one.status === "RUNNING" && (boots === 2 || one.id !== id),
                    ),
                20_000,
                () => states().join(),
            );
        }
        expect(attempt.instance.resource.scheduling).toEqual({
            provisioningModel: "STANDARD",
            automaticRestart: false,
            onHostMaintenance: "MIGRATE",
        });
        await attempt.machine.boot();
        await attempt.machine.says(SUCCEEDED);
        expect(await attempt.ended()).toEqual([
            "run.started",
            PREEMPTED,
            "run.started",
            PREEMPTED,
            "finished Succeeded",
        ]);
    });

    test("makes no second machine when the answer to the first is lost", async () => {
        const attempt = attempted({ made: true, zones: names("a", "b") });
        await attempt.machine.bootFiles(attempt.body);
        bed().faults.next("instances.insert", { hang: true, done: true });
        bed().faults.next("instances.insert", { status: 503, done: true });
        bed().faults.next("zoneOperations.get", { drop: true }, 2);
        attempt.follow();
        await attempt.seen("the machine boots in us-central1-a");
        expect(states()).toEqual(["us-central1-a RUNNING"]);
        const ids = bed()
            .requests.of("instances.insert")
            .map((one) => new URL(one.path, "http://x").searchParams.get("requestId"));
        expect(ids).toHaveLength(3);
        expect(new Set(ids).size).toBe(1);
    });

    test("bears an API that is busy, breaks or does not answer, and tells it when that lasts", async () => {
        const attempt = attempted();
        await attempt.runs();
        bed().faults.next("instances.get", { status: 429 });
        bed().faults.next("instances.get", { status: 500 });
        bed().faults.next("instances.get", { drop: true });
        bed().faults.next("instances.get", { hang: true });
        const sofar = bed().requests.count("instances.get");
        await until(
            () => bed().requests.count("instances.get") > sofar + 5,
            20_000,
            () => "more looks",
        );
        expect(statuses(attempt.items)).toEqual([]);
        bed().faults.during("instances.get", 8_000, {
            status: 503,
            message: "The service is currently unavailable.",
        });
        await attempt.seen("waiting: Compute Engine has no time: The service is currently unavailable");
        bed().faults.clear();
        await attempt.machine.says("s\ttwo\n", SUCCEEDED);
        expect(await attempt.ended()).toEqual(["run.started", "one", "two", "finished Succeeded"]);
        expect(states()).toEqual(["us-central1-a RUNNING"]);
    });

    test("is not led astray by clocks that differ", async () => {
        bed().world.skewMs = 3 * 3600_000;
        const attempt = attempted({ silenceSeconds: 100 });
        await attempt.runs();
        const beats = setInterval(
            () => void attempt.machine.beat("running", { time: "1980-01-01T00:00:00Z" }),
            1_000,
        );
        try {
            await new Promise((resolve) => setTimeout(resolve, 8_000));
        } finally {
            clearInterval(beats);
        }
        await bed().preempt(attempt.name);
        await attempt.seen(PREEMPTED);
        expect(attempt.told).toEqual(["run.started", "one", PREEMPTED]);
    });

    test("cancels: the machine is told, and off", async () => {
        const attempt = attempted();
        await attempt.runs();
        const stopped = attempt.follower.cancel(attempt.run, "cancelled by the user");
        await until(
            () => attempt.instance.status === "TERMINATED",
            20_000,
            () => states().join(),
        );
        expect(await attempt.machine.read("cancel")).toBe("reason=cancelled by the user\n");
        await stopped;
        expect((await attempt.ended()).at(-1)).toBe("Cancelled Cancelled: cancelled by the user");
        expect(await attempt.follower.lastOutcome(attempt.run)).toMatchObject({
            state: "Cancelled",
            message: "cancelled by the user",
        });
    });

    test("looks up what became of an attempt in every state of its instance", async () => {
        const attempt = attempted();
        const outcome = () => attempt.follower.lastOutcome(attempt.run);
        expect(await outcome()).toMatchObject({ kind: "NoRecord" });
        await attempt.machine.bootFiles();
        await operate(bed(), "POST", zonePath(bed(), "instances"), spotInstance(bed(), attempt.name));
        for (const state of ["PROVISIONING", "STAGING", "RUNNING", "STOPPING", "TERMINATED"] as const) {
            attempt.instance.status = state;
            expect([state, await outcome()]).toEqual([state, { kind: "Running" }]);
        }
        attempt.instance.status = "RUNNING";
        await operate(bed(), "DELETE", zonePath(bed(), `instances/${attempt.name}`));
        expect(await outcome()).toMatchObject({ kind: "Finished", state: "Lost", reason: "MachineDeleted" });
        await attempt.machine.end(1, "ImagePullFailed", "no such image");
        expect(await outcome()).toEqual({
            kind: "Finished",
            state: "Failed",
            reason: "ImagePullFailed",
            message: "no such image",
        });
    });

    test("says what is wrong with who asks, what is missing, and where nobody answers", async () => {
        const attempt = attempted();
        await attempt.runs();
        await attempt.end();
        const why = async (): Promise<string> => {
            const error = await attempt.follower.lastOutcome(attempt.run).then(
                () => undefined,
                (one: Error) => one,
            );
            return error?.message ?? "nothing";
        };
        expect(await why()).toBe("nothing");
        process.env.GOOGLE_OAUTH_ACCESS_TOKEN = "ya29.expired";
        expect(await why()).toMatch(
            /^Google Cloud does not know who asks \(GOOGLE_OAUTH_ACCESS_TOKEN\): Request had invalid .* A token lives for an hour/,
        );
        delete process.env.GOOGLE_OAUTH_ACCESS_TOKEN;
        process.env.GOOGLE_CREDENTIALS = "/no/such/key.json";
        expect(await why()).toMatch(
            /^Google Cloud does not know who asks \(GOOGLE_CREDENTIALS\): .*Log in with `gcloud auth application-default login`/,
        );
        delete process.env.GOOGLE_CREDENTIALS;
        process.env.GOOGLE_OAUTH_ACCESS_TOKEN = bed().token;
        bed().api.denied.add("compute.instances.get");
        expect(await why()).toMatch(
            /^the permission compute\.instances\.get is missing: .*roles\/compute\.instanceAdmin\.v1/,
        );
        bed().api.denied.clear();
        bed().api.disabled.add("compute");
        expect(await why()).toMatch(
            /^the Compute Engine API is not enabled in the project stackrun-test: .*`gcloud services enable compute/,
        );
        bed().api.disabled.clear();
        process.env.GOOGLE_COMPUTE_CUSTOM_ENDPOINT = `http://127.0.0.1:${await closedPort()}/compute/v1/`;
        expect(await why()).toMatch(/^Compute Engine can't be reached at 127\.0\.0\.1:\d+: ECONNREFUSED\./);
    });

    test("ends the update, not the run, where a permission is missing for starting the machine again", async () => {
        const attempt = attempted();
        await attempt.runs();
        bed().api.denied.add("compute.instances.start");
        await bed().preempt(attempt.name);
        await expect(attempt.ended()).rejects.toThrow("the permission compute.instances.start is missing");
        expect(await attempt.follower.lastOutcome(attempt.run)).toEqual({ kind: "Running" });
        bed().api.denied.clear();
        // The next one goes on behind what was told.
        attempt.follow(attempt.items.findLast(({ bookmark }) => bookmark)?.bookmark);
        await attempt.on(2);
    });

    test("reads the console where it may, and does without where it may not", async () => {
        const attempt = attempted({ bootTimeoutSeconds: 30 });
        await attempt.machine.bootFiles();
        await operate(bed(), "POST", zonePath(bed(), "instances"), spotInstance(bed(), attempt.name));
        bed().api.denied.add("compute.instances.getSerialPortOutput");
        attempt.follow();
        expect((await attempt.ended())[0]).toMatch(/Its serial console is empty$/);
        expect((await ask(bed(), "GET", zonePath(bed(), `instances/${attempt.name}`))).body.status).toBe(
            "TERMINATED",
        );
    });
});
