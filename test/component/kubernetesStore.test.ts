import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import * as artifactStore from "../../components/artifactStore";
import { KubernetesOrchestrator, type KubernetesOrchestratorArgs } from "../../components/kubernetes";
import { transferData } from "../../components/kubernetes/transfer";
import { Recorder, settled, valueOf } from "../support/mocks";

jest.mock("../../components/artifactStore", () => {
    const actual = jest.requireActual<typeof artifactStore>("../../components/artifactStore");
    return { ...actual, placeOf: jest.fn(actual.placeOf) };
});

const JOB = "kubernetes:batch/v1:Job";
const SECRET = "kubernetes:core/v1:Secret";
const FILES = "kubernetes:core/v1:ConfigMap";
const CHUNKS = "stackrun:index:BundleChunks";
const BUNDLE = "stackrun:index:StoredBundle";
const HASH = expect.stringMatching(/^[0-9a-f]{64}$/) as string;

describe("KubernetesOrchestrator with an artifact store", () => {
    const recorder = new Recorder();
    let dir: string;
    beforeAll(() => recorder.install());
    beforeEach(() => {
        recorder.clear();
        recorder.outputsOf = ({ type, inputs }) => {
            switch (type) {
                case "stackrun:index:RunId":
                    return { runId: "r1", attempt: 2, nonce: "0123" };
                case "stackrun:index:Run":
                    return { status: "Succeeded", message: "done" };
                case CHUNKS:
                    return { names: ["r1-code-0"] };
                case "stackrun:index:AttemptSpec":
                    return { kept: inputs.value };
                default:
                    return {};
            }
        };
        dir = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-component-"));
        fs.writeFileSync(path.join(dir, "pipeline.yaml"), "name: p\nsteps: [{name: load, run: ls}]\n");
    });
    afterEach(async () => {
        await settled();
        fs.rmSync(dir, { recursive: true });
    });

    const make = (more: Partial<KubernetesOrchestratorArgs> = {}) =>
        new KubernetesOrchestrator("train", {
            pipeline: path.join(dir, "pipeline.yaml"),
            stateDir: path.join(dir, ".stackrun"),
            image: "python:3.12-slim",
            artifactStore: "gs://bucket/a prefix",
            ...more,
        });
    const declare = async (more: Partial<KubernetesOrchestratorArgs> = {}) => {
        const made = make(more);
        await valueOf(made.status);
        await settled();
    };
    const pod = () => recorder.one(JOB).inputs.spec.template.spec;
    const file = (name: string) => recorder.one(FILES).inputs.data[name] as string | undefined;
    const env = (container: { env: { name: string; value: string }[] }) =>
        Object.fromEntries(container.env.map(({ name, value }) => [name, value]));

    it("brings all code through it, fetches before the steps and stores beside them, by the pod's identity", async () => {
        await declare();
        expect(recorder.declared.filter(({ type }) => type === CHUNKS)).toEqual([]);
        expect(recorder.one(BUNDLE).inputs).toMatchObject({ store: "gs://bucket/a prefix", codeHash: HASH });
        const [fetch, ship, ...others] = pod().initContainers;
        expect(others).toEqual([]);
        expect(fetch).toMatchObject({
            name: "fetch",
            image: expect.stringMatching(/^rclone\/rclone:\d+\.\d+\.\d+$/),
            command: [
                "/bin/sh",
                "-c",
                expect.stringContaining("restore"),
                "/stackrun/boot/ship.sh",
                "stackrun:bucket/a prefix",
                HASH,
                "stackrun:bucket/a prefix/runs/r1",
                "/stackrun/work/r1",
            ],
        });
        expect(fetch.restartPolicy).toBeUndefined();
        expect(ship).toMatchObject({
            name: "ship",
            image: fetch.image,
            restartPolicy: "Always",
            command: [
                "/bin/sh",
                "/stackrun/boot/ship.sh",
                "watch",
                "stackrun:bucket/a prefix/runs/r1",
                "/stackrun/work/r1",
            ],
        });
        for (const one of [fetch, ship]) {
            expect(one.securityContext).toEqual({
                allowPrivilegeEscalation: false,
                capabilities: { drop: ["ALL"] },
            });
            expect(env(one)).toMatchObject({
                RCLONE_CONFIG_STACKRUN_TYPE: "google cloud storage",
                RCLONE_CONFIG_STACKRUN_ENV_AUTH: "true",
            });
            expect(env(one)).not.toHaveProperty("STACKRUN_SHIP_SHARED");
            expect(one.volumeMounts.map(({ name }: { name: string }) => name)).toEqual(["boot", "work"]);
        }
        expect(env(pod().containers[0])).not.toHaveProperty("STACKRUN_CODE");
        expect(pod().volumes.map(({ name }: { name: string }) => name)).toEqual(["boot", "work"]);
        expect(file("ship.sh")).toContain("rclone");
        expect(file("plan.sh")).toMatch(/^sr_ship='?600000/m);
    });

    it("another store is another run, and the follower knows it", async () => {
        await declare({ artifactStore: pulumi.output(Promise.resolve("gs://other")) });
        expect(recorder.one("stackrun:index:RunId").inputs.extra).toEqual({ store: "gs://other" });
        expect(recorder.one("stackrun:index:Run").inputs.follower.options.store).toBe("gs://other");
    });

    it("the end of what stores the steps is no end of the run", async () => {
        await declare({ metadataStore: { url: "mysql://u:p@db/runs", expose: true } });
        const { rules } = recorder.one(JOB).inputs.spec.podFailurePolicy;
        expect(
            rules.map(
                ({ onExitCodes }: { onExitCodes?: { containerName: string } }) => onExitCodes?.containerName,
            ),
        ).toEqual([undefined, "run", "fetch", "metadata-check"]);
        expect(rules[1].onExitCodes.values).toEqual(expect.arrayContaining([69, 70]));
        expect(pod().initContainers.map(({ name }: { name: string }) => name)).toEqual([
            "metadata-check",
            "fetch",
            "ship",
        ]);
    });

    it("hands on what users ask of the transfer", async () => {
        await declare({
            transfer: {
                image: "mine/rclone:1",
                env: { RCLONE_BWLIMIT: "10M" },
                envFrom: [{ secret: "gcs-key" }],
                resources: { cpu: "100m", memory: { request: "64Mi", limit: "256Mi" } },
            },
            securityContext: { runAsUser: 0 },
        });
        for (const one of pod().initContainers) {
            expect(one).toMatchObject({
                image: "mine/rclone:1",
                envFrom: [{ secretRef: { name: "gcs-key" } }],
                resources: {
                    requests: { cpu: "100m", memory: "64Mi" },
                    limits: { cpu: "100m", memory: "256Mi" },
                },
            });
            expect(one.securityContext).toBeUndefined();
            expect(env(one)).toMatchObject({ STACKRUN_SHIP_SHARED: "1" });
        }
    });

    it("keeps the values of the transfer's variables in the attempt's Secret: none is open in the pod", async () => {
        const given = { RCLONE_BWLIMIT: "10M", RCLONE_KEY: pulumi.secret("s3cret"), HOME: "/home" };
        await declare({ transfer: { env: given } });
        expect(plain(recorder.one(SECRET).inputs.stringData)).toEqual({
            "transfer.RCLONE_BWLIMIT": "10M",
            "transfer.RCLONE_KEY": "s3cret",
            "transfer.HOME": "/home",
        });
        for (const one of pod().initContainers) {
            expect(one.env.filter(({ valueFrom }: { valueFrom?: unknown }) => valueFrom)).toEqual(
                Object.keys(given).map((name) => ({
                    name,
                    valueFrom: { secretKeyRef: { name: "r1-2", key: `transfer.${name}` } },
                })),
            );
            const names = one.env.map(({ name }: { name: string }) => name);
            expect(names).toHaveLength(new Set(names).size);
        }
        expect(JSON.stringify(recorder.one(JOB).inputs)).not.toMatch(/s3cret|10M/);
        expect(JSON.stringify(pod().containers)).not.toContain("transfer.");
    });

    it("makes no Secret where there is nothing to keep", async () => {
        await declare({ transfer: { image: "mine/rclone:1" } });
        expect(recorder.declared.filter(({ type }) => type === SECRET)).toEqual([]);
    });

    it("reads the store's URL once: one that turns out to be wrong is told once", async () => {
        const read = jest.mocked(artifactStore.placeOf);
        read.mockClear();
        await declare({ artifactStore: pulumi.output(Promise.resolve("gs://later")) });
        expect(read).toHaveBeenCalledTimes(1);
    });

    it("codeInImage: nothing goes up, steps come back; a workspace is the same folder", async () => {
        await declare({ codeInImage: "/app", workspace: { claim: "work" } });
        expect(recorder.declared.filter(({ type }) => [CHUNKS, BUNDLE].includes(type))).toEqual([]);
        expect(pod().initContainers[0].command).toEqual([
            "/bin/sh",
            "/stackrun/boot/ship.sh",
            "restore",
            "stackrun:bucket/a prefix/runs/r1",
            "/stackrun/work/r1",
        ]);
        expect(pod().volumes).toContainEqual({ name: "work", persistentVolumeClaim: { claimName: "work" } });
    });

    it("refuses all mistakes at once, before anything is declared", () => {
        const wrong = {
            artifactStore: "./folder",
            maxCodeBytes: 5,
            transfer: {
                image: "a b",
                env: { "A-B": "", STACKRUN_X: "" },
                envFrom: [{}],
                resources: { cpu: "two", memory: "1Gi" },
            },
        } as unknown as KubernetesOrchestratorArgs;
        const where = 'KubernetesOrchestrator "train"';
        const lines = messageOf(() => make(wrong)).split("\n");
        expect(lines.map((line) => line.replace(`${where}: `, "").split(";")[0])).toEqual([
            expect.stringMatching(/^artifactStore: .*folder.* is a folder on this machine/),
            "maxCodeBytes is 5",
            'transfer.image is "a b"',
            'transfer.resources.cpu is "two"',
            "transfer.envFrom[0] is {}",
            'transfer.env is "A-B"',
            'transfer.env is "STACKRUN_X"',
        ]);
        const fromConfig = {
            imgae: "a",
            resources: { gpu: 1 },
            envFrom: { secret: "a" },
            env: { A: 4, B: { private_key: "s3cret" }, C: undefined, D: "", E: pulumi.output(5) },
        } as unknown as KubernetesOrchestratorArgs["transfer"];
        expect(messageOf(() => make({ transfer: fromConfig })).split("\n")).toEqual([
            `${where}: transfer is "imgae"; allowed: image, env, envFrom, resources`,
            `${where}: transfer.resources is "gpu"; allowed: cpu, memory`,
            `${where}: transfer.envFrom is {"secret":"a"}; allowed: a list of { secret: "name" } and { configMap: "name" }`,
            `${where}: transfer.env: the type of A is "number"; allowed: "string"`,
            `${where}: transfer.env: the type of B is "object"; allowed: "string"`,
            `${where}: transfer.env: the type of C is "undefined"; allowed: "string"`,
        ]);
        // What is known later only is looked at then.
        expect(messageOf(() => transferData({ A: 4, B: "b", C: {} }, where)).split("\n")).toEqual([
            `${where}: transfer.env: the type of A is "number"; allowed: "string"`,
            `${where}: transfer.env: the type of C is "object"; allowed: "string"`,
        ]);
        expect(messageOf(() => make({ artifactStore: undefined, transfer: {} }))).toBe(
            `${where}: transfer is {}; allowed: nothing, without an artifactStore`,
        );
        expect(recorder.declared).toEqual([]);
    });
});

/** Without the wrapping of what is secret. */
function plain(value: unknown): unknown {
    const { value: inside } = (value ?? {}) as { value?: unknown };
    return inside ?? value;
}

function messageOf(work: () => unknown): string {
    try {
        work();
    } catch (error) {
        return (error as Error).message;
    }
    return "nothing was refused";
}
