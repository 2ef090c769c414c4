import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { GcpOrchestrator, type GcpOrchestratorArgs } from "../../components/gcp";
import { imagePath } from "../../components/gcp/bootImage";
import { repositoryOf } from "../../components/gcp/repository";
import { makeOrchestrator } from "../../stacks/orchestrators";
import { BadInputError } from "../../src/index";
import { Recorder, settled, valueOf } from "../support/mocks";

const VARIABLES = ["GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT"];

describe("GcpOrchestrator's arguments", () => {
    const recorder = new Recorder();
    const env = { ...process.env };
    let dir: string;
    beforeAll(() => recorder.install());
    beforeEach(() => {
        recorder.clear();
        for (const name of [...VARIABLES, "GOOGLE_ZONE", "GCLOUD_ZONE", "CLOUDSDK_COMPUTE_ZONE"]) {
            delete process.env[name];
        }
        pulumi.runtime.setAllConfig({ "gcp:project": "acme-jobs", "gcp:zone": "us-central1-a" });
        dir = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-component-"));
        fs.writeFileSync(path.join(dir, "pipeline.yaml"), "name: p\nsteps: [{name: load, run: ls}]\n");
    });
    afterEach(async () => {
        await settled();
        fs.rmSync(dir, { recursive: true });
        process.env = { ...env };
    });

    const make = (more: Record<string, unknown>) =>
        new GcpOrchestrator("train", {
            pipeline: path.join(dir, "pipeline.yaml"),
            stateDir: path.join(dir, ".stackrun"),
            image: "python",
            ...(more as Partial<GcpOrchestratorArgs>),
        });
    const mistakes = (more: Record<string, unknown>): readonly string[] => {
        try {
            make(more);
        } catch (error) {
            expect(recorder.declared).toEqual([]);
            return (error as BadInputError).mistakes.map((one) =>
                one.replace(/^GcpOrchestrator "train": /, ""),
            );
        }
        throw new Error("nothing was refused");
    };

    it.each<[string, Record<string, unknown>, string]>([
        ["project", { project: "My Project" }, 'project is "My Project"; allowed: the id of a project'],
        [
            "zone",
            { zone: "us-central1" },
            'zone is "us-central1"; allowed: the name of a zone such as us-central1-a',
        ],
        [
            "zone and zones",
            { zone: "us-east1-b", zones: ["us-east1-c"] },
            'zone is "us-east1-b"; allowed: nothing, beside zones',
        ],
        [
            "no zones",
            { zones: [] },
            "zones is []; allowed: the name of a zone such as us-central1-a; or set gcp:zone, or GOOGLE_ZONE",
        ],
        ["zones that are none", { zones: "us-east1-c" }, 'zones is "us-east1-c"; allowed: a list of zones'],
        [
            "a zone twice",
            { zones: ["us-east1-c", "us-east1-c"] },
            'zones[1] is "us-east1-c"; allowed: each zone once',
        ],
        [
            "a subnetwork and zones of two regions",
            { zones: ["us-east1-c", "us-west1-a"], subnetwork: "s" },
            'zones is ["us-east1-c","us-west1-a"]; allowed: zones of one region, with a subnetwork',
        ],
        [
            "machineType",
            { machineType: "E2 small" },
            'machineType is "E2 small"; allowed: a type such as e2-standard-2',
        ],
        ["preemptible", { preemptible: "yes" }, 'preemptible is "yes"; allowed: true, false'],
        ["publicIp", { publicIp: 1 }, "publicIp is 1; allowed: true, false"],
        [
            "too short",
            { maxRunDuration: "10s" },
            'maxRunDuration is "10s"; allowed: a duration such as 10s, 30m, 2h, 1d or 1h30m, or a number of seconds, from 30s to 120d',
        ],
        [
            "no duration",
            { maxRunDuration: "soon" },
            'maxRunDuration is "soon"; allowed: a duration such as 10s, 30m, 2h, 1d or 1h30m, or a number of seconds, from 30s to 120d',
        ],
        [
            "shorter than the timeout",
            { maxRunDuration: "1h", timeout: "1h" },
            'maxRunDuration is "1h"; allowed: more than timeout, which is 3600 s',
        ],
        [
            "bootImage",
            { bootImage: "cos-stable" },
            'bootImage is "cos-stable"; allowed: project/family, or projects/<project>/global/images/<image>',
        ],
        ["diskSizeGb", { diskSizeGb: 5 }, "diskSizeGb is 5; allowed: a whole number from 10"],
        ["diskType", { diskType: "" }, 'diskType is ""; allowed: a type such as pd-ssd'],
        ["a gpu's number alone", { gpu: 1 }, 'gpu is 1; allowed: { type: "nvidia-tesla-t4", count: 1 }'],
        ["gpu.type", { gpu: { count: 1 } }, "gpu.type is missing; allowed: a type such as nvidia-tesla-t4"],
        ["gpu.count", { gpu: { type: "t4", count: 0 } }, "gpu.count is 0; allowed: a whole number from 1"],
        ["gpu's keys", { gpu: { type: "t4", number: 2 } }, 'gpu is "number"; allowed: type, count'],
        ["network", { network: "" }, 'network is ""; allowed: a network\'s name or path'],
        ["subnetwork", { subnetwork: "a b" }, 'subnetwork is "a b"; allowed: a subnetwork\'s name or path'],
        [
            "tags",
            { tags: ["ok", "No"] },
            'tags[1] is "No"; allowed: lower-case letters, digits and -, at most 63',
        ],
        [
            "registries",
            { registries: ["https://r"] },
            'registries[0] is "https://r"; allowed: hosts such as registry.example.com',
        ],
        [
            "a label's key",
            { labels: { Team: "a" } },
            'labels["Team"] is "a"; allowed: keys of lower-case letters, digits, _ and -, and not stackrun-…, which stackrun sets',
        ],
        [
            "stackrun's label",
            { labels: { "stackrun-run": "a" } },
            'labels["stackrun-run"] is "a"; allowed: keys of lower-case letters, digits, _ and -, and not stackrun-…, which stackrun sets',
        ],
        [
            "a label's value",
            { labels: { team: "A" } },
            'labels["team"] is "A"; allowed: at most 63 lower-case letters, digits, _ and -',
        ],
        [
            "too many labels",
            { labels: Object.fromEntries([...Array(61).keys()].map((n) => [`l${n}`, "x"])) },
            'labels is "61 of them"; allowed: 60 at most',
        ],
        [
            "serviceAccount",
            { serviceAccount: "mine" },
            'serviceAccount is "mine"; allowed: the e-mail address of a service account',
        ],
        ["user", { user: "root" }, 'user is "root"; allowed: "image", "uid", "uid:gid"'],
        [
            "shmSize",
            { shmSize: "big" },
            'shmSize is "big"; allowed: a size such as "4Gi" or "512m", at least 1Mi',
        ],
        ["maxRecoveries", { maxRecoveries: -1 }, "maxRecoveries is -1; allowed: a whole number from 0"],
        [
            "whenExhausted",
            { whenExhausted: "retry" },
            'whenExhausted is "retry"; allowed: "fail", "standard"',
        ],
        [
            "a fallback of what is no Spot machine",
            { whenExhausted: "standard", preemptible: false },
            'whenExhausted is "standard"; allowed: "fail", with preemptible: false',
        ],
        ["keepDays", { keepDays: 0 }, "keepDays is 0; allowed: a whole number from 1"],
        [
            "keepDays beside a store",
            { keepDays: 3, artifactStore: "gs://b-1" },
            "keepDays is 3; allowed: nothing, with an artifactStore: its bucket is yours",
        ],
        [
            "bucketLocation",
            { bucketLocation: "" },
            'bucketLocation is ""; allowed: a location such as us-central1 or EU',
        ],
        [
            "bucketLocation beside a store",
            { bucketLocation: "EU", artifactStore: "gs://b-1" },
            'bucketLocation is "EU"; allowed: nothing, with an artifactStore: its bucket is yours',
        ],
        ["transfer's keys", { transfer: { envFrom: [] } }, 'transfer is "envFrom"; allowed: image, env'],
        [
            "transfer.image",
            { transfer: { image: "" } },
            'transfer.image is ""; allowed: the reference of an image',
        ],
        [
            "transfer.env",
            { transfer: { env: { "A-B": "c" } } },
            'transfer.env is "A-B"; allowed: names with letters, digits and _, and not STACKRUN_…',
        ],
        [
            "transform",
            { transform: {} },
            "transform is {}; allowed: a function that returns the machine's arguments",
        ],
        [
            "a folder as store",
            { artifactStore: "./store" },
            'artifactStore: "./store" is a folder on this machine, which the steps can\'t reach where they run; allowed: gs://bucket/prefix',
        ],
        [
            "no image",
            { image: undefined },
            "image is missing: give the reference of an image here, or in the pipeline",
        ],
        [
            "an image that is pushed nowhere",
            { image: { build: { context: "." } } },
            'the image has to be pushed to where the machine pulls it from: give "image" with its "registry", or push it yourself and give its reference',
        ],
    ])("refuses %s", (_, more, expected) => {
        expect(mistakes(more)).toEqual([expected]);
    });

    it("refuses secrets that Secret Manager can't keep, without showing them", () => {
        fs.writeFileSync(
            path.join(dir, "pipeline.yaml"),
            "name: p\nsecrets: [EMPTY, LONG]\nsteps: [{name: load, run: ls}]\n",
        );
        expect(mistakes({ secrets: { EMPTY: "", LONG: "é".repeat(40_000) } })).toEqual([
            'secrets.EMPTY is "0 bytes long"; allowed: 1 to 65536, in Secret Manager',
            'secrets.LONG is "80000 bytes long"; allowed: 1 to 65536, in Secret Manager',
        ]);
    });

    it("tells all mistakes at once, before anything is declared", () => {
        pulumi.runtime.setAllConfig({});
        expect(mistakes({ image: undefined, user: "me", tags: "x", onFailure: "ignore" })).toEqual([
            'onFailure is "ignore"; allowed: "fail", "record"',
            "project is missing; allowed: the id of a project; or set gcp:project, or GOOGLE_PROJECT",
            "zone is missing; allowed: the name of a zone such as us-central1-a; or set gcp:zone, or GOOGLE_ZONE",
            'tags is "x"; allowed: a list of lower-case letters, digits and -, at most 63',
            'user is "me"; allowed: "image", "uid", "uid:gid"',
            "image is missing: give the reference of an image here, or in the pipeline",
        ]);
    });

    it("takes project and zone from the environment, as Pulumi's provider does, and outputs of other resources", async () => {
        pulumi.runtime.setAllConfig({});
        recorder.outputsOf = ({ type, inputs }) =>
            ({
                "stackrun:index:RunId": { runId: "r1", attempt: 1, nonce: "0" },
                "stackrun:index:AttemptSpec": { kept: inputs.value as unknown },
                "stackrun:index:Run": { status: "Succeeded" },
                "gcp:storage/bucket:Bucket": { url: "gs://b-1" },
                "gcp:serviceaccount/account:Account": { email: "a@b", member: "serviceAccount:a@b" },
            })[type] ?? {};
        process.env.GOOGLE_CLOUD_PROJECT = "of-the-shell";
        const zone = pulumi.output(Promise.resolve("asia-east1-a"));
        await valueOf(make({ zone, labels: { team: pulumi.output("a") } }).status);
        await settled();
        expect(recorder.one("gcp:compute/instance:Instance").inputs).toMatchObject({
            project: "of-the-shell",
            zone: "asia-east1-a",
            labels: { team: "a" },
        });
        expect(recorder.one("gcp:storage/bucket:Bucket").inputs.location).toBe("asia-east1");
    });

    it("the command and stack configuration name them", () => {
        const args = { pipeline: path.join(dir, "pipeline.yaml") };
        expect(() => makeOrchestrator("gcp", "x", args, { machinetype: "e2-small" })).toThrow(
            /machinetype is no argument of the orchestrator "gcp"; allowed: project, zone, .*did you mean "machineType"/,
        );
        expect(() => makeOrchestrator("gcp", "x", args, { diskSizeGb: 5 })).toThrow(
            /^GcpOrchestrator "x": diskSizeGb is 5; .*\n.*image is missing/,
        );
    });
});

describe("names of Google Cloud", () => {
    it.each([
        ["cos-cloud/cos-stable", "projects/cos-cloud/global/images/family/cos-stable"],
        ["projects/p/global/images/i", "projects/p/global/images/i"],
        ["projects/p/global/images/family/f", "projects/p/global/images/family/f"],
    ])("the boot image %s is %s", (image, expected) => {
        expect(imagePath(image)).toBe(expected);
    });

    it.each([
        ["us-central1-docker.pkg.dev/p/r/a/b:1", { project: "p", location: "us-central1", repository: "r" }],
        [
            "europe-docker.pkg.dev/example.com/p/r/a@sha256:0",
            { project: "example.com:p", location: "europe", repository: "r" },
        ],
        ["gcr.io/p/a", { project: "p", location: "us", repository: "gcr.io" }],
        ["eu.gcr.io/p/a/b", { project: "p", location: "europe", repository: "eu.gcr.io" }],
        ["us-docker.pkg.dev/p", undefined],
        ["python:3.12-slim", undefined],
        ["ghcr.io/acme/steps:1", undefined],
        [undefined, undefined],
    ])("the repository of the image %s", (image, expected) => {
        expect(repositoryOf(image)).toEqual(expected);
    });
});
