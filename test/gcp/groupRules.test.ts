import { ask, globalPath, operate, spotTemplate, zonePath } from "../support/gcp/client";
import { GroupClient, REGION } from "../support/gcp/groupClient";
import { describeGcp } from "../support/gcp/lane";

describeGcp("of managed groups and their templates", { groups: { repairMs: 20, retryMs: 50 } }, (bed) => {
    let groups: GroupClient;

    beforeEach(async () => {
        groups = new GroupClient(bed());
        await groups.template("one");
    });
    afterEach(() => groups.clean());

    test.each<[string, object, string]>([
        ["no version", { versions: [] }, "At least one version"],
        ["no size", { targetSize: undefined }, "Required field is missing"],
        ["half a size", { targetSize: 0.5 }, "resource.targetSize"],
        [
            "a template that is not there",
            { versions: [{ instanceTemplate: "global/instanceTemplates/two" }] },
            "was not found",
        ],
        ["a template by its bare name", { versions: [{ instanceTemplate: "one" }] }, "The URL is malformed"],
        [
            "two versions",
            {
                versions: ["one", "one"].map((name) => ({
                    instanceTemplate: `global/instanceTemplates/${name}`,
                })),
            },
            "one version only",
        ],
        ["a name in upper case", { name: "Crew" }, "resource.name"],
        [
            "a name that leaves no room for four characters",
            { baseInstanceName: "x".repeat(59) },
            "baseInstanceName",
        ],
        ["a name that does not exist", { autoscale: true }, 'Unknown name "autoscale"'],
        [
            "a repair that does not exist",
            { instanceLifecyclePolicy: { defaultActionOnFailure: "RESTART" } },
            "REPAIR, DO_NOTHING",
        ],
        ["recreation with a surge", { updatePolicy: { replacementMethod: "RECREATE" } }, "maxSurge of 0"],
        ["zones", { distributionPolicy: { zones: [] } }, "a group of one zone has none"],
    ])("a group with %s is refused", async (_, more, message) => {
        const { status, body } = await ask(bed(), "POST", groups.path(), groups.body("crew", more));
        expect([status, body.error.message]).toEqual([expect.any(Number), expect.stringContaining(message)]);
        expect(status).toBeGreaterThanOrEqual(400);
        expect(bed().contents().groups).toEqual([]);
    });

    test.each<[string, object, string]>([
        [
            "zones of another",
            { distributionPolicy: { zones: [{ zone: "zones/europe-west1-b" }] } },
            "europe-west1-b",
        ],
        [
            "a shape that redistribution would undo",
            { distributionPolicy: { targetShape: "ANY" } },
            "Proactive redistribution",
        ],
        [
            "a surge below the number of zones",
            { updatePolicy: { maxSurge: { fixed: 1 } } },
            "number of zones (3)",
        ],
    ])("a group of a region with %s is refused", async (_, more, message) => {
        const regional = new GroupClient(bed(), REGION);
        const { status, body } = await ask(bed(), "POST", regional.path(), regional.body("crew", more));
        expect(status).toBeGreaterThanOrEqual(400);
        expect(body.error.message).toContain(message);
    });

    test.each<[string, object, string]>([
        [
            "a machine type of a zone",
            { machineType: "zones/us-central1-a/machineTypes/e2-small" },
            "must be a valid resource name (not an url)",
        ],
        ["no boot disk", { disks: [] }, "Boot disk"],
        [
            "an image that is not there",
            {
                disks: [
                    {
                        boot: true,
                        initializeParams: {
                            sourceImage: "projects/debian-cloud/global/images/family/debian-1",
                        },
                    },
                ],
            },
            "was not found",
        ],
        ["protection against deletion", { deletionProtection: true }, 'Unknown name "deletionProtection"'],
        ["a Spot machine that restarts", { scheduling: { provisioningModel: "SPOT" } }, "AutomaticRestart"],
    ])("a template with %s is refused", async (_, more, message) => {
        const body = spotTemplate(bed(), "bad", {}, more);
        const answer = await ask(bed(), "POST", globalPath(bed(), "instanceTemplates"), body);
        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(answer.body.error.message).toContain(message);
        expect(bed().contents().templates).toEqual(["one"]);
    });

    test("a template is got by its name and its id, listed, and deleted", async () => {
        const { body: shown } = await ask(bed(), "GET", globalPath(bed(), "instanceTemplates/one"));
        expect(shown).toMatchObject({
            name: "one",
            selfLink: `https://www.googleapis.com/compute/v1/projects/${bed().project}/global/instanceTemplates/one`,
            properties: { machineType: "e2-small", metadata: { items: [{ key: "key", value: "one" }] } },
        });
        const byId = await ask(bed(), "GET", globalPath(bed(), `instanceTemplates/${shown.id}`));
        expect(byId.body).toEqual(shown);
        const list = await ask(bed(), "GET", globalPath(bed(), "instanceTemplates?filter=name%3Done"));
        expect(list.body.items).toEqual([shown]);
        const again = await ask(
            bed(),
            "POST",
            globalPath(bed(), "instanceTemplates"),
            spotTemplate(bed(), "one"),
        );
        expect(again.status).toBe(409);
        await operate(bed(), "DELETE", globalPath(bed(), "instanceTemplates/one"));
        expect((await ask(bed(), "GET", globalPath(bed(), "instanceTemplates/one"))).status).toBe(404);
    });

    test("an instance is made of a template: what is said of it stands above", async () => {
        const path = zonePath(bed(), "instances?sourceInstanceTemplate=global/instanceTemplates/one");
        const metadata = { items: [{ key: "own", value: "yes" }] };
        await operate(bed(), "POST", path, { name: "vm-1", metadata });
        expect(groups.only.resource).toMatchObject({
            name: "vm-1",
            scheduling: { provisioningModel: "SPOT" },
            metadata,
        });
        expect(groups.only.attribute("key")).toBeUndefined();
        await operate(bed(), "DELETE", zonePath(bed(), "instances/vm-1"));
        const unknown = await ask(bed(), "POST", path.replace("/one", "/two"), { name: "vm-2" });
        expect(unknown.status).toBe(404);
    });

    test("a group of a service account that is not there is refused", async () => {
        const email = "nobody@stackrun-test.iam.gserviceaccount.com";
        await groups.template("two", { serviceAccounts: [{ email, scopes: [] }] });
        const versions = [{ instanceTemplate: "global/instanceTemplates/two" }];
        const { status, body } = await ask(bed(), "POST", groups.path(), groups.body("crew", { versions }));
        expect([status, body.error.message]).toEqual([
            404,
            expect.stringContaining("of type 'serviceAccount' was not found"),
        ]);
    });

    test("a new version is for new instances, for those that are repaired, or for all", async () => {
        const versions = [{ instanceTemplate: "global/instanceTemplates/two" }];
        await groups.template("two");
        await groups.insert("crew");
        const { fingerprint } = await groups.stable("crew");
        const first = groups.only;
        await expect(groups.patch("crew", { versions, fingerprint: "old" })).rejects.toThrow("412");
        await groups.patch("crew", { versions, fingerprint });
        expect(await groups.get("crew")).toMatchObject({ status: { versionTarget: { isReached: false } } });
        await bed().preempt(first.name);
        await groups.another(first.id);
        expect(groups.only.attribute("key")).toBe("one");

        await groups.stable("crew");
        await groups.patch("crew", { instanceLifecyclePolicy: { forceUpdateOnRepair: "YES" } });
        const second = groups.only;
        await bed().preempt(second.name);
        await groups.another(second.id);
        expect(groups.only.attribute("key")).toBe("two");
        expect(await groups.stable("crew")).toMatchObject({ status: { versionTarget: { isReached: true } } });
    });

    test("by default, a proactive change makes the new instance before it deletes the old one", async () => {
        const versions = [{ instanceTemplate: "global/instanceTemplates/two" }];
        await groups.template("two");
        await groups.insert("crew");
        await groups.stable("crew");
        const { name } = groups.only;
        let most = 0;
        const watch = setInterval(() => (most = Math.max(most, bed().instances.list.length)), 1);
        await groups.patch("crew", { versions, updatePolicy: { type: "PROACTIVE" } });
        const shown = await groups.stable("crew");
        clearInterval(watch);
        expect(shown.status.versionTarget.isReached).toBe(true);
        expect(groups.only.attribute("key")).toBe("two");
        expect(groups.only.name).not.toBe(name);
        expect(most).toBe(2);

        await groups.patch("crew", {
            versions: [{ instanceTemplate: "global/instanceTemplates/one" }],
            updatePolicy: { type: "PROACTIVE", replacementMethod: "RECREATE", maxSurge: { fixed: 0 } },
        });
        const second = groups.only.name;
        await groups.stable("crew");
        expect(groups.only.name).toBe(second);
        expect(groups.only.attribute("key")).toBe("one");
    });

    test("a request that comes twice with its id is done once", async () => {
        const path = `${groups.path()}?requestId=11111111-2222-3333-4444-555555555555`;
        const first = await ask(bed(), "POST", path, groups.body("crew"));
        const second = await ask(bed(), "POST", path, groups.body("crew"));
        expect(second.body.name).toBe(first.body.name);
        expect((await ask(bed(), "POST", groups.path(), groups.body("crew"))).status).toBe(409);
        await groups.stable("crew");
        expect(bed().instances.list).toHaveLength(1);
    });
});
