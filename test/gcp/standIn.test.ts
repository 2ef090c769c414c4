import { ask } from "../support/gcp/client";
import { describeGcp } from "../support/gcp/lane";
import { gcpProject, withGcp } from "../support/gcp/project";
import type { CommandResult, Project } from "../support/project";

const PROGRAM = `
const labels = { run: "one" };
const account = new gcp.serviceaccount.Account("sa", { accountId: "runner-of-tests", displayName: "Runner" });
const bucket = new gcp.storage.Bucket("bucket", {
    name: "bucket-of-tests", location: "us-central1", uniformBucketLevelAccess: true, forceDestroy: true, labels,
    lifecycleRules: [{ action: { type: "Delete" }, condition: { age: 30, matchesPrefixes: ["runs/"] } }],
});
const objects = new gcp.storage.BucketIAMMember("objects", {
    bucket: bucket.name, role: "roles/storage.objectUser", member: account.member,
    condition: { title: "prefix", expression: 'resource.name.startsWith("projects/_/buckets/bucket-of-tests/objects/runs/")' },
});
new gcp.projects.IAMMember("log", { project: "stackrun-test", role: "roles/logging.logWriter", member: account.member });
const secret = new gcp.secretmanager.Secret("secret", { secretId: "password", replication: { auto: {} } });
const version = new gcp.secretmanager.SecretVersion("version", { secret: secret.id, secretData: "hunter2-very-secret" });
new gcp.secretmanager.SecretIamMember("reads", { secretId: secret.id, role: "roles/secretmanager.secretAccessor", member: account.member });
new gcp.artifactregistry.RepositoryIamMember("pulls", {
    repository: "images", location: "us-central1", role: "roles/artifactregistry.reader", member: account.member,
});
const args = {
    machineType: "e2-small", zone: "us-central1-a", labels,
    bootDisk: { initializeParams: { image: "cos-cloud/cos-stable", size: 20 } },
    networkInterfaces: [{ network: "default" }],
    scheduling: { provisioningModel: "SPOT", preemptible: true, automaticRestart: false, instanceTerminationAction: "STOP", maxRunDuration: { seconds: 3600 } },
    serviceAccount: { email: account.email, scopes: ["cloud-platform"] },
    metadata: { "startup-script": "#!/bin/bash", bundle: "one" },
};
const opts = { dependsOn: [objects] };
/* more */
const instance = new gcp.compute.Instance("vm", args, opts);
exports.instance = instance.name;
exports.status = instance.currentStatus;
exports.ip = instance.networkInterfaces[0].networkIp;
exports.url = bucket.url;
exports.version = version.version;
`;
const NOTHING = {
    instances: [],
    groups: [],
    templates: [],
    disks: [],
    serviceAccounts: [],
    secrets: [],
    buckets: [],
    roles: [],
    policies: [],
};

describeGcp("the stand-in for pulumi-resource-gcp", {}, (bed) => {
    let project: Project;

    beforeAll(async () => {
        bed().repositories.add("us-central1", "images");
        project = await gcpProject(bed(), PROGRAM);
    });
    afterAll(() => project?.dispose());
    afterEach(async () => {
        bed().faults.clear();
        await project.expectOk(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);
        expectNothing();
        project.program(withGcp(PROGRAM));
    });

    const expectNothing = () => expect(bed().contents()).toEqual(NOTHING);
    const up = async (more = "", args: readonly string[] = []) => {
        project.program(withGcp(PROGRAM.replace("/* more */", more)));
        const { code, stdout, stderr } = await project.up(args);
        return { code, output: stdout + stderr };
    };
    const upOk = async (more = "") => {
        const { code, output } = await up(more);
        if (code !== 0) {
            throw new Error(output);
        }
        return output;
    };

    test("makes what is declared, changes nothing the second time, and removes all", async () => {
        const preview = await project.preview();
        expect(preview.stdout + preview.stderr).toContain("+ 10 to create");
        expect(bed().contents()).toEqual(NOTHING);
        await upOk();
        const outputs = await project.outputs();
        expect(outputs).toMatchObject({ status: "RUNNING", url: "gs://bucket-of-tests", version: "1" });
        expect(outputs.ip).toMatch(/^10\.128\.0\.\d+$/);
        expect(bed().contents()).toEqual({
            ...NOTHING,
            instances: [`us-central1-a/${outputs.instance}`],
            disks: [`us-central1-a/${outputs.instance}`],
            serviceAccounts: ["runner-of-tests@stackrun-test.iam.gserviceaccount.com"],
            secrets: ["password"],
            buckets: ["bucket-of-tests"],
            policies: [
                "b/bucket-of-tests",
                "project",
                "projects/stackrun-test/locations/us-central1/repositories/images",
                "projects/stackrun-test/secrets/password",
            ],
        });
        const instance = bed().instance(outputs.instance);
        expect(instance.resource).toMatchObject({
            scheduling: { provisioningModel: "SPOT", maxRunDuration: { seconds: "3600" } },
            labels: { run: "one", "goog-pulumi-provisioned": "true" },
        });
        expect(project.checkpoint().text).not.toContain("hunter2");
        expect(await upOk()).toContain("10 unchanged");
        const refreshed = await project.pulumi([
            "refresh",
            "--yes",
            "--skip-preview",
            "--stack",
            "dev",
            "--expect-no-changes",
        ]);
        expect(refreshed).toMatchObject({ code: 0 });
    });

    test("changes in place what can be, and else makes another", async () => {
        await upOk();
        const { instance } = await project.outputs();
        const { id } = bed().instance(instance);
        await upOk('args.metadata.bundle = "two"; labels.run = "two";');
        expect(bed().instance(instance)).toMatchObject({ id, resource: { labels: { run: "two" } } });
        expect(bed().instance(instance).attribute("bundle")).toBe("two");
        const refused = await up('args.machineType = "e2-medium";');
        expect(refused.output).toContain("allow_stopping_for_update");
        await upOk('args.machineType = "e2-medium"; args.allowStoppingForUpdate = true;');
        expect(bed().instance(instance)).toMatchObject({ id, status: "RUNNING", boots: 2 });
        await upOk('args.name = "vm-2"; args.zone = "us-central1-b";');
        expect(bed().contents().instances).toEqual(["us-central1-b/vm-2"]);
    });

    test("a preempted instance is no change, unless a status is desired", async () => {
        await upOk('args.name = "vm-1";');
        await bed().preempt("vm-1");
        expect(
            await text(project.pulumi(["refresh", "--yes", "--skip-preview", "--stack", "dev"])),
        ).toContain("Resources");
        expect(await upOk('args.name = "vm-1";')).toContain("10 unchanged");
        expect(bed().instance("vm-1").status).toBe("TERMINATED");
        await upOk('args.name = "vm-1"; args.desiredStatus = "RUNNING";');
        expect(bed().instance("vm-1")).toMatchObject({ status: "RUNNING", boots: 2 });
    });

    test("refuses what the provider does not know, and what it would have to ignore", async () => {
        const { code, output } = await up(
            "args.scheduling.maxRunDuration = { minutes: 3 }; args.params = {};",
        );
        expect(code).not.toBe(0);
        expect(output).toContain("InstanceSchedulingMaxRunDuration has no such property");
        expect(output).toContain("scheduling.maxRunDuration.seconds");
        expect(output).toContain("is not known to the stand-in");
    });

    test("tries again what passes, and says what does not", async () => {
        bed().faults.next("instances.insert", { status: 503 }, 2);
        bed().faults.next("zoneOperations.get", { status: 429 });
        await upOk('args.name = "vm-1";');
        expect(bed().requests.count("instances.insert")).toBeGreaterThanOrEqual(3);
        bed().faults.stockout("us-central1-b");
        const failed = await up('args.name = "vm-2"; args.zone = "us-central1-b";');
        expect(failed.output).toContain("ZONE_RESOURCE_POOL_EXHAUSTED");
        bed().api.denied.add("compute.instances.create");
        const denied = await up('args.name = "vm-3";');
        bed().api.denied.clear();
        expect(denied.output).toContain("Required 'compute.instances.create' permission");
    });

    test("the service account may do what was granted to it, and nothing else", async () => {
        await upOk('args.name = "vm-1";');
        const { access_token: token } = bed().accounts.token(
            "runner-of-tests@stackrun-test.iam.gserviceaccount.com",
        );
        const as = (method: string, path: string, body?: object) => ask(bed(), method, path, body, token);
        const upload = (name: string) =>
            as("POST", `/upload/storage/v1/b/bucket-of-tests/o?uploadType=media&name=${name}`, { a: 1 });
        expect((await upload("runs%2F1")).status).toBe(200);
        expect((await upload("other%2F1")).status).toBe(403);
        expect((await as("GET", "/storage/v1/b/bucket-of-tests/o/runs%2F1?alt=media")).body).toEqual({
            a: 1,
        });
        expect((await as("DELETE", "/storage/v1/b/bucket-of-tests")).status).toBe(403);
        const secret = await as("GET", "/v1/projects/stackrun-test/secrets/password/versions/latest:access");
        expect(Buffer.from(secret.body.payload.data as string, "base64").toString()).toBe(
            "hunter2-very-secret",
        );
        expect((await as("GET", "/v1/projects/stackrun-test/secrets/password")).status).toBe(403);
        expect(
            (await as("POST", "/compute/v1/projects/stackrun-test/zones/us-central1-a/instances/vm-1/stop"))
                .status,
        ).toBe(403);
    });
});

async function text(result: Promise<CommandResult>): Promise<string> {
    const { stdout, stderr } = await result;
    return stdout + stderr;
}
