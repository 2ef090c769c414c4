import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { startGcs, type GcsServer } from "../support/gcs/server";
import { IMAGES } from "../support/images/ensureImages";
import { describeKubernetes } from "../support/kubernetes/lane";
import { leftIn, podNames, runProgram, runProject } from "../support/kubernetes/runs";
import { until, type Project, type RunningCommand } from "../support/project";

const NAMESPACE = "store-test";
/** A volume of the node's would be refused there. */
const RESTRICTED = "store-restricted-test";
const BUCKET = "artifacts";
const CODE_MIB = 9;
const PIPELINE = `
name: stored
params: {folder: /trace}
steps:
  - name: load
    run: |
      echo load >> "$STACKRUN_PARAM_FOLDER/trace"
      mkdir -p "$STACKRUN_OUTPUTS/data/empty"; printf '#!/bin/sh\\necho from load\\n' > "$STACKRUN_OUTPUTS/data/it's ex"
      chmod 0750 "$STACKRUN_OUTPUTS/data/it's ex"; ln -s "it's ex" "$STACKRUN_OUTPUTS/data/link"
      wc -c < large.bin > "$STACKRUN_OUTPUTS/size"; echo "size=$(cat "$STACKRUN_OUTPUTS/size")" > "$STACKRUN_METRICS"
    outputs: [data, size]
  - name: use
    inputs: {data: load/data}
    run: |
      echo use >> "$STACKRUN_PARAM_FOLDER/trace"; echo using
      while [ ! -e "$STACKRUN_PARAM_FOLDER/go" ]; do sleep 0.1; done
      test -d "$STACKRUN_INPUTS/data/empty"; "$STACKRUN_INPUTS/data/link"
      test ! -e "$STACKRUN_PARAM_FOLDER/fail"
`;
const VOLUME = `volumes: [{ name: "trace", mountPath: "/trace", source: { hostPath: { path: "/tmp/${NAMESPACE}/trace" } } }],`;

describeKubernetes("a run with an artifact store", (bed) => {
    let project: Project;
    let gcs: GcsServer;
    let trigger = 0;
    const url = `gs://${BUCKET}/some prefix`;
    const port = () => Number(new URL(gcs.url).port);
    const inTrace = (command: string) => bed.inside("sh", "-c", `cd /tmp/${NAMESPACE}/trace && ${command}`);
    const trace = async () => (await inTrace("cat trace 2>/dev/null || true")).split("\n").filter(Boolean);
    const program = (more = "", transfer = `image: "${IMAGES.rclone}"`, store = url) =>
        project.program(
            runProgram(
                NAMESPACE,
                `${VOLUME} trigger: "${trigger}", artifactStore: "${store}", transfer: { ${transfer} }, ${more}`,
            ),
        );

    beforeAll(async () => {
        await bed.deleteNamespace(NAMESPACE);
        await bed.createNamespace(NAMESPACE);
        await bed.inside("sh", "-c", `mkdir -p /tmp/${NAMESPACE}/trace; chmod 0777 /tmp/${NAMESPACE}/trace`);
        gcs = await startGcs({ host: bed.hostIp });
        await gcs.createBucket(BUCKET);
        project = await runProject(bed, NAMESPACE, PIPELINE, "", "", gcs.env);
        fs.writeFileSync(path.join(project.dir, "large.bin"), randomBytes(CODE_MIB << 20));
    }, 240_000);
    beforeEach(async () => {
        await inTrace("rm -f go fail trace; : > trace; chmod 0666 trace");
        trigger++;
        program();
    });
    afterAll(async () => {
        await project?.pulumi(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);
        project?.dispose();
        await gcs?.stop();
        await bed.deleteNamespace(NAMESPACE);
    }, 120_000);

    const object = (name: string) =>
        fetch(`${gcs.url}/storage/v1/b/${BUCKET}/o/${encodeURIComponent(name)}?alt=media`);
    const objects = async (prefix: string) => {
        const listed = await fetch(
            `${gcs.url}/storage/v1/b/${BUCKET}/o?prefix=${encodeURIComponent(prefix)}`,
        );
        return ((await listed.json()) as { items: { name: string }[] }).items;
    };
    const upUntilUsing = async (): Promise<RunningCommand> => {
        const up = project.startUp();
        await until(
            async () => (await trace()).includes("use"),
            90_000,
            () => `the second step:\n${up.output()}`,
        );
        return up;
    };
    const end = async () => {
        const { status, reason, message, attempt } = await project.outputs();
        return { status, reason, message, attempt };
    };

    it("its code is not limited; each step is in the store, with a URL, when it is reported", async () => {
        const up = await upUntilUsing();
        const runId = fs.readdirSync(path.join(project.dir, ".stackrun/runs")).sort().at(-1) as string;
        const step = `some prefix/runs/${runId}/steps/load`;
        expect(await (await object(`${step}/status`)).text()).toMatch(/^succeeded/);
        expect((await object(`some prefix/runs/${runId}/steps/use/status`)).status).toBe(404);
        await inTrace("touch go");
        const { code, stdout, stderr } = await up.ended;
        expect([code, stdout + stderr]).toEqual([0, expect.stringContaining("use | from load")]);
        const { artifacts, metrics, steps } = await project.outputs();
        expect(artifacts).toMatchObject({
            "load/size": { uri: `gs://${BUCKET}/${step}/outputs/size` },
            "load/data": { uri: `gs://${BUCKET}/${step}/outputs/data` },
        });
        expect(steps[0].outputs.size).toBe(`gs://${BUCKET}/${step}/outputs/size`);
        expect(metrics).toEqual({ load: { size: CODE_MIB << 20 } });
        expect((await (await object(`${step}/outputs/size`)).text()).trim()).toBe(String(CODE_MIB << 20));
        // Not in the cluster's own database.
        const maps = await bed.kubectl("get", "configmaps", "-n", NAMESPACE, "-o", "name");
        expect(maps.split("\n").filter((name) => name.includes("stored"))).toHaveLength(1);
    }, 240_000);

    it("keeps to the restricted Pod Security Standard", async () => {
        await bed.deleteNamespace(RESTRICTED);
        await bed.createNamespace(RESTRICTED, { "pod-security.kubernetes.io/enforce": "restricted" });
        const other = `artifactStore: "${url}", transfer: { image: "${IMAGES.rclone}" },`;
        const pipeline =
            "name: restricted\nsteps: [{name: one, run: 'echo > \"$STACKRUN_OUTPUTS/x\"', outputs: [x]}]\n";
        const own = await runProject(bed, RESTRICTED, pipeline, other, "", gcs.env);
        try {
            const { code, stdout, stderr } = await own.up();
            expect([code, stdout + stderr]).toEqual([0, expect.any(String)]);
            await own.expectOk(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);
        } finally {
            own.dispose();
            await bed.deleteNamespace(RESTRICTED);
        }
    }, 240_000);

    it("goes on from the last finished step on the next pod, when its pod is deleted", async () => {
        const up = await upUntilUsing();
        const pod = (await podNames(bed, NAMESPACE)).at(-1) as string;
        await bed.kubectl("delete", "pod", pod, "-n", NAMESPACE, "--wait=false");
        await until(
            async () => (await trace()).filter((line) => line === "use").length === 2,
            90_000,
            () => `the second step again:\n${up.output()}`,
        );
        await inTrace("touch go");
        const { code, stdout, stderr } = await up.ended;
        expect([code, stdout + stderr]).toEqual([0, expect.stringContaining("use | from load")]);
        expect(await trace()).toEqual(["load", "use", "use"]);
        expect(await project.outputs()).toMatchObject({
            attempt: 1,
            status: "Succeeded",
            interruptions: 1,
            metrics: { load: { size: CODE_MIB << 20 } },
            artifacts: { "load/size": { uri: expect.stringContaining("gs://") } },
        });
    }, 240_000);

    it("a further attempt goes on from the last finished step; the code goes up once", async () => {
        await inTrace("touch go fail");
        expect((await project.up()).code).not.toBe(0);
        expect(await end()).toMatchObject({ status: "Failed", reason: "StepFailed", attempt: 1 });
        await inTrace("rm fail");
        const again = await project.up();
        expect([again.code, again.stdout + again.stderr]).toEqual([
            0,
            expect.stringContaining("load: finished in an earlier attempt, not run again"),
        ]);
        expect(await end()).toMatchObject({ status: "Succeeded", attempt: 2 });
        expect(await trace()).toEqual(["load", "use", "use"]);
    }, 240_000);

    it("whose code is in the image uses the store for its steps only", async () => {
        await inTrace("touch go");
        // The volume is where the image would hold the code.
        program('codeInImage: "/trace"');
        await inTrace("head -c 5 /dev/zero > large.bin");
        expect((await project.up()).code).toBe(0);
        expect((await project.outputs()).metrics).toEqual({ load: { size: 5 } });
        await inTrace("rm large.bin");
    }, 240_000);

    describe("that pods can't use ends with the reason, before a step has run:", () => {
        const reject = async () => {
            const rule = ["FORWARD", "-d", bed.hostIp, "-p", "tcp", "--dport", String(port())];
            const target = ["-j", "REJECT", "--reject-with", "tcp-reset"];
            await bed.inside("iptables", "-w", "-I", ...rule, ...target);
            return async () => void (await bed.inside("iptables", "-w", "-D", ...rule, ...target));
        };
        it.each([
            ["refused", reject, "BundleFetchFailed", /connection refused/],
            ["filtered", () => bed.dropTraffic(port()), "BundleFetchFailed", /timeout|deadline/],
        ])(
            "%s",
            async (_, block, reason, words) => {
                // rclone's own tries are left to another test: behind a dropping firewall each takes its time.
                program(
                    "",
                    `image: "${IMAGES.rclone}", env: { RCLONE_LOW_LEVEL_RETRIES: "1", RCLONE_CONTIMEOUT: "2s" }`,
                );
                const unblock = await block();
                try {
                    expect((await project.up()).code).not.toBe(0);
                } finally {
                    await unblock();
                }
                expect(await end()).toEqual({
                    status: "Failed",
                    reason,
                    message: expect.stringMatching(words),
                    attempt: 1,
                });
                expect(await trace()).toEqual([]);
            },
            360_000,
        );

        it("no such bucket", async () => {
            program('codeInImage: "/trace"', undefined, "gs://not-there");
            expect((await project.up()).code).not.toBe(0);
            expect(await end()).toMatchObject({
                status: "Failed",
                reason: "ArtifactStoreFailed",
                message: expect.stringMatching(/can't be written: .*(404|not ?found)/i),
            });
            expect(await trace()).toEqual([]);
        }, 240_000);

        it("an image that is nowhere", async () => {
            program('pendingTimeout: "4s"', 'image: "nowhere.invalid/rclone:1"');
            expect((await project.up()).code).not.toBe(0);
            expect(await end()).toMatchObject({
                status: "Failed",
                reason: "ImagePullFailed",
                message: expect.stringMatching(/nowhere\.invalid\/rclone:1.*Correct `transfer\.image`/),
            });
        }, 240_000);

        it("an image without rclone", async () => {
            program("", `image: "${IMAGES.busybox}"`);
            expect((await project.up()).code).not.toBe(0);
            expect(await end()).toMatchObject({
                status: "Failed",
                reason: "ImageUnusable",
                message: expect.stringMatching(/lacks the tool rclone.*`transfer\.image`/),
            });
        }, 240_000);
    });

    it("code that somebody removes from the store: the next pod says so, and the next attempt brings it again", async () => {
        const up = await upUntilUsing();
        for (const { name } of await objects("some prefix/bundles/")) {
            const at = `${gcs.url}/storage/v1/b/${BUCKET}/o/${encodeURIComponent(name)}`;
            await fetch(at, { method: "DELETE" });
        }
        const pod = (await podNames(bed, NAMESPACE)).at(-1) as string;
        await bed.kubectl("delete", "pod", pod, "-n", NAMESPACE, "--wait=false");
        expect((await up.ended).code).not.toBe(0);
        expect(await end()).toMatchObject({
            status: "Failed",
            reason: "BundleFetchFailed",
            message: expect.stringMatching(/^the code bundles\/.* can't be fetched .*: not found/),
        });
        await inTrace("touch go");
        expect((await project.up()).code).toBe(0);
        expect(await trace()).toEqual(["load", "use", "use"]);
    }, 240_000);

    it("a store that is lost under way ends the run, and not in silence", async () => {
        program("", `image: "${IMAGES.rclone}", env: { RCLONE_CONTIMEOUT: "1s" }`);
        const up = await upUntilUsing();
        const unblock = await bed.dropTraffic(port());
        try {
            await inTrace("touch go");
            expect((await up.ended).code).not.toBe(0);
        } finally {
            await unblock();
        }
        expect(await end()).toMatchObject({
            status: "Failed",
            reason: "ArtifactStoreFailed",
            message: expect.stringMatching(
                /^step "use" has ended well, but what it left is not in the artifact store: ./,
            ),
        });
        // It is done again: on the next pod nobody knows that it was done.
        expect((await project.up()).code).toBe(0);
        expect(await trace()).toEqual(["load", "use", "use"]);
    }, 360_000);

    it("`destroy` leaves nothing in the namespace, and what is stored in the store", async () => {
        await project.expectOk(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);
        expect(await leftIn(bed, NAMESPACE)).toEqual([]);
        // Not what each pod leaves of itself, but steps that are whole.
        const left = (await objects("some prefix/")).map(({ name }) => name);
        const whole = ["load", "use"].map(
            (step) =>
                expect.stringMatching(`^some prefix/runs/[^/]+/steps/${step}/status$`) as unknown as string,
        );
        const code = expect.stringMatching(
            /^some prefix\/bundles\/[0-9a-f]{64}\.tar\.gz$/,
        ) as unknown as string;
        expect(left).toEqual(expect.arrayContaining([...whole, code]));
    }, 90_000);
});
