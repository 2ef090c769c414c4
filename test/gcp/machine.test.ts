import { createHash } from "node:crypto";
import { ask, operate, zonePath } from "../support/gcp/client";
import { describeGcp } from "../support/gcp/lane";
import { inOrder, step } from "../unit/runner/harness";
import { Attempt } from "./attempt";

jest.setTimeout(600_000);

const OUT = '"$STACKRUN_OUTPUTS/x"';

/** What ran how often: one line a start. */
const TWO_STEPS = inOrder(
    step("first", `echo from the first > ${OUT}; echo first ran`, { outputs: ["x"] }),
    step("second", 'cat "$STACKRUN_INPUTS/y"; echo "second ran as $(id -u)"', {
        inputs: { y: { step: "first", output: "x" } },
    }),
);

/** The second step lasts until a later boot, whose stream it sees: the machine that it is on is taken. */
const LONG = inOrder(
    TWO_STEPS[0],
    step(
        "second",
        `cat "$STACKRUN_INPUTS/y"; echo "second begins in: $(ls)"; : > mark
        [ -e /stackrun/out/000002 ] || exec sleep 600`,
        { inputs: { y: { step: "first", output: "x" } } },
    ),
);

describeGcp("a machine that runs an attempt", { backend: "container" }, (bed) => {
    afterEach(async () => {
        await Promise.all(bed().instances.list.map(({ name }) => bed().powerCut(name)));
        for (const { name } of bed().instances.list) {
            await operate(bed(), "DELETE", zonePath(bed(), `instances/${name}`));
        }
    });

    const count = (texts: readonly string[], text: string) => texts.filter((one) => one === text).length;

    test("runs its steps, tells all that they say, and switches itself off", async () => {
        const attempt = new Attempt(bed(), "whole");
        await attempt.prepare(TWO_STEPS);
        await attempt.start();
        await attempt.off();
        const { events, lines } = await attempt.said();
        expect(lines).toEqual(["first: first ran", "second: from the first", "second: second ran as 65532"]);
        expect(events.map(({ n }) => n)).toEqual(events.map((_, index) => index + 1));
        expect(events[0]).toMatchObject({ type: "run.started", fresh: true });
        expect(events.at(-1)).toMatchObject({ type: "run.finished", state: "Succeeded" });
        expect(await attempt.facts("end")).toEqual({ exitCode: "0", reason: "", message: "" });
        const machine = await attempt.facts("machines/000001");
        expect(machine).toEqual({
            machine: attempt.name,
            boot: expect.stringMatching(/^[0-9a-f-]{36}$/),
            time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        });
        expect(await attempt.objects("machines/")).toEqual(["machines/000001"]);
        expect(await attempt.facts("beat")).toMatchObject({
            generation: "000001",
            phase: "ending",
            image: expect.stringMatching(/busybox@sha256:[0-9a-f]{64}$/),
        });
        // Where only the console is left to tell something, nothing was told.
        expect(attempt.serial).not.toContain(`stackrun ${attempt.nonce}`);
    });

    test.each([0, 3000])(
        "is preempted, %i ms after the notice: all is in the store before it goes, and it goes on",
        async (noticeMs) => {
            const attempt = new Attempt(bed(), `spot${noticeMs}`);
            await attempt.prepare(LONG);
            await attempt.start();
            await attempt.hears("second: second begins in: ");
            const began = Date.now();
            await bed().preempt(attempt.name, noticeMs);
            expect(Date.now() - began).toBeLessThan(30_000 + noticeMs);
            expect(attempt.isOff).toBe(true);
            expect(await attempt.facts("machines/000001.left")).toEqual({ why: "preempted" });
            const before = await attempt.said();
            expect(before.events.at(-1)).toMatchObject({ type: "run.finished", state: "Interrupted" });
            expect(await attempt.read("end")).toBeUndefined();
            const again = Date.now();
            await attempt.startAgain();
            await attempt.off();
            // Nothing that still waits for an answer keeps a machine that is told to go off.
            expect(Date.now() - again).toBeLessThan(90_000);
            const { lines, events } = await attempt.said();
            expect(count(lines, "first: first ran")).toBe(1);
            expect(count(lines, "second: from the first")).toBe(2);
            // The folder was kept: its files are there, and the numbers go on.
            expect(lines).toContain("second: second begins in: mark");
            expect(events.map(({ n }) => n)).toEqual(events.map((_, index) => index + 1));
            expect(events.at(-1)).toMatchObject({ type: "run.finished", state: "Succeeded" });
            expect(await attempt.facts("end")).toEqual({ exitCode: "0", reason: "", message: "" });
            expect(await attempt.objects("machines/")).toEqual([
                "machines/000001",
                "machines/000001.left",
                "machines/000002",
            ]);
        },
    );

    test("loses its power: what counts comes back from the store, and nothing else", async () => {
        const attempt = new Attempt(bed(), "cut");
        await attempt.prepare(LONG);
        await attempt.start();
        await attempt.hears("second: second begins in: ");
        await bed().powerCut(attempt.name);
        await attempt.startAgain();
        await attempt.off();
        const { lines, events } = await attempt.said();
        expect(count(lines, "first: first ran")).toBe(1);
        expect(count(lines, "second: from the first")).toBe(2);
        // Half of what the power cut has left might be there: the folder is a new one.
        expect(count(lines, "second: second begins in: ")).toBe(2);
        const types = events.map(({ type }) => type);
        const second = types.lastIndexOf("run.started");
        expect(second).toBeGreaterThan(0);
        expect(events[second]).not.toHaveProperty("fresh");
        expect(events[second + 1]).toMatchObject({ type: "step.reused", step: "first" });
        expect(events.at(-1)).toMatchObject({ type: "run.finished", state: "Succeeded" });
        expect(await attempt.objects("machines/")).toEqual(["machines/000001", "machines/000002"]);
        expect(await attempt.facts("end")).toEqual({ exitCode: "0", reason: "", message: "" });
    });

    test("that finds a cancel when it boots says so, and goes off", async () => {
        const attempt = new Attempt(bed(), "cancelled");
        await attempt.prepare(TWO_STEPS);
        await attempt.put("cancel", "reason=Cancelled\n");
        await attempt.start();
        await attempt.off();
        expect(await attempt.facts("end")).toMatchObject({ exitCode: "67", reason: "Cancelled" });
        expect(await attempt.objects("stream/")).toEqual([]);
        await attempt.startAgain();
        await attempt.off();
        expect(await attempt.objects("machines/")).toEqual([]);
    });

    test("whose image is not there says so in the store and on its console, and goes off", async () => {
        const attempt = new Attempt(bed(), "imageless");
        await attempt.prepare(TWO_STEPS);
        const image = (await bed().image("busybox")).replace(/:1$/, ":2");
        await attempt.start({ image });
        await attempt.off();
        const end = await attempt.facts("end");
        expect(end).toMatchObject({ exitCode: "64", reason: "ImagePullFailed" });
        expect(end.message).toMatch(`the image ${image} can't be pulled: `);
        expect(attempt.serial).toContain(`stackrun ${attempt.nonce} ImagePullFailed: ${end.message}`);
    });

    test("without the right to the store says so on its console, and goes off", async () => {
        const attempt = new Attempt(bed(), "rightless");
        await attempt.prepare(TWO_STEPS);
        bed().policies.forget("b/rightless");
        await attempt.start({ tries: 2 });
        await attempt.off();
        expect(attempt.serial).toMatch(
            new RegExp(
                `stackrun ${attempt.nonce} ArtifactStoreFailed: the boot files can't be fetched .*does not have storage\\.objects`,
            ),
        );
    });

    test("gives the steps a secret that is in no object, no metadata, and on no console", async () => {
        const value = 'it\'s $ecret\n \\ "tw1ce-q7"';
        const attempt = new Attempt(bed(), "secretive");
        const script =
            'printf %s "$TOKEN" | sha256sum | cut -c 1-64; echo "$TOKEN"; env | grep -c STACKRUN_SECRETS || :';
        await attempt.prepare([step("teller", script)], ["TOKEN"]);
        const secret = `projects/${bed().project}/secrets/token`;
        await ask(bed(), "POST", `/v1/projects/${bed().project}/secrets?secretId=token`, {
            replication: { automatic: {} },
        });
        const payload = { data: Buffer.from(value).toString("base64") };
        await ask(bed(), "POST", `/v1/${secret}:addVersion`, { payload });
        const accessor = { role: "roles/secretmanager.secretAccessor", members: [attempt.member] };
        bed().policies.set(secret, { bindings: [accessor] });
        await attempt.start({ secrets: { TOKEN: `${secret}/versions/1` } });
        await attempt.off();
        const { lines } = await attempt.said();
        expect(lines[0]).toBe(`teller: ${createHash("sha256").update(value).digest("hex")}`);
        expect(lines.slice(1)).toEqual(["teller: ***", "teller:  ***", "teller: 0"]);
        const objects = await Promise.all((await attempt.allObjects()).map((name) => attempt.readAny(name)));
        const all = [...objects, JSON.stringify(bed().instance(attempt.name).resource), attempt.serial].join(
            "\n",
        );
        expect(objects.length).toBeGreaterThan(10);
        for (const part of ["$ecret", "tw1ce-q7", payload.data]) {
            expect(all).not.toContain(part);
        }
    });

    test("without the right to a secret runs nothing, and says which it is", async () => {
        const attempt = new Attempt(bed(), "forbidden");
        await attempt.prepare(TWO_STEPS, ["TOKEN"]);
        const resource = `projects/${bed().project}/secrets/nobodys/versions/1`;
        await attempt.start({ secrets: { TOKEN: resource }, tries: 2 });
        await attempt.off();
        const { reason, message } = await attempt.facts("end");
        expect(reason).toBe("SecretAccessFailed");
        expect(message).toMatch(`the secret ${resource} can't be read: `);
        expect(message).toMatch("secretmanager.versions.access");
        expect((await attempt.said()).events).toEqual([]);
    });
});
