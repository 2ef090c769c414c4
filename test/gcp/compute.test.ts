import { randomUUID } from "node:crypto";
import { ask, operate, spotInstance, zonePath } from "../support/gcp/client";
import { describeGcp } from "../support/gcp/lane";
import { until } from "../support/project";

describeGcp("the Compute Engine emulator", {}, (bed) => {
    const instance = (name: string, verb = "") => zonePath(bed(), `instances/${name}${verb && `/${verb}`}`);
    const insert = (body: object, query = "") =>
        ask(bed(), "POST", zonePath(bed(), `instances${query}`), body);

    afterEach(async () => {
        bed().faults.clear();
        await Promise.all(bed().instances.list.map(({ name }) => operate(bed(), "DELETE", instance(name))));
        bed().requests.forget();
    });

    test("makes, shows, stops, starts, lists and deletes an instance", async () => {
        const inserted = await operate(
            bed(),
            "POST",
            zonePath(bed(), "instances"),
            spotInstance(bed(), "one", { key: "value" }),
        );
        expect(inserted).toMatchObject({ status: "DONE", operationType: "insert", progress: 100 });
        const { body: shown } = await ask(bed(), "GET", instance("one"));
        const base = `https://www.googleapis.com/compute/v1/projects/${bed().project}`;
        expect(shown).toMatchObject({
            name: "one",
            status: "RUNNING",
            selfLink: `${base}/zones/us-central1-a/instances/one`,
            machineType: `${base}/zones/us-central1-a/machineTypes/e2-small`,
            scheduling: { provisioningModel: "SPOT", preemptible: true, automaticRestart: false },
            disks: [{ boot: true, source: `${base}/zones/us-central1-a/disks/one` }],
            networkInterfaces: [{ name: "nic0", networkIP: expect.stringMatching(/^10\.128\./) }],
            metadata: { items: [{ key: "key", value: "value" }], fingerprint: expect.any(String) },
        });
        await operate(bed(), "POST", instance("one", "stop"));
        expect((await ask(bed(), "GET", instance("one"))).body).toMatchObject({ status: "TERMINATED" });
        await operate(bed(), "POST", instance("one", "start"));
        const list = await ask(bed(), "GET", `${zonePath(bed(), "instances")}?filter=status%3DRUNNING`);
        expect(list.body.items).toHaveLength(1);
        await operate(bed(), "DELETE", instance("one"));
        expect((await ask(bed(), "GET", instance("one"))).body.error).toMatchObject({
            code: 404,
            errors: [{ reason: "notFound" }],
        });
        expect(bed().contents()).toMatchObject({ instances: [], disks: [] });
    });

    test("refuses who says nothing about who it is, or lies", async () => {
        for (const token of ["", "ya29.stolen"]) {
            const { status, body } = await ask(bed(), "GET", zonePath(bed(), "instances"), undefined, token);
            expect([status, body.error.errors[0].reason]).toEqual([401, "authError"]);
        }
    });

    test.each([
        ["a name that does not exist", { provisioningModel: "SPOT" }, 'Unknown name "provisioningModel"'],
        [
            "a name in a part",
            { scheduling: { preemptable: true } },
            "Unknown name \"preemptable\" at 'scheduling'",
        ],
        [
            "another zone's machine",
            { machineType: "zones/us-central1-b/machineTypes/e2-small" },
            "not in zone",
        ],
        [
            "a machine type that does not exist",
            { machineType: "zones/us-central1-a/machineTypes/e3-small" },
            "'e3-small' does not exist",
        ],
        ["a Spot machine that restarts", { scheduling: { provisioningModel: "SPOT" } }, "AutomaticRestart"],
        [
            "a limit without an action",
            { scheduling: { maxRunDuration: { seconds: 60 } } },
            "termination action must be specified",
        ],
        ["no disk", { disks: [] }, "Boot disk"],
        ["a label in upper case", { labels: { Run: "x" } }, "Label key"],
        [
            "a service account that does not exist",
            { serviceAccounts: [{ email: "x@y.iam.gserviceaccount.com" }] },
            "does not have access to service account",
        ],
        [
            "metadata that are too large",
            { metadata: { items: [{ key: "a", value: "x".repeat(300_000) }] } },
            "too large",
        ],
    ])("refuses %s", async (_, more, message) => {
        const { status, body } = await insert({ ...spotInstance(bed(), "bad"), ...more });
        expect([400, 413]).toContain(status);
        expect(body.error.message).toContain(message);
        expect(bed().contents().instances).toEqual([]);
    });

    test("does a request once, however often it comes with the same id", async () => {
        const query = `?requestId=${randomUUID()}`;
        const first = await insert(spotInstance(bed(), "one"), query);
        const second = await insert(spotInstance(bed(), "one"), query);
        expect(second.body.name).toBe(first.body.name);
        expect((await insert(spotInstance(bed(), "one"))).body.error).toMatchObject({ code: 409 });
        expect(bed().requests.count("instances.insert")).toBe(3);
    });

    test("fails as told: answers, time-outs, lost answers, operations", async () => {
        bed().faults.next("instances.insert", { status: 429 }, 2);
        bed().faults.next("instances.insert", { status: 503, done: true });
        const statuses = [];
        for (let n = 0; n < 4; n++) {
            statuses.push((await insert(spotInstance(bed(), "one"))).status);
        }
        // The third has been done, although its answer said otherwise.
        expect(statuses).toEqual([429, 429, 503, 409]);

        bed().faults.next(/^instances\.get$/, { hang: true });
        const slow = fetch(`${bed().url}${instance("one")}`, { signal: AbortSignal.timeout(300) });
        await expect(slow).rejects.toThrow(/timeout/);
        bed().faults.next("instances.get", { drop: true });
        await expect(ask(bed(), "GET", instance("one"))).rejects.toThrow("fetch failed");

        bed().faults.stockout("us-central1-b");
        const body = {
            ...spotInstance(bed(), "two"),
            machineType: "zones/us-central1-b/machineTypes/e2-small",
        };
        const failed = await operate(bed(), "POST", zonePath(bed(), "instances", "us-central1-b"), body);
        expect(failed.error.errors[0].code).toBe("ZONE_RESOURCE_POOL_EXHAUSTED");
        expect(bed().contents().instances).toEqual(["us-central1-a/one"]);
        bed().faults.nextOperation("instances.stop", {
            code: "QUOTA_EXCEEDED",
            message: "Quota 'CPUS' exceeded.",
        });
        expect((await operate(bed(), "POST", instance("one", "stop"))).error.errors[0].code).toBe(
            "QUOTA_EXCEEDED",
        );
    });

    test("says which permission is missing, and which API is not enabled", async () => {
        bed().api.denied.add("compute.instances.create");
        expect((await insert(spotInstance(bed(), "one"))).body.error).toMatchObject({
            code: 403,
            message: `Required 'compute.instances.create' permission for 'projects/${bed().project}/zones/us-central1-a/instances'`,
        });
        bed().api.denied.clear();
        bed().api.disabled.add("compute");
        expect((await insert(spotInstance(bed(), "one"))).body.error.errors[0].reason).toBe(
            "accessNotConfigured",
        );
        bed().api.disabled.clear();
    });

    test("preempts Spot machines only, and leaves or deletes them as they want it", async () => {
        await insert(spotInstance(bed(), "stays"));
        const scheduling = {
            provisioningModel: "SPOT",
            automaticRestart: false,
            instanceTerminationAction: "DELETE",
        };
        await insert(spotInstance(bed(), "goes", {}, { scheduling }));
        await insert(spotInstance(bed(), "standard", {}, { scheduling: {} }));
        await bed().operations.settled();
        await Promise.all([bed().preempt("stays"), bed().preempt("goes")]);
        await expect(bed().preempt("standard")).rejects.toThrow("no Spot machine");
        expect(bed().contents().instances).toEqual(["us-central1-a/standard", "us-central1-a/stays"]);
        const filter = encodeURIComponent('operationType="compute.instances.preempted"');
        const { body } = await ask(bed(), "GET", `${zonePath(bed(), "operations")}?filter=${filter}`);
        expect(body.items).toHaveLength(2);
        expect(body.items[0]).toMatchObject({ user: "system", status: "DONE" });
        await bed().hostError("standard");
        expect(bed().instance("standard")).toMatchObject({ status: "RUNNING", boots: 2 });
    });

    test("ends a machine that has run for as long as it may, whoever watches", async () => {
        const limit = { maxRunDuration: { seconds: 30 }, automaticRestart: false, provisioningModel: "SPOT" };
        await insert(
            spotInstance(bed(), "stops", {}, { scheduling: { ...limit, instanceTerminationAction: "STOP" } }),
        );
        await insert(
            spotInstance(
                bed(),
                "goes",
                {},
                { scheduling: { ...limit, instanceTerminationAction: "DELETE" } },
            ),
        );
        await bed().operations.settled();
        expect(bed().contents().instances).toEqual(["us-central1-a/goes", "us-central1-a/stops"]);
        await until(
            () => bed().contents().instances.length === 1 && bed().instance("stops").status === "TERMINATED",
            40_000,
            () => `the end of both: ${bed().contents().instances.join(", ")}`,
        );
    });

    test("looks up images by name and family, and zones, and machine types", async () => {
        const get = (path: string) => ask(bed(), "GET", `/compute/v1/projects/${path}`);
        expect((await get("cos-cloud/global/images/cos-stable")).status).toBe(404);
        const family = await get("cos-cloud/global/images/family/cos-stable");
        expect(family.body).toMatchObject({ family: "cos-stable", status: "READY" });
        expect((await get(`${bed().project}/zones/mars-a`)).status).toBe(404);
        expect((await get(`${bed().project}/zones/us-central1-a/machineTypes/e2-small`)).body.guestCpus).toBe(
            2,
        );
        expect((await get("another-project")).status).toBe(404);
    });
});
