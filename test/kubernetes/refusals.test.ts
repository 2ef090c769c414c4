import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { IMAGES } from "../support/images/ensureImages";
import { leftIn, runProgram, runProject } from "../support/kubernetes/runs";
import { describeKubernetes } from "../support/kubernetes/lane";
import type { Project } from "../support/project";

const NAMESPACE = "refusals-test";
const PIPELINE = "name: refused\nsteps:\n  - name: one\n    run: echo ran\n";

describeKubernetes("what a cluster refuses", (bed) => {
    let project: Project;
    beforeAll(async () => {
        await bed.deleteNamespace(NAMESPACE);
        await bed.createNamespace(NAMESPACE);
        project = await runProject(bed, NAMESPACE, PIPELINE);
    }, 120_000);
    afterEach(async () => {
        await project.expectOk(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);
        const left = await leftIn(bed, NAMESPACE);
        if (left.length > 0) {
            throw new Error(`destroy has left ${left.join(", ")}`);
        }
    }, 120_000);
    afterAll(async () => {
        project?.dispose();
        await bed.deleteNamespace(NAMESPACE);
    }, 120_000);

    const up = async (args: string, namespace = NAMESPACE) => {
        project.program(runProgram(namespace, `pendingTimeout: "3s", ${args}`));
        const begun = Date.now();
        const { code, stdout, stderr } = await project.up();
        expect(code).not.toBe(0);
        expect(stdout + stderr).not.toMatch(/^\s+at .*\(/m);
        return { text: stdout + stderr, seconds: (Date.now() - begun) / 1000 };
    };

    it.each([
        [
            "an image that is not there",
            `image: "stackrun.test/nowhere:1", imagePullPolicy: "Never",`,
            "ImagePullFailed",
            /stackrun\.test\/nowhere:1 can't be pulled \(ErrImageNeverPull\).*Correct `image`/s,
        ],
        [
            "an image that can't be pulled",
            `image: "stackrun.test/nowhere:1", imagePullPolicy: "Always",`,
            "ImagePullFailed",
            /can't be pulled.*stackrun\.test.*imagePullSecrets/s,
        ],
        ["an image without sh", `image: "${IMAGES.nosh}",`, "ImageUnusable", /needs \/bin\/sh/],
        ["more than any node has", `cpu: 1000,`, "Unschedulable", /Insufficient cpu.*Ask for less/s],
        [
            "a Secret that is not there",
            `envFrom: [{ secret: "missing" }],`,
            "ConfigMissing",
            /secret "missing" not found.*Create what the message names/s,
        ],
        [
            "a ServiceAccount that is not there",
            `serviceAccount: "missing",`,
            "ConfigMissing",
            /serviceaccount "missing" not found/,
        ],
        [
            "a volume that is not there",
            `volumes: [{ name: "c", mountPath: "/c", configMap: "missing" }],`,
            "ConfigMissing",
            /configmap "missing" not found/,
        ],
    ])(
        "%s ends the run with its reason",
        async (_, args, reason, sentence) => {
            const { text } = await up(args);
            expect(text).toMatch(sentence);
            expect(await project.outputs()).toMatchObject({ status: "Failed", reason });
        },
        120_000,
    );

    it("a quota", async () => {
        await bed.create(
            {
                apiVersion: "v1",
                kind: "ResourceQuota",
                metadata: { name: "q" },
                spec: { hard: { pods: "0" } },
            },
            NAMESPACE,
        );
        try {
            const { text } = await up("");
            expect(text).toMatch(/exceeded quota: q.*have the quota raised/s);
            expect(await project.outputs()).toMatchObject({ status: "Failed", reason: "QuotaExceeded" });
        } finally {
            await bed.kubectl("delete", "resourcequota", "q", "-n", NAMESPACE);
        }
    }, 120_000);

    it("a namespace that is not there", async () => {
        const { text } = await up("", "nowhere-at-all");
        expect(text).toMatch(/namespaces "nowhere-at-all" not found.*name another one in `namespace`/s);
    }, 90_000);

    it("code that is too large: its size, the limit, what is large, and the ways out", async () => {
        fs.writeFileSync(path.join(project.dir, "big.bin"), randomBytes(200 * 1024));
        const { text } = await up("maxCodeBytes: 102400,");
        fs.rmSync(path.join(project.dir, "big.bin"));
        expect(text).toMatch(
            /the code has \d+\.\d KiB compressed, over the limit of 100\.0 KiB.*codeInImage.*big\.bin/s,
        );
    }, 90_000);

    it("a kubeconfig that leads nowhere", async () => {
        const config = fs
            .readFileSync(bed.kubeconfig, "utf8")
            .replace(/https:\/\/[\d.]+:\d+/, "https://127.0.0.1:1");
        const { text, seconds } = await up(`kubeconfig: pulumi.secret(${JSON.stringify(config)}),`);
        expect(text).toMatch(/127\.0\.0\.1:1.*(refused|unreachable)/s);
        expect(seconds).toBeLessThan(60);
    }, 90_000);

    it("somebody without rights", async () => {
        const kubeconfig = await powerless();
        const { text } = await up(`kubeconfig: pulumi.secret(${JSON.stringify(kubeconfig)}),`);
        expect(text).toMatch(/forbidden.*(cannot|create)/s);
    }, 90_000);

    it("a step that needs more memory than it may have is out of memory, and is not brought back", async () => {
        project.write({
            "pipeline.yaml": `name: hungry\nsteps:\n  - name: eat\n    run: ["awk", "BEGIN { s = \\"xxxxxxxxxxxxxxxx\\"; while (1) s = s s }"]\n`,
        });
        const { text } = await up(`memory: "48Mi",`);
        project.write({ "pipeline.yaml": PIPELINE });
        expect(text).toMatch(/OutOfMemory/);
        expect(await project.outputs()).toMatchObject({
            status: "Failed",
            reason: "OutOfMemory",
            interruptions: 0,
        });
    }, 120_000);

    async function powerless(): Promise<string> {
        const name = "powerless";
        await bed
            .create({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name } }, NAMESPACE)
            .catch(() => undefined);
        const token = (await bed.kubectl("create", "token", name, "-n", NAMESPACE)).trim();
        const config = fs.readFileSync(bed.kubeconfig, "utf8");
        const server = /https:\/\/[\d.]+:\d+/.exec(config)?.[0];
        const authority = /certificate-authority-data: ([^},\s]+)/.exec(config)?.[1];
        const cluster = { server, "certificate-authority-data": authority };
        return JSON.stringify({
            apiVersion: "v1",
            kind: "Config",
            "current-context": "c",
            clusters: [{ name: "c", cluster }],
            users: [{ name: "u", user: { token } }],
            contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
        });
    }
});
