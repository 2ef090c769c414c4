import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Gate } from "../support/gcp/gate";
import { describeGcp } from "../support/gcp/lane";
import { GcpRuns } from "../support/gcp/runs";

const pipeline = (gate: Gate) => `
name: steps of a run
secrets: [API_TOKEN]
steps:
  - name: load
    run: |
${gate.functions.replaceAll(/^/gm, "      ")}
      report load; cat code.txt; echo "token $API_TOKEN"; printf %s "$API_TOKEN" | wc -c
      echo data > "$STACKRUN_OUTPUTS/data"
    outputs: [data]
  - name: use
    inputs: {data: load/data}
    run: |
${gate.functions.replaceAll(/^/gm, "      ")}
      report use; pass use; cat "$STACKRUN_INPUTS/data"; echo the last line; test ! -e fails.txt
`;
const SECRET = "hunter2-very-secret";
const ARGS = `secrets: { API_TOKEN: pulumi.secret("${SECRET}") },`;

describeGcp("a run on a machine", { backend: "container" }, (bed) => {
    let gate: Gate;
    let runs: GcpRuns;
    let trigger = 0;

    beforeAll(async () => {
        gate = await Gate.start(bed());
        runs = await GcpRuns.create(bed(), { "pipeline.yaml": pipeline(gate), "code.txt": "the code\n" });
    }, 120_000);
    beforeEach(() => {
        gate.clear();
        gate.pass("use");
        bed().faults.clear();
        bed().world.skewMs = 0;
        runs.project.write({ "code.txt": "the code\n" });
        fs.rmSync(path.join(runs.project.dir, "fails.txt"), { force: true });
        begin();
    });
    afterAll(async () => {
        await runs?.dispose();
        await gate?.stop();
    }, 240_000);

    const begin = (more = "", before = "") =>
        runs.program(`trigger: "${++trigger}", ${ARGS} ${more}`, before);
    const up = async () => {
        const { code, stdout, stderr } = await runs.project.up();
        return { code, output: stdout + stderr };
    };
    const logOf = async () => {
        const { runId } = await runs.project.outputs();
        return fs.readFileSync(path.join(runs.project.dir, ".stackrun/runs", runId, "log"), "utf8");
    };
    const objects = async (prefix = "") => {
        const found: { name: string; generation: string; md5Hash: string }[] = [];
        for (const bucket of bed().buckets.names) {
            const url = `${bed().storage.url}/storage/v1/b/${bucket}/o?prefix=${prefix}`;
            found.push(...(((await (await fetch(url)).json()) as { items?: typeof found }).items ?? []));
        }
        return found;
    };

    test("succeeds, is over when the machine goes off, and is not run again", async () => {
        expect(await up()).toEqual({ code: 0, output: expect.stringContaining("the last line") });
        expect(await runs.end()).toMatchObject({ status: "Succeeded", reason: "", interruptions: 0 });
        await runs.off();
        const boots = runs.instance.boots;
        expect(await up()).toEqual({ code: 0, output: expect.stringContaining("unchanged") });
        expect(gate.reports).toEqual(["load", "use"]);
        expect(runs.instance.boots).toBe(boots);
    }, 240_000);

    test("its secret reaches the steps, and neither metadata, nor the bucket, nor state", async () => {
        expect((await up()).code).toBe(0);
        const log = await logOf();
        expect(log).toContain(`load\t${SECRET.length}\n`);
        expect(log).not.toContain(SECRET);
        const { runId } = await runs.project.outputs();
        expect(JSON.stringify(runs.instance.resource)).not.toContain(SECRET);
        expect(runs.project.checkpoint().text).not.toContain(SECRET);
        const all = await objects(`runs/${runId}/`);
        expect(all.length).toBeGreaterThan(10);
        for (const { name } of all) {
            const [bucket] = bed().buckets.names;
            const url = `${bed().storage.url}/storage/v1/b/${bucket}/o/${encodeURIComponent(name)}?alt=media`;
            expect([name, await (await fetch(url)).text()]).not.toEqual([
                name,
                expect.stringContaining(SECRET),
            ]);
        }
    }, 240_000);

    test("a second run of the same code uploads nothing of it; with one file changed, one object", async () => {
        expect((await up()).code).toBe(0);
        const before = await objects("bundles/");
        begin();
        expect((await up()).code).toBe(0);
        expect(await objects("bundles/")).toEqual(before);
        runs.project.write({ "code.txt": `other code ${Date.now()}\n` });
        expect((await up()).code).toBe(0);
        const after = await objects("bundles/");
        expect(after.length).toBe(before.length + 1);
        expect(after).toEqual(expect.arrayContaining(before));
    }, 600_000);

    test("a step that fails: the update fails, the machine goes off, and the next attempt goes on from there", async () => {
        runs.project.write({ "fails.txt": "" });
        begin();
        const failed = await up();
        expect([failed.code !== 0, failed.output]).toEqual([true, expect.stringContaining("StepFailed")]);
        await runs.off();
        // The code is the same: the step asks the gate.
        const again = await up();
        expect(again.code).not.toBe(0);
        expect(await runs.end()).toMatchObject({ status: "Failed", reason: "StepFailed", attempt: 2 });
        expect(gate.reports).toEqual(["load", "use", "use"]);
        expect(bed().instances.list.length).toBe(1);
    }, 400_000);

    test("the store away for a minute, a clock an hour off, and an API that fails now and then: nothing is lost", async () => {
        gate.clear();
        bed().world.skewMs = 3_600_000;
        bed().faults.each(/^(instances|zoneOperations)\./, 4, { status: 503 });
        bed().faults.each("instances.get", 7, { status: 429 });
        const running = runs.project.startUp();
        await gate.reported("use", 1, 240_000, () => running.output());
        bed().faults.during(/^storage\.objects\./, 60_000, { status: 503 });
        await sleep(5_000);
        gate.pass("use");
        const { code, stdout, stderr } = await running.ended;
        expect([code, stdout + stderr]).toEqual([0, expect.stringContaining("the last line")]);
        expect((await logOf()).match(/the last line/g)).toHaveLength(1);
        expect(gate.reports).toEqual(["load", "use"]);
        expect(bed().instances.list.length).toBe(1);
    }, 400_000);

    test("Ctrl-C: the run is cancelled, its machine goes off, and the next `up` is a further attempt", async () => {
        gate.clear();
        const running = runs.project.startUp();
        await gate.reported("use", 1, 240_000, () => running.output());
        process.kill(running.child.pid as number, "SIGINT");
        expect((await running.ended).code).not.toBe(0);
        await runs.off();
        gate.pass("use");
        expect((await up()).code).toBe(0);
        expect(await runs.end()).toMatchObject({ status: "Succeeded", attempt: 2 });
        expect(gate.reports).toEqual(["load", "use", "use"]);
    }, 400_000);

    describe("that can't begin ends with the reason, and can be destroyed:", () => {
        const cases: [string, string, string, RegExp][] = [
            ["an image that is nowhere", 'image: "169.254.0.2:1/nowhere:1"', "ImagePullFailed", /nowhere:1/],
        ];
        test.each(cases)(
            "%s",
            async (_title, args, reason, words) => {
                begin(`${args},`);
                expect((await up()).code).not.toBe(0);
                expect(await runs.end()).toMatchObject({
                    status: "Failed",
                    reason,
                    message: expect.stringMatching(words),
                });
                await runs.off();
                expect(gate.reports).toEqual([]);
            },
            400_000,
        );

        test("an image without sh", async () => {
            begin(`image: "${await bed().image("nosh")}",`);
            expect((await up()).code).not.toBe(0);
            expect(await runs.end()).toMatchObject({ status: "Failed", reason: "ImageUnusable" });
        }, 240_000);

        test("a machine that may not read the store: what its serial console says", async () => {
            begin("", "");
            bed().faults.each("storage.objects.get", 1, {
                status: 403,
                message: "the machine has no access",
            });
            expect((await up()).code).not.toBe(0);
            expect(await runs.end()).toMatchObject({
                status: "Failed",
                reason: expect.stringMatching(/BundleFetchFailed|ArtifactStoreFailed/),
            });
        }, 400_000);
    });

    test("nothing is left after `destroy`", async () => {
        expect((await up()).code).toBe(0);
        await runs.destroy();
        expect(runs.left).toEqual([]);
    }, 240_000);
});
