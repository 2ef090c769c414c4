import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { KubernetesOrchestrator, type KubernetesOrchestratorArgs } from "../../components/kubernetes";
import { BadInputError } from "../../src/index";
import { Recorder, settled, valueOf } from "../support/mocks";
import { secretOf } from "../support/wire";

const TYPES = {
    job: "kubernetes:batch/v1:Job",
    files: "kubernetes:core/v1:ConfigMap",
    secret: "kubernetes:core/v1:Secret",
    account: "kubernetes:core/v1:ServiceAccount",
    claim: "kubernetes:core/v1:PersistentVolumeClaim",
    provider: "pulumi:providers:kubernetes",
    code: "stackrun:index:BundleChunks",
    spec: "stackrun:index:AttemptSpec",
    runId: "stackrun:index:RunId",
    run: "stackrun:index:Run",
};

describe("KubernetesOrchestrator", () => {
    const recorder = new Recorder();
    let dir: string;
    beforeAll(() => recorder.install());
    beforeEach(() => {
        recorder.clear();
        recorder.outputsOf = ({ type, inputs }) => {
            switch (type) {
                case TYPES.runId:
                    return { runId: "r1", attempt: 2, nonce: "0123" };
                case TYPES.run:
                    return { status: "Succeeded", message: "done" };
                case TYPES.code:
                    return { names: ["r1-code-0", "r1-code-1"] };
                case TYPES.spec:
                    return { kept: inputs.value };
                default:
                    return {};
            }
        };
        dir = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-component-"));
        fs.writeFileSync(
            path.join(dir, "pipeline.yaml"),
            "name: Déjà vu!\nsecrets: [TOKEN]\nsteps: [{name: load, run: ls}]\n",
        );
    });
    afterEach(async () => {
        await settled();
        fs.rmSync(dir, { recursive: true });
    });

    const declare = async (more: Partial<KubernetesOrchestratorArgs> = {}) => {
        const made = new KubernetesOrchestrator("train", {
            pipeline: path.join(dir, "pipeline.yaml"),
            stateDir: path.join(dir, ".stackrun"),
            image: "python:3.12-slim",
            secrets: { TOKEN: "t" },
            ...more,
        });
        await valueOf(made.status);
        await settled();
        return made;
    };
    const pod = () => recorder.one(TYPES.job).inputs.spec.template.spec;
    const container = () => pod().containers[0];

    it("declares what one attempt needs, each with the run's name", async () => {
        await declare();
        const declared = recorder.declared.map(({ type, name }) => [type, name]);
        expect(declared.sort(([, a], [, b]) => (a < b ? -1 : 1))).toEqual([
            ["stackrun:index:KubernetesOrchestrator", "train"],
            [TYPES.run, "train"],
            [TYPES.account, "train-account"],
            [TYPES.code, "train-code"],
            [TYPES.files, "train-files"],
            [TYPES.runId, "train-id"],
            [TYPES.job, "train-job"],
            [TYPES.secret, "train-secret"],
            [TYPES.spec, "train-spec"],
        ]);
        for (const type of [TYPES.job, TYPES.files, TYPES.secret, TYPES.account]) {
            expect(recorder.one(type).inputs.metadata).toMatchObject({
                name: "r1-2",
                labels: {
                    "stackrun.dev/run-id": "r1",
                    "stackrun.dev/attempt": "2",
                    "stackrun.dev/pipeline": "D-j-vu",
                },
            });
        }
        expect(recorder.one(TYPES.account).inputs.automountServiceAccountToken).toBe(false);
    });

    it("the Job is not waited for by the provider, carries the nonce, and tells failures from disruptions", async () => {
        await declare({ maxRecoveries: 3, timeout: "1h", pendingTimeout: "5m" });
        const { metadata, spec } = recorder.one(TYPES.job).inputs;
        expect(metadata.annotations).toEqual({
            "stackrun.dev/nonce": "0123",
            "pulumi.com/skipAwait": "true",
            "pulumi.com/deletionPropagationPolicy": "foreground",
        });
        expect(spec).toMatchObject({
            backoffLimit: 3,
            podReplacementPolicy: "Failed",
            // The timeout, and what waiting and ending may take.
            activeDeadlineSeconds: 3600 + 300 + 25 + 60,
            podFailurePolicy: {
                rules: [
                    { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
                    {
                        action: "FailJob",
                        onExitCodes: {
                            operator: "In",
                            values: [1, 64, 65, 66, 67, 69, 70, 126, 127, 128, 137],
                        },
                    },
                ],
            },
        });
        expect(spec.ttlSecondsAfterFinished).toBeUndefined();
        expect(spec.template.metadata.labels["stackrun.dev/run-id"]).toBe("r1");
        expect(pod().restartPolicy).toBe("Never");
    });

    it("passes the restricted Pod Security Standard, and starts the launcher", async () => {
        await declare();
        expect(pod().securityContext).toMatchObject({
            runAsNonRoot: true,
            runAsUser: 65532,
            fsGroup: 65532,
            seccompProfile: { type: "RuntimeDefault" },
        });
        expect(container()).toMatchObject({
            name: "run",
            image: "python:3.12-slim",
            command: ["/bin/sh", "/stackrun/boot/launcher.sh", "/stackrun/work/r1"],
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
        });
        expect(container().env).toEqual([
            { name: "STACKRUN_BOOT", value: "/stackrun/boot" },
            { name: "STACKRUN_CODE", value: "/stackrun/code" },
            { name: "STACKRUN_CODE_HASH", value: expect.stringMatching(/^[0-9a-f]{64}$/) },
            { name: "HOME", value: "/tmp" },
            { name: "TOKEN", valueFrom: { secretKeyRef: { name: "r1-2", key: "TOKEN" } } },
        ]);
        expect(pod().volumes).toEqual([
            { name: "boot", configMap: { name: "r1-2" } },
            { name: "work", emptyDir: {} },
            {
                name: "code",
                projected: {
                    sources: [{ configMap: { name: "r1-code-0" } }, { configMap: { name: "r1-code-1" } }],
                },
            },
        ]);
        const { data } = recorder.one(TYPES.files).inputs;
        expect(Object.keys(data).sort()).toEqual(["launcher.sh", "plan.sh", "runner.sh"]);
        expect(data["plan.sh"]).toContain("0123");
    });

    it("keeps values of secrets in the Secret, as secrets, and nowhere else", async () => {
        await declare({ secrets: { TOKEN: "hidden-value" } });
        expect(recorder.one(TYPES.secret).inputs.stringData).toEqual(secretOf({ TOKEN: "hidden-value" }));
        const holders = recorder.declared.filter(({ inputs }) =>
            JSON.stringify(inputs).includes("hidden-value"),
        );
        expect(holders.map(({ type }) => type).sort()).toEqual([TYPES.secret, TYPES.run]);
    });

    it("hands on what users ask of a pod", async () => {
        await declare({
            cpu: 2,
            memory: { request: "1Gi", limit: "2Gi" },
            gpu: 1,
            nodeSelector: { disk: "ssd" },
            tolerations: [{ key: "own", operator: "Exists" }],
            serviceAccount: "trainer",
            imagePullSecrets: ["registry"],
            imagePullPolicy: "Always",
            labels: { team: "a" },
            annotations: { "example.com/note": "n" },
            volumes: [
                { name: "data", mountPath: "/data", claim: "shared", readOnly: true },
                { name: "nfs", mountPath: "/nfs", source: { nfs: { server: "s", path: "/" } } },
            ],
            envFrom: [{ secret: "aws" }, { configMap: "flags", prefix: "FLAG_" }],
            workspace: { size: "5Gi", storageClass: "fast" },
            terminationGracePeriod: "40s",
            transform: (spec) => ({ ...spec, priorityClassName: "low" }),
        });
        expect(container().resources).toEqual({
            requests: { cpu: "2", memory: "1Gi", "nvidia.com/gpu": "1" },
            limits: { cpu: "2", memory: "2Gi", "nvidia.com/gpu": "1" },
        });
        expect(container().envFrom).toEqual([
            { secretRef: { name: "aws" } },
            { prefix: "FLAG_", configMapRef: { name: "flags" } },
        ]);
        expect(pod()).toMatchObject({
            nodeSelector: { disk: "ssd" },
            tolerations: [{ key: "own", operator: "Exists" }],
            serviceAccountName: "trainer",
            imagePullSecrets: [{ name: "registry" }],
            priorityClassName: "low",
            terminationGracePeriodSeconds: 40,
        });
        expect(container().volumeMounts).toContainEqual({ name: "data", mountPath: "/data", readOnly: true });
        expect(pod().volumes).toContainEqual({
            name: "work",
            persistentVolumeClaim: { claimName: "r1-work" },
        });
        expect(pod().volumes).toContainEqual({ name: "nfs", nfs: { server: "s", path: "/" } });
        expect(recorder.declared.filter(({ type }) => type === TYPES.account)).toEqual([]);
        const claim = recorder.one(TYPES.claim).inputs;
        expect(claim.metadata.name).toBe("r1-work");
        expect(claim.spec).toEqual({
            accessModes: ["ReadWriteOnce"],
            resources: { requests: { storage: "5Gi" } },
            storageClassName: "fast",
        });
        expect(recorder.one(TYPES.job).inputs.metadata.labels.team).toBe("a");
        expect(recorder.one(TYPES.job).inputs.metadata.annotations["example.com/note"]).toBe("n");
    });

    it("spot: one of the clouds' marks, together with each of the user's own terms", async () => {
        const own = { matchExpressions: [{ key: "zone", operator: "In", values: ["a"] }] };
        await declare({
            spot: true,
            affinity: {
                nodeAffinity: {
                    requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [own] },
                },
            },
        });
        const terms =
            pod().affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms;
        expect(
            terms.map((term: { matchExpressions: { key: string; values: string[] }[] }) =>
                term.matchExpressions.map(({ key, values }) => `${key}=${values.join()}`),
            ),
        ).toEqual([
            ["zone=a", "cloud.google.com/gke-spot=true"],
            ["zone=a", "eks.amazonaws.com/capacityType=SPOT"],
            ["zone=a", "karpenter.sh/capacity-type=spot"],
            ["zone=a", "kubernetes.azure.com/scalesetpriority=spot"],
        ]);
        expect(pod().tolerations).toContainEqual({
            key: "kubernetes.azure.com/scalesetpriority",
            operator: "Equal",
            value: "spot",
            effect: "NoSchedule",
        });
    });

    it("codeInImage: nothing goes up", async () => {
        await declare({ codeInImage: "/app" });
        expect(recorder.declared.filter(({ type }) => type === TYPES.code)).toEqual([]);
        expect(container().env.map(({ name }: { name: string }) => name)).not.toContain("STACKRUN_CODE");
        expect(recorder.one(TYPES.files).inputs.data["plan.sh"]).toContain("/app");
    });

    it("a kubeconfig of the same program: a provider of its own, and the follower has it as a secret", async () => {
        const kubeconfig = pulumi.output(Promise.resolve({ apiVersion: "v1", clusters: [] }));
        await declare({ kubeconfig, context: "c", namespace: "jobs" });
        const text = JSON.stringify({ apiVersion: "v1", clusters: [] });
        expect(recorder.one(TYPES.provider).inputs).toMatchObject({
            kubeconfig: secretOf(text),
            context: "c",
        });
        expect(recorder.one(TYPES.run).inputs.follower).toEqual(
            secretOf({
                module: "kubernetes",
                options: {
                    kubeconfig: text,
                    context: "c",
                    namespace: "jobs",
                    pendingTimeoutSeconds: 600,
                    maxRecoveries: 10,
                },
            }),
        );
        expect(recorder.one(TYPES.job).inputs.metadata.namespace).toBe("jobs");
        expect(recorder.one(TYPES.runId).inputs.extra).toEqual({ namespace: "jobs", context: "c" });
    });

    it("metadataStore.expose: an init container asks before the first step, with what is in the Secret", async () => {
        const url = "postgres://u:p%40ss@db.example:5433/runs?sslmode=require";
        await declare({ metadataStore: { url, expose: true } });
        const [check] = pod().initContainers;
        expect(check).toMatchObject({ name: "metadata-check", image: "postgres:17-alpine" });
        expect(check.command[2]).toContain("psql");
        expect(check.securityContext.allowPrivilegeEscalation).toBe(false);
        const { stringData } = recorder.one(TYPES.secret).inputs;
        expect(stringData).toEqual(
            secretOf({
                TOKEN: "t",
                "metadata.STORE_HOST": "db.example",
                "metadata.STORE_PORT": "5433",
                "metadata.STACKRUN_METADATA_URL": url,
                "metadata.STORE_CONNINFO":
                    "host='db.example' port='5433' user='u' dbname='runs' sslmode='require'",
                "metadata.PGPASSWORD": "p@ss",
            }),
        );
        expect(container().env).toContainEqual({
            name: "STACKRUN_METADATA_URL",
            valueFrom: { secretKeyRef: { name: "r1-2", key: "metadata.STACKRUN_METADATA_URL" } },
        });
        for (const type of [TYPES.job, TYPES.files, TYPES.spec]) {
            expect(JSON.stringify(recorder.one(type).inputs)).not.toMatch(/p%40ss|p@ss/);
        }
    });

    it("a metadata store that is not exposed is none of the cluster's business", async () => {
        await declare({ metadataStore: { url: "mysql://u:p@db/runs" } });
        expect(pod().initContainers).toBeUndefined();
        expect(JSON.stringify(recorder.one(TYPES.secret).inputs)).not.toContain("mysql");
    });

    it("refuses all mistakes at once, before anything is declared", async () => {
        const wrong = {
            namespace: "Not_a_label",
            cpu: "two",
            memory: { request: "1Gi", most: "2Gi" },
            gpu: 0.5,
            imagePullPolicy: "Sometimes",
            spot: "yes",
            pendingTimeout: "soon",
            grace: "30s",
            terminationGracePeriod: "20s",
            maxRecoveries: -1,
            labels: { "stackrun.dev/x": "1", ok: "no spaces" },
            volumes: [{ name: "work", mountPath: "/stackrun/x" }],
            envFrom: [{}],
            workspace: { claim: "a", size: "1Gi" },
            codeInImage: "app",
            metadataStore: { url: "oracle://scott:tiger@db", expose: true },
            transform: "x",
            timeout: "soon",
        };
        const error = await declare(wrong as unknown as Partial<KubernetesOrchestratorArgs>).then(
            () => undefined,
            (caught: unknown) => caught,
        );
        expect(error).toBeInstanceOf(BadInputError);
        const { mistakes } = error as BadInputError;
        expect(
            mistakes.map((text) => text.replace(/^KubernetesOrchestrator "train": /, "").split(" is ")[0]),
        ).toEqual([
            "timeout",
            "namespace",
            "codeInImage",
            "imagePullPolicy",
            "spot",
            "cpu",
            "memory.most",
            "gpu",
            "maxRecoveries",
            "pendingTimeout",
            "terminationGracePeriod",
            'labels["stackrun.dev/x"]',
            'labels["ok"]',
            "volumes[0].name",
            "volumes[0].mountPath",
            "volumes[0]",
            "workspace",
            "envFrom[0]",
            "metadataStore.url",
            "transform",
        ]);
        expect(mistakes.join("\n")).not.toContain("tiger");
        await settled();
        expect(recorder.declared).toEqual([]);
    });

    it("takes an image that other resources make, and runs what they say", async () => {
        const image = {
            ref: pulumi.output("r.example/x@sha256:1"),
            contentTag: pulumi.output("r.example/x:1"),
        };
        await declare({ image });
        expect(pod().containers[0].image).toBe("r.example/x@sha256:1");
    });

    it("refuses an image that can't be built, or not be pushed, before anything is declared", async () => {
        const build = { context: "nowhere" };
        const registry = { repository: "r.example/x" };
        await expect(declare({ image: { build, registry } })).rejects.toThrow(/build\.context is "nowhere"/);
        await expect(declare({ image: { build } })).rejects.toThrow(/has to be pushed/);
        await settled();
        expect(recorder.declared).toEqual([]);
    });

    it("refuses to run without an image", async () => {
        await expect(declare({ image: undefined })).rejects.toThrow(/image is missing/);
    });
});
