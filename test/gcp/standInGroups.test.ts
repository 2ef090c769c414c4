import { GroupClient } from "../support/gcp/groupClient";
import { describeGcp } from "../support/gcp/lane";
import { gcpProject, withGcp } from "../support/gcp/project";
import { until, type Project } from "../support/project";

const PROGRAM = `
const account = new gcp.serviceaccount.Account("sa", { accountId: "runner-of-tests" });
const role = new gcp.projects.IAMCustomRole("role", {
    roleId: "groupEnder", title: "Ends its group", permissions: ["compute.instanceGroupManagers.get", "compute.instanceGroupManagers.update"],
});
const grant = { project: "stackrun-test", role: role.name, member: account.member };
const template = {
    machineType: "e2-small", disks: [{ sourceImage: "cos-cloud/cos-stable", diskSizeGb: 20, diskType: "pd-balanced" }],
    networkInterfaces: [{ network: "default" }], metadata: { bundle: "one" }, labels: { run: "one" },
    scheduling: { provisioningModel: "SPOT", preemptible: true, automaticRestart: false, instanceTerminationAction: "STOP" },
    serviceAccount: { email: account.email, scopes: ["cloud-platform"] },
};
const group = { name: "crew", baseInstanceName: "worker", zone: "us-central1-a", targetSize: 1 };
let Manager = gcp.compute.InstanceGroupManager;
/* more */
new gcp.projects.IAMMember("may", grant);
const made = new gcp.compute.InstanceTemplate("template", template);
const manager = new Manager("group", { versions: [{ instanceTemplate: made.selfLinkUnique }], ...group });
exports.template = made.name;
exports.size = manager.targetSize;
exports.stable = manager.statuses[0].isStable;
`;

describeGcp("the stand-in's managed groups", { groups: { repairMs: 20, retryMs: 50 } }, (bed) => {
    let project: Project;
    let groups: GroupClient;

    beforeAll(async () => {
        project = await gcpProject(bed(), PROGRAM);
        groups = new GroupClient(bed());
    });
    afterAll(() => project?.dispose());
    afterEach(async () => {
        bed().faults.clear();
        await project.expectOk(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);
        const left = Object.values(bed().contents()).flat();
        if (left.length > 0) {
            throw new Error(`left behind: ${left.join(", ")}`);
        }
    });

    const up = async (more = "", args: readonly string[] = []) => {
        project.program(withGcp(PROGRAM.replace("/* more */", more)));
        const { code, stdout, stderr } = await project.up(args);
        return { code, output: stdout + stderr };
    };
    const upOk = async (more = "", args: readonly string[] = []) => {
        const { code, output } = await up(more, args);
        if (code !== 0) {
            throw new Error(output);
        }
        return output;
    };

    test("are made of what is declared, and are no change the second time", async () => {
        await upOk("group.waitForInstances = true;");
        const outputs = await project.outputs();
        expect(outputs).toMatchObject({ size: 1, stable: true });
        expect(bed().contents()).toMatchObject({
            groups: ["us-central1-a/crew"],
            templates: [outputs.template],
            roles: ["groupEnder"],
            policies: ["project"],
        });
        expect(groups.only).toMatchObject({
            resource: {
                labels: { run: "one", "goog-pulumi-provisioned": "true" },
                scheduling: {
                    provisioningModel: "SPOT",
                    automaticRestart: false,
                    onHostMaintenance: "TERMINATE",
                },
                disks: [{ boot: true, autoDelete: true, initializeParams: { diskSizeGb: "20" } }],
            },
        });
        expect(groups.only.attribute("bundle")).toBe("one");
        expect(await upOk("group.waitForInstances = true;")).toContain("6 unchanged");
        const refreshed = ["refresh", "--yes", "--skip-preview", "--stack", "dev", "--expect-no-changes"];
        expect(await project.pulumi(refreshed)).toMatchObject({ code: 0 });
    });

    test("get a new template in place: the instances that are there stay as they are", async () => {
        await upOk("group.waitForInstances = true;");
        const { template } = await project.outputs();
        const { id } = groups.only;
        await upOk('template.metadata.bundle = "two"; group.waitForInstances = true;');
        const { template: second } = await project.outputs();
        expect(second).not.toBe(template);
        expect(bed().contents().templates).toEqual([second]);
        expect(groups.only.id).toBe(id);
        expect(groups.only.attribute("bundle")).toBe("one");
        await bed().preempt(groups.only.name);
        await groups.another(id);
        expect(groups.only.attribute("bundle")).toBe("one");
        // One with a name of the program's is deleted before the other is made: which can't be, while the group has it.
        const { code, output } = await up('template.name = "mine";');
        expect(code).not.toBe(0);
        expect(output).toContain("is already being used by");
    });

    test("that somebody has resized are seen to be so by a refresh, and are resized again", async () => {
        await upOk("group.waitForInstances = true;");
        await groups.resize("crew", 0);
        await groups.stable("crew");
        expect(await upOk("group.waitForInstances = true;")).toContain("6 unchanged");
        expect(bed().contents().instances).toEqual([]);
        await upOk("group.waitForInstances = true;", ["--refresh"]);
        expect(groups.only.status).toBe("RUNNING");
        await groups.resize("crew", 0);
        // Where no size is declared, each is right.
        await upOk("group.targetSize = undefined;", ["--refresh"]);
        expect(await groups.stable("crew")).toMatchObject({ targetSize: 0 });
    });

    test("are waited for only on request", async () => {
        bed().faults.stockout("us-central1-a");
        await upOk();
        expect(await project.outputs()).toMatchObject({ size: 1, stable: false });
        let done = false;
        const waiting = up('group.waitForInstances = true; group.description = "waited for";').then(
            (result) => {
                done = true;
                return result;
            },
        );
        await until(
            () => bed().requests.count("instanceGroupManagers.patch") > 0,
            60_000,
            () => "the patch",
        );
        await new Promise((resolve) => setTimeout(resolve, 1500));
        expect(done).toBe(false);
        bed().faults.restock("us-central1-a");
        expect(await waiting).toMatchObject({ code: 0 });
        expect(await project.outputs()).toMatchObject({ stable: true });
    });

    test("of a region go where there are machines", async () => {
        bed().faults.stockout("us-central1-a");
        await upOk(`
            Manager = gcp.compute.RegionInstanceGroupManager;
            delete group.zone;
            Object.assign(group, {
                region: "us-central1", distributionPolicyTargetShape: "ANY", waitForInstances: true,
                distributionPolicyZones: ["us-central1-a", "us-central1-f"],
                updatePolicy: { type: "OPPORTUNISTIC", minimalAction: "REPLACE", instanceRedistributionType: "NONE", maxUnavailableFixed: 2 },
            });
        `);
        expect(groups.only.zone).toBe("us-central1-f");
        expect(bed().contents().groups).toEqual(["us-central1/crew"]);
    });

    test("are refused with what the provider does not know or allow, and with what it would have to ignore", async () => {
        const { code, output } = await up(`
            Object.assign(group, {
                namedPorts: [], waitForInstances: 3, waitForInstancesStatus: "DONE", updatePolicy: { type: "PROACTIVE" },
            });
        `);
        expect(code).not.toBe(0);
        expect(output).toMatch(/namedPorts.*is not known to the stand-in/);
        expect(output).toMatch(/waitForInstances.*has to be a boolean/);
        expect(output).toContain("has to be STABLE or UPDATED");
        expect(output).toMatch(/updatePolicy\.minimalAction.*is required/);
        const disk = await up('template.disks[0].image = "x";');
        expect(disk.output).toContain("InstanceTemplateDisk has no such property");
        const none = await up("group.versions = undefined;");
        expect(none.output).toContain("Missing required property 'versions'");
    });

    test("and their roles are granted under conditions", async () => {
        const expression = 'resource.type == "compute.googleapis.com/Instance"';
        const more = `group.targetSize = 0; grant.condition = { title: "t", expression: ${JSON.stringify(expression)} };`;
        await upOk(more);
        const [binding, ...others] = bed().policies.all.project ?? [];
        expect(binding).toMatchObject({
            role: expect.stringMatching(/groupEnder$/),
            condition: { expression },
        });
        expect(others).toEqual([]);
        expect(await upOk(more)).toContain("6 unchanged");
        const { output } = await up('grant.condition = { title: "t", expression: "request.time < 3" };');
        expect(output).toContain("does not know the condition");
    });

    test("with an update policy that says nothing of a surge have none, and are refused for it", async () => {
        const { output } = await up('group.updatePolicy = { type: "PROACTIVE", minimalAction: "REPLACE" };');
        expect(output).toContain("can't both be 0");
    });
});
