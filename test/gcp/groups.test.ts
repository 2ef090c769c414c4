import { setTimeout as sleep } from "node:timers/promises";
import { ask, globalPath, operate, zonePath } from "../support/gcp/client";
import { GroupClient, REGION } from "../support/gcp/groupClient";
import { describeGcp } from "../support/gcp/lane";

const TIMING = { repairMs: 20, retryMs: 50 };

describeGcp("managed groups", { groups: TIMING }, (bed) => {
    let groups: GroupClient;
    const stop = (name: string) => operate(bed(), "POST", zonePath(bed(), `instances/${name}/stop`));
    const remove = (name: string) => operate(bed(), "DELETE", zonePath(bed(), `instances/${name}`));

    beforeEach(async () => {
        groups = new GroupClient(bed());
        await groups.template("one");
    });
    afterEach(async () => {
        bed().faults.clear();
        Object.assign(bed().groups.timing, TIMING);
        await groups.clean();
        const { instances, disks, groups: rest, templates } = bed().contents();
        if (instances.length + disks.length + rest.length + templates.length > 0) {
            throw new Error(`left behind: ${JSON.stringify(bed().contents())}`);
        }
    });

    test("make instances of their template, show them, and end them with the group", async () => {
        await groups.insert("crew", { description: "one at a time" });
        const shown = await groups.stable("crew");
        const base = `https://www.googleapis.com/compute/v1/projects/${bed().project}`;
        expect(shown).toMatchObject({
            kind: "compute#instanceGroupManager",
            selfLink: `${base}/zones/us-central1-a/instanceGroupManagers/crew`,
            instanceGroup: `${base}/zones/us-central1-a/instanceGroups/crew`,
            zone: `${base}/zones/us-central1-a`,
            versions: [{ instanceTemplate: `${base}/global/instanceTemplates/one` }],
            currentActions: { none: 1, creating: 0, deleting: 0 },
            targetSize: 1,
            updatePolicy: { type: "OPPORTUNISTIC", replacementMethod: "SUBSTITUTE" },
            instanceLifecyclePolicy: { defaultActionOnFailure: "REPAIR" },
            status: { versionTarget: { isReached: true } },
        });
        const { name, id, resource } = groups.only;
        expect(name).toMatch(/^worker-[0-9b-z]{4}$/);
        expect(await groups.managed("crew")).toEqual([
            {
                instance: `${base}/zones/us-central1-a/instances/${name}`,
                name,
                id,
                instanceStatus: "RUNNING",
                currentAction: "NONE",
                lastAttempt: {},
                version: { instanceTemplate: `${base}/global/instanceTemplates/one` },
            },
        ]);
        expect(groups.only.attribute("key")).toBe("one");
        expect(groups.only.attribute("created-by")).toBe(
            `projects/${bed().projectNumber}/zones/us-central1-a/instanceGroupManagers/crew`,
        );
        expect(resource.machineType).toBe("zones/us-central1-a/machineTypes/e2-small");
        expect(bed().contents()).toMatchObject({ groups: ["us-central1-a/crew"], templates: ["one"] });
        const inserted = bed().operations.list.find(({ operationType }) => operationType === "insert");
        expect(inserted).toMatchObject({ user: `${bed().projectNumber}@cloudservices.gserviceaccount.com` });

        const used = await ask(bed(), "DELETE", globalPath(bed(), "instanceTemplates/one"));
        expect(used).toMatchObject({
            status: 400,
            body: { error: { errors: [{ reason: "resourceInUseByAnotherResource" }] } },
        });
        expect(await operate(bed(), "DELETE", groups.path("crew"))).toMatchObject({
            operationType: "compute.instanceGroupManagers.delete",
            status: "DONE",
        });
        expect(bed().contents()).toMatchObject({ instances: [], disks: [], groups: [] });
    });

    test.each<[string, (name: string) => Promise<unknown>, string]>([
        ["stopped", stop, "is (STOPPING|TERMINATED)"],
        ["preempted", (name) => bed().preempt(name), "is (STOPPING|TERMINATED)"],
        ["deleted", remove, "doesn't exist"],
        ["cut off", (name) => bed().powerCut(name), "is TERMINATED"],
    ])("make an instance anew that was %s: of its name, and with another disk", async (_, end, why) => {
        await groups.insert("crew");
        await groups.stable("crew");
        const { id, name, options } = groups.only;
        await end(name);
        await groups.another(id);
        await groups.stable("crew");
        expect(groups.only).toMatchObject({ name, status: "RUNNING", boots: 1 });
        expect(groups.only.options.disk).not.toBe(options.disk);
        const found = bed().operations.list.find(
            ({ targetId, operationType }) =>
                targetId === id && operationType === "compute.instances.repair.recreateInstance",
        );
        expect(found).toMatchObject({ user: "system", name: expect.stringMatching(/^repair-/) });
        expect(found?.statusMessage).toMatch(new RegExp(`instance should be RUNNING, but ${why}\\.$`));
    });

    test("make one anew on request, and refuse for one that is not theirs", async () => {
        await groups.insert("crew");
        await groups.stable("crew");
        const { id, name } = groups.only;
        const recreate = (instance: string) =>
            operate(bed(), "POST", groups.path("crew", "recreateInstances"), {
                instances: [`zones/us-central1-a/instances/${instance}`],
            });
        await recreate(name);
        await groups.another(id);
        await groups.stable("crew");
        expect(groups.only.name).toBe(name);
        await expect(recreate("worker-none")).rejects.toThrow("Instance is not a member of");
    });

    test("repair after a while, and leave alone what is back by then, or what they are not to repair", async () => {
        bed().groups.timing.repairMs = 300;
        await groups.insert("crew");
        await groups.stable("crew");
        const { id, name } = groups.only;
        await bed().powerCut(name);
        expect(await groups.get("crew")).toMatchObject({ status: { isStable: true }, targetSize: 1 });
        await operate(bed(), "POST", zonePath(bed(), `instances/${name}/start`));
        await sleep(500);
        expect(groups.only).toMatchObject({ id, status: "RUNNING" });
        await groups.patch("crew", { instanceLifecyclePolicy: { defaultActionOnFailure: "DO_NOTHING" } });
        await bed().preempt(name);
        await sleep(500);
        expect(groups.only).toMatchObject({ id, status: "TERMINATED" });
    });

    test("are resized: what is too much is deleted for good", async () => {
        await groups.insert("crew", { targetSize: 0 });
        expect(await groups.stable("crew")).toMatchObject({ targetSize: 0 });
        await groups.resize("crew", 2);
        await groups.stable("crew");
        expect(bed().instances.list).toHaveLength(2);
        const [first, second] = bed().instances.list;
        bed().groups.timing.repairMs = 60_000;
        await bed().powerCut(first?.name ?? "");
        await groups.resize("crew", 1);
        await groups.stable("crew");
        expect(groups.only.id).toBe(second?.id);
        await groups.resize("crew", 0);
        expect(await groups.stable("crew")).toMatchObject({ currentActions: { none: 0, deleting: 0 } });
        expect(bed().contents()).toMatchObject({ instances: [], groups: ["us-central1-a/crew"] });
        await expect(groups.resize("crew", -1)).rejects.toThrow("Invalid value for field 'size'");
    });

    test("delete what has run for as long as it may, and are smaller then", async () => {
        const limit = { maxRunDuration: { seconds: 30 }, instanceTerminationAction: "STOP" };
        const scheduling = { provisioningModel: "SPOT", automaticRestart: false, ...limit };
        await groups.template("short", { scheduling });
        const instanceTemplate = "global/instanceTemplates/short";
        await groups.insert("crew", { versions: [{ instanceTemplate }] });
        await groups.stable("crew");
        await sleep(31_000);
        expect(await groups.stable("crew")).toMatchObject({ targetSize: 0 });
        expect(bed().contents().instances).toEqual([]);
    });

    test("try again where there are no machines, and say why there is none", async () => {
        bed().faults.stockout("us-central1-a");
        await groups.insert("crew");
        await groups.failing("crew");
        const [one] = await groups.managed("crew");
        expect(one).toMatchObject({
            currentAction: "CREATING",
            lastAttempt: { errors: { errors: [{ code: "ZONE_RESOURCE_POOL_EXHAUSTED" }] } },
        });
        expect(one.instanceStatus).toBeUndefined();
        expect(await groups.get("crew")).toMatchObject({
            status: { isStable: false },
            currentActions: { creating: 1 },
        });
        const { items } = (await ask(bed(), "GET", groups.path("crew", "listErrors"))).body;
        expect(items[0]).toMatchObject({
            error: { code: "ZONE_RESOURCE_POOL_EXHAUSTED" },
            instanceActionDetails: { action: "CREATING" },
        });
        bed().faults.restock("us-central1-a");
        await groups.stable("crew");
        expect(groups.only.name).toBe(one.name);
    });

    test("are deleted also while they try and try again", async () => {
        bed().groups.timing.retryMs = 60_000;
        bed().faults.stockout("us-central1-a");
        await groups.insert("crew");
        await groups.failing("crew");
        expect(await operate(bed(), "DELETE", groups.path("crew"))).toMatchObject({ status: "DONE" });
        expect(bed().contents().groups).toEqual([]);
    });

    describe("of a region", () => {
        const updatePolicy = { instanceRedistributionType: "NONE" };
        let regional: GroupClient;

        beforeEach(() => void (regional = new GroupClient(bed(), REGION)));

        test("spread over its zones", async () => {
            await regional.insert("crew", { targetSize: 3 });
            const shown = await regional.stable("crew");
            expect(
                bed()
                    .instances.list.map(({ zone }) => zone)
                    .sort(),
            ).toEqual(["us-central1-a", "us-central1-b", "us-central1-c"]);
            expect(shown).toMatchObject({
                region: expect.stringMatching(/regions\/us-central1$/),
                distributionPolicy: { targetShape: "EVEN" },
            });
            expect(bed().contents().groups).toEqual(["us-central1/crew"]);
        });

        test("go where there are machines, unless they have to be even", async () => {
            bed().faults.stockout("us-central1-a");
            await regional.insert("crew", { updatePolicy, distributionPolicy: { targetShape: "ANY" } });
            await regional.stable("crew");
            expect(regional.only.zone).toBe("us-central1-b");
            await regional.insert("even", { baseInstanceName: "even" });
            await regional.failing("even");
            expect((await regional.managed("even"))[0].currentAction).toBe("CREATING");
            expect(regional.only.zone).toBe("us-central1-b");
        });

        test("repair an instance in its own zone, unless they may change it", async () => {
            const zones = ["f", "b"].map((letter) => ({ zone: `zones/us-central1-${letter}` }));
            const distributionPolicy = { targetShape: "ANY", zones };
            await regional.insert("crew", { updatePolicy, distributionPolicy });
            await regional.stable("crew");
            const { name, id, zone } = regional.only;
            expect(zone).toBe("us-central1-f");
            bed().faults.stockout("us-central1-f");
            await bed().preempt(name);
            await regional.failing("crew");
            await sleep(200);
            expect((await regional.managed("crew"))[0]).toMatchObject({ currentAction: "RECREATING" });
            expect(bed().instances.list).toEqual([]);
            await regional.patch("crew", {
                instanceLifecyclePolicy: { onRepair: { allowChangingZone: "YES" } },
            });
            await regional.another(id);
            expect(regional.only.zone).toBe("us-central1-b");
        });
    });
});
