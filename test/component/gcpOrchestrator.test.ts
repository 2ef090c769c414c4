import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { ArtifactStore } from "../../components/artifactStore";
import { GcpOrchestrator, type GcpOrchestratorArgs } from "../../components/gcp";
import { checkedScript, publicOnly } from "../../components/gcp/boot";
import { BadInputError } from "../../src/index";
import { Recorder, settled, valueOf } from "../support/mocks";
import { secretOf } from "../support/wire";

const TYPES = {
    account: "gcp:serviceaccount/account:Account",
    bucket: "gcp:storage/bucket:Bucket",
    bucketMember: "gcp:storage/bucketIAMMember:BucketIAMMember",
    projectMember: "gcp:projects/iAMMember:IAMMember",
    repositoryMember: "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember",
    secret: "gcp:secretmanager/secret:Secret",
    secretVersion: "gcp:secretmanager/secretVersion:SecretVersion",
    secretMember: "gcp:secretmanager/secretIamMember:SecretIamMember",
    instance: "gcp:compute/instance:Instance",
    made: "stackrun:index:MadeMachine",
    check: "stackrun:index:GcpCheck",
    spec: "stackrun:index:AttemptSpec",
    files: "stackrun:index:StoredFiles",
    code: "stackrun:index:StoredBundle",
    runId: "stackrun:index:RunId",
    run: "stackrun:index:Run",
};
const MEMBER = "serviceAccount:sa@p.iam.gserviceaccount.com";

describe("GcpOrchestrator", () => {
    const recorder = new Recorder();
    let dir: string;
    let kept: Record<string, unknown> | undefined;
    beforeAll(() => recorder.install());
    beforeEach(() => {
        kept = undefined;
        recorder.clear();
        recorder.outputsOf = ({ type, inputs }) => {
            switch (type) {
                case TYPES.runId:
                    return { runId: "weather-20261122-143012-k3x9", attempt: 2, nonce: "0123" };
                case TYPES.run:
                    return { status: "Succeeded", message: "done" };
                case TYPES.spec:
                    return { kept: kept ?? inputs.value };
                case TYPES.bucket:
                    return { url: "gs://train-store-1a2b3c4" };
                case TYPES.account:
                    return { email: MEMBER.split(":")[1], member: MEMBER };
                default:
                    return {};
            }
        };
        pulumi.runtime.setAllConfig({ "gcp:project": "acme-jobs", "gcp:zone": "europe-west1-b" });
        dir = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-component-"));
        fs.writeFileSync(
            path.join(dir, "pipeline.yaml"),
            "name: weather\nsecrets: [TOKEN]\nsteps: [{name: load, run: ls}]\n",
        );
    });
    afterEach(async () => {
        await settled();
        fs.rmSync(dir, { recursive: true });
    });

    const declare = async (more: Partial<GcpOrchestratorArgs> = {}) => {
        const made = new GcpOrchestrator("train", {
            pipeline: path.join(dir, "pipeline.yaml"),
            stateDir: path.join(dir, ".stackrun"),
            image: "python:3.12-slim",
            secrets: { TOKEN: "t0p-secret" },
            ...more,
        });
        await valueOf(made.status);
        await settled();
        return made;
    };
    const one = (type: string) => recorder.one(type).inputs;
    const all = (type: string) => recorder.declared.filter((resource) => resource.type === type);
    const instance = () => one(TYPES.instance);
    const script = () => instance().metadata["startup-script"] as string;
    const setting = (name: string) => new RegExp(`^STACKRUN_${name}='?([^']*)'?$`, "m").exec(script())?.[1];
    const options = () => one(TYPES.run).follower.options as Record<string, unknown>;

    it("declares what a run needs", async () => {
        await declare();
        expect(recorder.declared.map(({ type, name }) => `${name} ${type}`).sort()).toEqual(
            [
                "train stackrun:index:GcpOrchestrator",
                `train ${TYPES.run}`,
                `train-account ${TYPES.account}`,
                `train-check ${TYPES.check}`,
                `train-code ${TYPES.code}`,
                `train-files ${TYPES.files}`,
                `train-id ${TYPES.runId}`,
                `train-logs ${TYPES.projectMember}`,
                `train-machine ${TYPES.instance}`,
                `train-reads ${TYPES.bucketMember}`,
                `train-runs ${TYPES.bucketMember}`,
                `train-secret-TOKEN ${TYPES.secret}`,
                `train-secret-TOKEN-reads ${TYPES.secretMember}`,
                `train-secret-TOKEN-value ${TYPES.secretVersion}`,
                `train-spec ${TYPES.spec}`,
                `train-store ${TYPES.bucket}`,
            ].sort(),
        );
    });

    it("a Spot machine that Google itself stops at last, with the run's name and labels", async () => {
        await declare();
        expect(instance()).toMatchObject({
            name: "stackrun-weather-20261122-143012-k3x9-2",
            project: "acme-jobs",
            zone: "europe-west1-b",
            machineType: "e2-standard-2",
            bootDisk: {
                initializeParams: { image: "projects/cos-cloud/global/images/family/cos-stable", size: 30 },
            },
            networkInterfaces: [{ network: "default", accessConfigs: [{}] }],
            scheduling: {
                provisioningModel: "SPOT",
                preemptible: true,
                automaticRestart: false,
                onHostMaintenance: "TERMINATE",
                instanceTerminationAction: "STOP",
                maxRunDuration: { seconds: 7 * 24 * 3600 },
            },
            serviceAccount: { email: MEMBER.split(":")[1], scopes: ["cloud-platform"] },
            labels: { "stackrun-run": "weather-20261122-143012-k3x9", "stackrun-attempt": "2" },
        });
        expect(Object.keys(instance().metadata).sort()).toEqual(["google-logging-enabled", "startup-script"]);
        expect(instance()).not.toHaveProperty("guestAccelerators");
        expect(instance()).not.toHaveProperty("tags");
    });

    it("hands on what users ask of a machine", async () => {
        await declare({
            project: "other-project",
            zone: "us-central1-a",
            machineType: "n1-standard-8",
            preemptible: false,
            timeout: "2h",
            bootImage: "projects/mine/global/images/debian-docker",
            diskSizeGb: 100,
            diskType: "pd-ssd",
            gpu: { type: "nvidia-tesla-t4", count: 2 },
            network: "jobs",
            subnetwork: "jobs-east",
            publicIp: false,
            tags: ["no-ssh"],
            labels: { team: "a" },
            user: "image",
            shmSize: "1Gi",
            registries: ["registry.example.com"],
            transfer: { image: "mirror/rclone:1", env: { RCLONE_BWLIMIT: "10M" } },
            maxRecoveries: 3,
            transform: (args) => ({ ...args, minCpuPlatform: "Intel Skylake" }),
        });
        expect(instance()).toMatchObject({
            project: "other-project",
            zone: "us-central1-a",
            machineType: "n1-standard-8",
            bootDisk: {
                initializeParams: {
                    image: "projects/mine/global/images/debian-docker",
                    size: 100,
                    type: "pd-ssd",
                },
            },
            networkInterfaces: [{ network: "jobs", subnetwork: "jobs-east" }],
            scheduling: {
                provisioningModel: "STANDARD",
                preemptible: false,
                automaticRestart: true,
                onHostMaintenance: "TERMINATE",
                maxRunDuration: { seconds: 2 * 3600 + 900 },
            },
            tags: ["no-ssh"],
            guestAccelerators: [{ type: "nvidia-tesla-t4", count: 2 }],
            minCpuPlatform: "Intel Skylake",
        });
        expect(instance().labels).toMatchObject({ team: "a", "stackrun-attempt": "2" });
        expect(instance().networkInterfaces[0]).not.toHaveProperty("accessConfigs");
        expect(one(TYPES.bucket)).toMatchObject({ project: "other-project", labels: { team: "a" } });
        expect(setting("USER")).toBe("");
        expect(setting("SHM")).toBe("1024m");
        expect(setting("GPUS")).toBe("all");
        expect(setting("SPOT")).toBe("");
        expect(setting("REGISTRIES")).toBe("registry.example.com");
        expect(setting("TRANSFER_IMAGE")).toBe("mirror/rclone:1");
        expect(script()).toContain("RCLONE_BWLIMIT=10M");
        expect(options()).toMatchObject({
            project: "other-project",
            zones: ["us-central1-a"],
            maxRecoveries: 3,
        });
        expect(one(TYPES.run).maxRecoveries).toBe(3);
        expect(one(TYPES.check)).toMatchObject({
            project: "other-project",
            zones: ["us-central1-a"],
            machineType: "n1-standard-8",
            image: "projects/mine/global/images/debian-docker",
            gpuType: "nvidia-tesla-t4",
        });
    });

    it("a subnetwork stands without a network, and machines without GPUs are moved for maintenance", async () => {
        await declare({ subnetwork: "jobs", preemptible: false, maxRunDuration: "3h" });
        expect(instance().networkInterfaces).toEqual([{ subnetwork: "jobs", accessConfigs: [{}] }]);
        expect(instance().scheduling).toMatchObject({
            onHostMaintenance: "MIGRATE",
            maxRunDuration: { seconds: 3 * 3600 },
        });
    });

    it("the startup script says where all is, and has room to spare", async () => {
        await declare();
        expect(setting("REMOTE")).toBe("stackrun:train-store-1a2b3c4");
        expect(setting("RUN_ID")).toBe("weather-20261122-143012-k3x9");
        expect(setting("ATTEMPT")).toBe("2");
        expect(setting("NONCE")).toBe("0123");
        expect(setting("CODE_HASH")).toMatch(/^[0-9a-f]{64}$/);
        expect(setting("IMAGE")).toBe("python:3.12-slim");
        expect(setting("TRANSFER_IMAGE")).toMatch(/^rclone\/rclone:\d+\.\d+\.\d+$/);
        expect(setting("USER")).toBe("65532:65532");
        expect(setting("GRACE_SECONDS")).toBe("10");
        expect(setting("SPOT")).toBe("1");
        expect(script()).toContain("RCLONE_CONFIG_STACKRUN_ENV_AUTH=true");
        expect(Buffer.byteLength(script())).toBeLessThanOrEqual(16 * 1024);
    });

    it("the rest is put below the attempt, for the machine to fetch", async () => {
        await declare();
        const { store, prefix, files } = one(TYPES.files);
        expect(store).toBe("gs://train-store-1a2b3c4");
        expect(prefix).toBe("runs/weather-20261122-143012-k3x9/attempts/2/boot");
        expect(Object.keys(files as object).sort()).toEqual([
            "cloud.sh",
            "launcher.sh",
            "plan.sh",
            "runner.sh",
            "ship.sh",
            "stream.sh",
            "vm.sh",
        ]);
        expect(files["plan.sh"]).toContain("0123");
        // A step counts only when it is in the store.
        expect(files["plan.sh"]).toMatch(/^sr_ship='?600000/m);
    });

    it("values of secrets are in Secret Manager, and nowhere else but in the run's own inputs", async () => {
        await declare();
        expect(one(TYPES.secretVersion).secretData).toEqual(secretOf("t0p-secret"));
        const holders = recorder.declared.filter(({ inputs }) =>
            JSON.stringify(inputs).includes("t0p-secret"),
        );
        expect(holders.map(({ type }) => type).sort()).toEqual([TYPES.secretVersion, TYPES.run].sort());
        const { secretId } = one(TYPES.secret);
        expect(secretId).toMatch(/^stackrun-[0-9a-f]{20}-TOKEN$/);
        expect(one(TYPES.secret).replication).toEqual({ auto: {} });
        expect(one(TYPES.secretMember)).toEqual({
            project: "acme-jobs",
            secretId,
            role: "roles/secretmanager.secretAccessor",
            member: MEMBER,
        });
        expect(setting("SECRETS")).toBe(`TOKEN=projects/acme-jobs/secrets/${secretId}/versions/latest`);
    });

    describe("what can't be in the instance's metadata", () => {
        const settings = {
            remote: "stackrun:b",
            runId: "r1",
            attempt: 1,
            nonce: "0",
            image: "python",
            transferImage: "rclone",
            graceSeconds: 10,
            spot: true,
        };
        const script = (rcloneEnv: Record<string, string>) =>
            checkedScript({ ...settings, rcloneEnv }, "here");

        it("secrets for rclone", async () => {
            await expect(publicOnly({ A: "b", KEY: pulumi.secret("hidden") }, "here")).rejects.toThrow(
                new BadInputError([
                    "here: transfer.env.KEY is a secret, and the instance's metadata, in which it would stand, is none; " +
                        "allowed: what everybody may read. The store is opened by the machine's own identity",
                ]),
            );
            const known = await publicOnly({ A: "b", C: pulumi.output("d") }, "here");
            expect(await valueOf(known)).toEqual({ A: "b", C: "d" });
        });

        it("too much, with its size", () => {
            expect(() => script({ LONG: "x".repeat(20_000) })).toThrow(
                /^here: the machine's startup script has \d+ bytes, 16384 at most are allowed/,
            );
        });

        it("more lines than one", () => {
            expect(() => script({ A: "b\nc" })).toThrow(BadInputError);
            expect(script({ A: "b" })).toContain("A=b");
        });
    });

    describe("the machine's identity", () => {
        const RUNS =
            'resource.name.startsWith("projects/_/buckets/train-store-1a2b3c4/objects/runs/") || ' +
            'api.getAttribute("storage.googleapis.com/objectListPrefix", "").startsWith("runs/")';
        const grants = () =>
            [TYPES.bucketMember, TYPES.projectMember, TYPES.repositoryMember, TYPES.secretMember].flatMap(
                (type) =>
                    all(type)
                        .sort((a, b) => (a.name < b.name ? 1 : -1))
                        .map(({ inputs }) => inputs),
            );

        it("has the rights that it needs, and no more", async () => {
            await declare({ image: "europe-docker.pkg.dev/acme-images/steps/train:1" });
            expect(one(TYPES.account).accountId).toMatch(/^stackrun-[0-9a-f]{20}$/);
            expect(one(TYPES.account).accountId.length).toBeLessThanOrEqual(30);
            expect(grants()).toEqual([
                {
                    bucket: "train-store-1a2b3c4",
                    role: "roles/storage.objectUser",
                    member: MEMBER,
                    condition: { title: "stackrun-runs", expression: RUNS },
                },
                // Nothing else is in the component's own bucket.
                { bucket: "train-store-1a2b3c4", role: "roles/storage.objectViewer", member: MEMBER },
                { project: "acme-jobs", role: "roles/logging.logWriter", member: MEMBER },
                {
                    project: "acme-images",
                    location: "europe",
                    repository: "steps",
                    role: "roles/artifactregistry.reader",
                    member: MEMBER,
                },
                expect.objectContaining({ role: "roles/secretmanager.secretAccessor", member: MEMBER }),
            ]);
        });

        it("in a bucket of the user's, reaches nothing but the store", async () => {
            await declare({ artifactStore: "gs://shared/a prefix" });
            expect(all(TYPES.bucket)).toEqual([]);
            expect(grants().slice(0, 2)).toEqual([
                {
                    bucket: "shared",
                    role: "roles/storage.objectUser",
                    member: MEMBER,
                    condition: {
                        title: "stackrun-runs",
                        expression:
                            'resource.name.startsWith("projects/_/buckets/shared/objects/a prefix/runs/") || ' +
                            'api.getAttribute("storage.googleapis.com/objectListPrefix", "").startsWith("a prefix/runs/")',
                    },
                },
                {
                    bucket: "shared",
                    role: "roles/storage.objectViewer",
                    member: MEMBER,
                    condition: {
                        title: "stackrun-code",
                        expression:
                            'resource.name.startsWith("projects/_/buckets/shared/objects/a prefix/bundles/") || ' +
                            'api.getAttribute("storage.googleapis.com/objectListPrefix", "").startsWith("a prefix/bundles/")',
                    },
                },
            ]);
        });

        it("is the user's own, and then nothing is granted to it", async () => {
            await declare({
                serviceAccount: "mine@p.iam.gserviceaccount.com",
                image: "us-docker.pkg.dev/p/r/i",
            });
            expect(instance().serviceAccount.email).toBe("mine@p.iam.gserviceaccount.com");
            expect(all(TYPES.account)).toEqual([]);
            expect(grants()).toEqual([]);
            expect(all(TYPES.secretVersion)).toHaveLength(1);
        });
    });

    describe("the store", () => {
        it("is a bucket of the component's own, whose runs are deleted after a time", async () => {
            await declare({ keepDays: 7, bucketLocation: "EU" });
            expect(one(TYPES.bucket)).toEqual({
                project: "acme-jobs",
                location: "EU",
                uniformBucketLevelAccess: true,
                publicAccessPrevention: "enforced",
                forceDestroy: true,
                softDeletePolicy: { retentionDurationSeconds: 0 },
                lifecycleRules: [
                    { action: { type: "Delete" }, condition: { age: 7, matchesPrefixes: ["runs/"] } },
                ],
            });
            expect(one(TYPES.code)).toMatchObject({ store: "gs://train-store-1a2b3c4" });
            expect(options()).toMatchObject({ store: "gs://train-store-1a2b3c4" });
        });

        it("by default in the machine's region, for a month", async () => {
            await declare();
            expect(one(TYPES.bucket)).toMatchObject({
                location: "europe-west1",
                lifecycleRules: [{ condition: { age: 30 } }],
            });
        });

        it.each([
            ["a URL", () => "gs://shared/runs-of-us"],
            ["a component", () => new ArtifactStore("store", { url: "gs://shared/runs-of-us" })],
        ])("is the user's, as %s", async (_, artifactStore) => {
            await declare({ artifactStore: artifactStore() });
            expect(all(TYPES.bucket)).toEqual([]);
            expect(one(TYPES.code).store).toBe("gs://shared/runs-of-us");
            expect(one(TYPES.files).store).toBe("gs://shared/runs-of-us");
            expect(setting("REMOTE")).toBe("stackrun:shared/runs-of-us");
            expect(options().store).toBe("gs://shared/runs-of-us");
        });

        it("another project or store is another run; another machine is none", async () => {
            await declare({ machineType: "n2-standard-2", zone: "us-central1-f" });
            expect(one(TYPES.runId).extra).toEqual({
                project: "acme-jobs",
                store: "gs://train-store-1a2b3c4",
            });
        });
    });

    describe("who makes the machine", () => {
        it("Pulumi, in a single zone", async () => {
            await declare();
            expect(all(TYPES.made)).toEqual([]);
            expect(one(TYPES.run).follower).toEqual({
                module: "gcp",
                options: {
                    project: "acme-jobs",
                    zones: ["europe-west1-b"],
                    made: false,
                    store: "gs://train-store-1a2b3c4",
                    maxRecoveries: 10,
                },
            });
        });

        it.each([
            ["several zones", { zones: ["us-central1-a", "us-central1-b"] }, undefined],
            ["a standard machine at last", { whenExhausted: "standard" as const }, "standard"],
        ])("what follows the run, with %s", async (_, more, fallback) => {
            await declare(more);
            expect(all(TYPES.instance)).toEqual([]);
            const zones = "zones" in more ? more.zones : ["europe-west1-b"];
            const { body, ...rest } = one(TYPES.made);
            expect(rest).toEqual({
                project: "acme-jobs",
                zones,
                name: "stackrun-weather-20261122-143012-k3x9-2",
            });
            expect(options()).toMatchObject({ made: true, zones });
            expect(options().fallback).toBe(fallback);
            // The last one, on the standard machine, is beyond those of the follower.
            expect(one(TYPES.run).maxRecoveries).toBe(fallback ? 11 : 10);
            expect(JSON.parse(one(TYPES.files).files["machine.json"] as string)).toEqual(body);
            expect(body.machineType).toBe("zones/{zone}/machineTypes/e2-standard-2");
            expect(JSON.stringify(body)).not.toContain("t0p-secret");
        });

        it("whose address for Compute Engine is the provider's", async () => {
            pulumi.runtime.setAllConfig({
                "gcp:project": "acme-jobs",
                "gcp:computeCustomEndpoint": "http://127.0.0.1:1/compute/v1/",
            });
            await declare({ zones: ["us-central1-a", "us-central1-b"] });
            expect(options().computeEndpoint).toBe("http://127.0.0.1:1/compute/v1/");
            expect(one(TYPES.made).computeEndpoint).toBe("http://127.0.0.1:1/compute/v1/");
            expect(one(TYPES.check).computeEndpoint).toBe("http://127.0.0.1:1/compute/v1/");
        });
    });

    it("what an attempt was declared with stays, whatever is asked of the next one", async () => {
        await declare({ gpu: { type: "nvidia-tesla-t4" } });
        kept = one(TYPES.spec).value as Record<string, unknown>;
        const [machine, files] = [instance(), one(TYPES.files)];
        recorder.declared.length = 0;
        await declare({ machineType: "n2-standard-64", zone: "us-east1-b", diskSizeGb: 500, user: "image" });
        expect(one(TYPES.spec).value.machine.machineType).toBe("n2-standard-64");
        expect(instance()).toEqual(machine);
        expect(one(TYPES.files)).toEqual(files);
    });

    it.each([
        ["train", "train-store"],
        ["Train_2", /^stackrun-[0-9a-f]{12}-store$/],
        ["google-trends", /^stackrun-[0-9a-f]{12}-store$/],
        ["a".repeat(60), /^stackrun-[0-9a-f]{12}-store$/],
    ])("a component %s has a bucket whose name may be one", async (name, expected) => {
        const made = new GcpOrchestrator(name, {
            pipeline: path.join(dir, "pipeline.yaml"),
            stateDir: path.join(dir, ".stackrun"),
            image: "python",
            secrets: { TOKEN: "t" },
        });
        await valueOf(made.status);
        await settled();
        expect(recorder.one(TYPES.bucket).name).toMatch(expected);
    });

    it("the longest run's id makes names that fit", async () => {
        const runId = "a".repeat(40);
        const { outputsOf } = recorder;
        recorder.outputsOf = (resource) => ({
            ...outputsOf(resource),
            ...(resource.type === TYPES.runId ? { runId, attempt: 9999 } : {}),
        });
        await declare({ zones: ["us-central1-a", "us-central1-b"] });
        expect(one(TYPES.made).name).toMatch(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/);
    });
});
