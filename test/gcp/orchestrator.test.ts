import * as path from "node:path";
import { ask } from "../support/gcp/client";
import { describeGcp } from "../support/gcp/lane";
import { gcpProject, withGcp } from "../support/gcp/project";
import { REPO, type Project } from "../support/project";

const NOTHING = { instances: [], disks: [], serviceAccounts: [], secrets: [], buckets: [], policies: [] };
const FILES = {
    "job/pipeline.yaml": "name: weather\nsecrets: [TOKEN]\nsteps: [{name: load, run: ls}]\n",
};

/** A program with one run; the machines of these tests are paper, so that nobody waits for its end. */
const program = (more = "") => `
const { GcpOrchestrator } = require(${JSON.stringify(path.join(REPO, "dist/components/gcp"))});
const run = new GcpOrchestrator("train", {
    pipeline: "job/pipeline.yaml",
    image: "us-central1-docker.pkg.dev/stackrun-test/images/steps:1",
    secrets: { TOKEN: pulumi.secret("hunter2-very-secret") },
    wait: false,
    ${more}
});
exports.runId = run.runId;
exports.attempt = run.attempt;
exports.status = run.status;
`;

describeGcp("GcpOrchestrator on Google Cloud", {}, (bed) => {
    let project: Project;

    beforeAll(async () => {
        bed().repositories.add("us-central1", "images");
        project = await gcpProject(bed(), program(), FILES, bed().storage.env);
    });
    afterAll(() => project?.dispose());
    afterEach(async () => {
        project.program(withGcp(program()));
        await project.expectOk(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);
        expectNothing();
    });

    const expectNothing = () => expect(bed().contents()).toEqual(NOTHING);
    const up = async (more = "") => {
        project.program(withGcp(program(more)));
        const { code, stdout, stderr } = await project.up();
        return { code, output: stdout + stderr };
    };
    const upOk = async (more = "") => {
        const { code, output } = await up(more);
        if (code !== 0) {
            throw new Error(output);
        }
        return output;
    };
    const objects = async (bucket: string): Promise<string[]> => {
        const { body } = await ask(bed(), "GET", `/storage/v1/b/${bucket}/o`);
        return ((body.items ?? []) as { name: string }[]).map(({ name }) => name).sort();
    };
    /** Requests that make or change something. */
    const mutations = () => bed().requests.all.filter(({ method }) => method !== "GET").length;

    test("a preview shows it all and asks nobody, `up` declares it, once, and `destroy` leaves nothing", async () => {
        const asked = bed().requests.all.length;
        const preview = await project.preview();
        expect(preview.stdout + preview.stderr).toContain("gcp:compute/instance:Instance: (create)");
        expect(bed().requests.all.length).toBe(asked);
        expectNothing();

        await upOk();
        const { runId } = await project.outputs();
        const { instances, buckets, secrets, serviceAccounts, policies } = bed().contents();
        expect(instances).toEqual([`us-central1-a/stackrun-${runId}-1`]);
        expect(buckets).toEqual([expect.stringMatching(/^train-store-[0-9a-f]{7}$/)]);
        expect(secrets).toEqual([expect.stringMatching(/^stackrun-[0-9a-f]{20}-TOKEN$/)]);
        expect(serviceAccounts).toEqual([expect.stringMatching(/^stackrun-[0-9a-f]{20}@/)]);
        expect(policies).toEqual([
            `b/${buckets[0]}`,
            "project",
            "projects/stackrun-test/locations/us-central1/repositories/images",
            `projects/stackrun-test/secrets/${secrets[0]}`,
        ]);
        const boot = `runs/${runId}/attempts/1/boot`;
        expect(await objects(buckets[0] as string)).toEqual([
            expect.stringMatching(/^bundles\/[0-9a-f]{64}\.tar\.gz$/),
            ...["cloud", "launcher", "plan", "runner", "ship", "stream", "vm"].map(
                (one) => `${boot}/${one}.sh`,
            ),
        ]);
        const instance = bed().instance(`stackrun-${runId}-1`);
        expect(instance.resource).toMatchObject({
            labels: { "stackrun-run": runId, "stackrun-attempt": "1" },
            scheduling: { provisioningModel: "SPOT", instanceTerminationAction: "STOP" },
        });
        expect(instance.attribute("startup-script")).toContain(`STACKRUN_RUN_ID='${runId}'`);
        expect(JSON.stringify(instance.resource)).not.toContain("hunter2");
        expect(project.checkpoint().text).not.toContain("hunter2");

        const before = mutations();
        expect(await upOk()).toMatch(/\d+ unchanged/);
        expect(mutations()).toBe(before);
        expect((await project.outputs()).runId).toBe(runId);
    });

    test("the machine's identity opens what its run needs, and nothing else", async () => {
        await upOk();
        const { runId } = await project.outputs();
        const { buckets, secrets, serviceAccounts } = bed().contents();
        const { access_token: token } = bed().accounts.token(serviceAccounts[0] as string);
        const status = async (method: string, url: string, body?: object) => {
            const headers = {
                authorization: `Bearer ${token}`,
                ...(body && { "content-type": "application/json" }),
            };
            const answer = await fetch(`${bed().url}${url}`, {
                method,
                headers,
                ...(body && { body: JSON.stringify(body) }),
            });
            await answer.arrayBuffer();
            return answer.status;
        };
        const upload = (name: string) =>
            status(
                "POST",
                `/upload/storage/v1/b/${buckets[0]}/o?uploadType=media&name=${encodeURIComponent(name)}`,
                {},
            );
        const of = (name: string) => `/storage/v1/b/${buckets[0]}/o/${encodeURIComponent(name)}?alt=media`;
        expect(await upload(`runs/${runId}/steps/load/status`)).toBe(200);
        expect(await upload("bundles/forged.tar.gz")).toBe(403);
        expect(await status("GET", of(`runs/${runId}/attempts/1/boot/plan.sh`))).toBe(200);
        const [bundle] = await objects(buckets[0] as string);
        expect(await status("GET", of(bundle as string))).toBe(200);
        expect(await status("DELETE", of(bundle as string))).toBe(403);
        expect(
            await status(
                "GET",
                `/storage/v1/b/${buckets[0]}/o?prefix=${encodeURIComponent(`runs/${runId}/`)}`,
            ),
        ).toBe(200);
        const secret = `/v1/projects/stackrun-test/secrets/${secrets[0]}`;
        expect(await status("GET", `${secret}/versions/latest:access`)).toBe(200);
        expect(await status("GET", secret)).toBe(403);
        expect(await status("DELETE", `/storage/v1/b/${buckets[0]}`)).toBe(403);
        expect(await status("GET", "/compute/v1/projects/stackrun-test/zones/us-central1-a/instances")).toBe(
            403,
        );
    });

    test("another machine type is for the next attempt: the one that is there stays", async () => {
        await upOk();
        const { runId } = await project.outputs();
        const { id } = bed().instance(`stackrun-${runId}-1`);
        await upOk('machineType: "e2-medium",');
        expect(bed().instance(`stackrun-${runId}-1`)).toMatchObject({
            id,
            boots: 1,
            resource: { machineType: expect.stringContaining("e2-standard-2") },
        });
    });

    test("every property that can be asked for is one that the provider takes", async () => {
        await upOk(`
            zone: "us-central1-b", machineType: "n1-standard-4", preemptible: false, maxRunDuration: "2h", diskSizeGb: 50, diskType: "pd-ssd",
            gpu: { type: "nvidia-tesla-t4" }, network: "default", subnetwork: "default", publicIp: false, tags: ["no-ssh"],
            labels: { team: "a" }, keepDays: 3, bucketLocation: "EU", bootImage: "debian-cloud/debian-12", registries: ["r.example.com"],
            user: "image", shmSize: "1Gi", transfer: { env: { RCLONE_BWLIMIT: "1M" } }, maxRecoveries: 1,`);
        const { runId } = await project.outputs();
        expect(bed().contents().instances).toEqual([`us-central1-b/stackrun-${runId}-1`]);
        expect(bed().instance(`stackrun-${runId}-1`).resource).toMatchObject({
            labels: { team: "a" },
            tags: { items: ["no-ssh"] },
            scheduling: { maxRunDuration: { seconds: "7200" } },
        });
    });

    test("with several zones, the machine is made by what follows the run, and goes with the stack", async () => {
        await upOk('zones: ["us-central1-a", "us-central1-b"],');
        const { runId } = await project.outputs();
        const [bucket] = bed().contents().buckets;
        const { body } = await ask(
            bed(),
            "GET",
            `/storage/v1/b/${bucket}/o/${encodeURIComponent(`runs/${runId}/attempts/1/boot/machine.json`)}?alt=media`,
        );
        expect(body).toMatchObject({
            name: `stackrun-${runId}-1`,
            machineType: "zones/{zone}/machineTypes/e2-standard-2",
        });
        const text = JSON.stringify(body).replaceAll("{zone}", "us-central1-b");
        const made = await ask(
            bed(),
            "POST",
            "/compute/v1/projects/stackrun-test/zones/us-central1-b/instances",
            JSON.parse(text) as object,
        );
        // Made by the follower already, or taken by Compute Engine as it is.
        expect([200, 409]).toContain(made.status);
    });

    test("the user's own bucket and service account stay as they are", async () => {
        await ask(bed(), "POST", "/storage/v1/b?project=stackrun-test", { name: "of-the-user" });
        await ask(bed(), "POST", "/v1/projects/stackrun-test/serviceAccounts", {
            accountId: "of-the-user",
            serviceAccount: {},
        });
        const email = "of-the-user@stackrun-test.iam.gserviceaccount.com";
        try {
            await upOk(`artifactStore: "gs://of-the-user/jobs", serviceAccount: "${email}",`);
            expect(bed().contents()).toMatchObject({
                buckets: ["of-the-user"],
                serviceAccounts: [email],
                policies: [],
            });
            await project.expectOk(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);
            // The code and what is told of the run stay; what the machine started with goes.
            const left = await objects("of-the-user");
            expect(left.filter((name) => name.startsWith("jobs/bundles/"))).toHaveLength(1);
            expect(left.filter((name) => name.includes("/boot/"))).toEqual([]);
        } finally {
            for (const name of await objects("of-the-user")) {
                await ask(bed(), "DELETE", `/storage/v1/b/of-the-user/o/${encodeURIComponent(name)}`);
            }
            await ask(bed(), "DELETE", "/storage/v1/b/of-the-user");
            await ask(bed(), "DELETE", `/v1/projects/stackrun-test/serviceAccounts/${email}`);
        }
    });

    test("what is wrong is told before anything is made", async () => {
        const { code, output } = await up('machineType: "e2-stndard-2", bootImage: "cos-cloud/cos-stble",');
        expect(code).not.toBe(0);
        expect(output).toContain("has no machine type e2-stndard-2");
        expect(output).toContain("cos-stble");
        expectNothing();
    });
});
