import * as fs from "node:fs";
import { describeShells, type Shell } from "../../support/shells";
import { expectNoProcess, inOrder, kill, plan, runs, step, type TestRun, testRuns, until } from "./harness";

const retries = { limit: 3, delaySeconds: 0, factor: 1 };
/** Says its process number in a file, and that it is there by its log. */
const note = 'echo $$ > "$STACKRUN_STEP.pid"; echo up';

/** The step's shell may tell of the `sleep` that was ended with it. */
const SAID_BYE = /^up\n(Terminated\n)?bye\n$/;

function pidOf(run: TestRun, file: string): number {
    return Number(run.read("code", file));
}

/** Starts a plan and waits until a step has said something. */
async function startUntil(run: TestRun, said: string) {
    const started = run.start();
    await until(() => run.exists(said) && run.read(said) !== "", said);
    return started;
}

function describeEndings(title: string, body: (newRun: () => TestRun, shell: Shell) => void): void {
    describeShells(title, (shell) => body(testRuns(shell), shell));
}

describeEndings("time-outs and what a step leaves behind", (newRun) => {
    test("a step that takes too long gets TERM, and the try has failed", async () => {
        const run = newRun();
        const script = 'trap "echo got TERM; exit 5" TERM; sleep 60 & wait';
        const { code } = await run.run(plan([step("slow", script, { timeoutSeconds: 0.4 })]));
        expect(code).toBe(1);
        expect(run.read("steps/slow/log")).toBe("got TERM\n");
        expect(run.only("step.finished")).toMatchObject({
            state: "Failed",
            exitCode: 5,
            reason: "StepTimedOut",
        });
        expect(run.finish()).toMatchObject({ state: "Failed", reason: "StepTimedOut" });
        await expectNoProcess(run);
    });

    test("a step and its children that ignore TERM get KILL after the grace; it may be tried again", async () => {
        const run = newRun();
        const script =
            '[ $STACKRUN_TRY = 2 ] && exit; trap "" TERM; sleep 60 & echo $! > child.pid; echo up; wait; sleep 60';
        const steps = [step("deaf", script, { timeoutSeconds: 0.4, retries })];
        const { code } = await run.run(plan(steps, { graceSeconds: 0.3 }));
        expect(code).toBe(0);
        expect(run.only("step.retrying")).toMatchObject({ try: 1, exitCode: 137, reason: "StepTimedOut" });
        expect(runs(pidOf(run, "child.pid"))).toBe(false);
        await expectNoProcess(run);
    });

    test("children left in the background are ended with their step, those that ignore TERM too", async () => {
        const run = newRun();
        const script =
            "sleep 60 & sh -c 'trap \"\" TERM; echo $$ > child.pid; while :; do sleep 1; done' & until [ -s child.pid ]; do sleep 0.05; done; echo done";
        const { code } = await run.run(plan([step("a", script)], { graceSeconds: 0.3 }));
        expect(code).toBe(0);
        expect(run.only("step.finished")).toMatchObject({ state: "Succeeded", exitCode: 0 });
        expect(runs(pidOf(run, "child.pid"))).toBe(false);
        await expectNoProcess(run);
    });

    test("a daemon in a session of its own, which keeps the output open, does not keep the run", async () => {
        const run = newRun();
        const script =
            "setsid sh -c 'echo $$ > daemon.pid; exec sleep 30' & until [ -s daemon.pid ]; do sleep 0.05; done; echo last";
        const { code, stdout } = await run.run(plan([step("a", script)]));
        const daemon = pidOf(run, "daemon.pid");
        expect({ code, stdout: stdout.toString(), alive: runs(daemon) }).toEqual({
            code: 0,
            stdout: "a\tlast\n",
            alive: true,
        });
        expect(run.processes()).toEqual([daemon]);
    });

    test("the run's deadline ends what runs and skips the rest", async () => {
        const run = newRun();
        const steps = inOrder(step("a", "sleep 60", { retries }), step("b", "true"));
        const { code } = await run.run(plan(steps, { timeoutSeconds: 0.5 }));
        expect(code).toBe(66);
        expect(run.only("run.stopping").reason).toBe("DeadlineExceeded");
        expect(run.only("step.finished")).toMatchObject({
            step: "a",
            state: "Cancelled",
            reason: "Cancelled",
            exitCode: 143,
        });
        expect(run.only("step.skipped")).toMatchObject({ step: "b", reason: "RunEnding" });
        expect(run.finish()).toMatchObject({ state: "TimedOut", reason: "DeadlineExceeded", exitCode: 66 });
        await expectNoProcess(run);
    });
});

describeEndings("signals", (newRun) => {
    test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
        "%s without a request: interrupted, and it goes on later",
        async (signal) => {
            const run = newRun();
            const steps = inOrder(
                step("a", "true"),
                step("b", `${note}; [ $STACKRUN_ATTEMPT = 2 ] || sleep 60`, { retries }),
                step("c", "true"),
            );
            await run.write(plan(steps));
            const { child, ended } = await startUntil(run, "steps/b/log");
            child.kill(signal);
            expect((await ended).code).toBe(68);
            expect(run.only("step.finished", "b")).toMatchObject({
                state: "Cancelled",
                reason: "Cancelled",
                try: 1,
                exitCode: 143,
            });
            expect([run.all("step.skipped"), run.all("step.retrying")]).toEqual([[], []]);
            expect(run.finish()).toMatchObject({ state: "Interrupted", exitCode: 68 });
            await expectNoProcess(run);
            const { code } = await run.run(plan(steps, { attempt: 2 }));
            expect(code).toBe(0);
            expect(run.only("step.reused").step).toBe("a");
            expect(run.all("step.finished").at(-1)).toMatchObject({ step: "c", state: "Succeeded", try: 1 });
        },
    );

    test("with `cancel`: what runs is stopped in order, TERM first, and the reason is told", async () => {
        const run = newRun();
        const deaf = `trap "" TERM; ${note}; while :; do sleep 1; done`;
        const steps = [
            step("polite", `trap "echo bye; exit 0" TERM; ${note}; while :; do sleep 0.1; done`),
            step("deaf", deaf),
            step("rest", "true", { after: ["polite"] }),
        ];
        await run.write(plan(steps, { parallelism: 2, graceSeconds: 0.5 }));
        const { child, ended } = await startUntil(run, "steps/polite/log");
        await until(() => run.exists("steps/deaf/log") && run.read("steps/deaf/log") !== "");
        fs.writeFileSync(run.path("cancel"), 'by "me" \\o/\n\ttoo slow: “é”');
        child.kill("SIGTERM");
        expect((await ended).code).toBe(67);
        expect(run.read("steps/polite/log")).toMatch(SAID_BYE);
        expect(run.only("step.finished", "polite")).toMatchObject({ state: "Cancelled", exitCode: 0 });
        expect(run.only("step.finished", "deaf")).toMatchObject({ state: "Cancelled", exitCode: 137 });
        expect(run.only("step.skipped")).toMatchObject({ step: "rest", reason: "RunEnding" });
        expect(run.finish()).toMatchObject({
            state: "Cancelled",
            reason: "Cancelled",
            exitCode: 67,
            message: 'by "me" \\o/  too slow: “é”',
        });
        await expectNoProcess(run);
        expect([run.exists("runner.pid"), run.exists("steps/deaf/pid")]).toEqual([false, false]);
    });

    test("`cancel` is seen without a signal, and before the first step; one word is the reason", async () => {
        const run = newRun();
        fs.writeFileSync(run.path("cancel"), "Replaced\n");
        const { code } = await run.run(plan([step("a", "echo never")]));
        expect(code).toBe(67);
        expect(run.finish()).toMatchObject({ state: "Cancelled", reason: "Replaced", message: "Replaced" });
        expect(run.only("step.skipped").step).toBe("a");
        const other = newRun();
        await other.write(plan([step("a", `${note}; sleep 60`)]));
        const { ended } = await startUntil(other, "steps/a/log");
        fs.writeFileSync(other.path("cancel"), "");
        expect((await ended).code).toBe(67);
        expect(other.finish()).toMatchObject({ reason: "Cancelled", message: "the run was cancelled" });
    });

    test("a run that waits for the next try stops at once", async () => {
        const run = newRun();
        const steps = [step("a", "exit 4", { retries: { limit: 1, delaySeconds: 600, factor: 1 } })];
        await run.write(plan(steps));
        const { child, ended } = run.start();
        await until(() => run.exists("events.jsonl") && run.read("events.jsonl").includes("step.retrying"));
        const asked = Date.now();
        child.kill("SIGTERM");
        expect((await ended).code).toBe(68);
        expect(Date.now() - asked).toBeLessThan(10_000);
        expect(run.only("step.finished")).toMatchObject({
            state: "Cancelled",
            reason: "Cancelled",
            try: 1,
            exitCode: 4,
        });
        await expectNoProcess(run);
    });

    test("a signal to the whole process group, as a terminal sends it, ends the run in order", async () => {
        const run = newRun();
        await run.write(
            plan([step("a", `trap "echo bye; exit 7" TERM; ${note}; while :; do sleep 0.1; done`)]),
        );
        const { child, ended } = await startUntil(run, "steps/a/log");
        const group = run.processes().filter((pid) => pid !== pidOf(run, "a.pid"));
        // The runner of this test shares the test's own process group, so each of its processes gets the signal by itself.
        group.forEach((pid) => !isStep(run, pid) && kill(pid, "SIGTERM"));
        expect(child.pid).toBeDefined();
        expect((await ended).code).toBe(68);
        expect(run.read("steps/a/log")).toMatch(SAID_BYE);
        expect(run.only("step.finished")).toMatchObject({ state: "Cancelled", exitCode: 7 });
    });

    test("a signal at any moment ends it in order", async () => {
        for (let delay = 5; delay <= 80; delay += 15) {
            const run = newRun();
            await run.write(plan([step("a", "sleep 60"), step("b", "sleep 60")], { parallelism: 2 }));
            const { child, ended } = run.start();
            await new Promise((resolve) => setTimeout(resolve, delay));
            child.kill("SIGTERM");
            const { code, stderr } = await ended;
            // null: the shell itself had hardly begun.
            expect([68, null]).toContain(code);
            expect(stderr).toBe("");
            expect(run.exists("events.jsonl") ? run.finish().state : "Interrupted").toBe("Interrupted");
            await expectNoProcess(run);
        }
    });

    test("a step that failed for good is a failure, whoever takes the machine then", async () => {
        const run = newRun();
        const steps = [step("bad", "exit 2"), step("long", `${note}; sleep 60`)];
        await run.write(plan(steps, { parallelism: 2 }));
        const { child, ended } = await startUntil(run, "steps/long/log");
        await until(() => run.read("events.jsonl").includes("step.finished"));
        child.kill("SIGTERM");
        expect((await ended).code).toBe(1);
        expect(run.finish()).toMatchObject({ state: "Failed", reason: "StepFailed" });
    });
});

describeEndings("the end of a run whose output is still being read", (newRun) => {
    const reading = plan([step("a", ": > ../reader")], { stream: "stdout" });
    const finished = (run: TestRun) => () =>
        run.exists("events.jsonl") && run.read("events.jsonl").includes('"run.finished"');

    test("waits until the reader says that it has all", async () => {
        const run = newRun();
        await run.write(reading);
        const { child, ended } = run.start();
        await until(finished(run));
        await new Promise((resolve) => setTimeout(resolve, 500));
        expect(child.exitCode).toBeNull();
        fs.rmSync(run.path("reader"));
        expect((await ended).code).toBe(0);
    });

    test("waits no longer when it is told to end", async () => {
        const run = newRun();
        await run.write(reading);
        const { child, ended } = run.start();
        await until(finished(run));
        const asked = Date.now();
        child.kill("SIGTERM");
        expect((await ended).code).toBe(0);
        expect(Date.now() - asked).toBeLessThan(15_000);
        expect(run.exists("reader")).toBe(false);
    });

    test("does not wait for one that an earlier runner was told of", async () => {
        const run = newRun();
        fs.writeFileSync(run.path("reader"), "");
        const begun = Date.now();
        expect((await run.run(plan([step("a", "exit 3")], { stream: "stdout" }))).code).toBe(1);
        expect(Date.now() - begun).toBeLessThan(20_000);
    });
});

function isStep(run: TestRun, pid: number): boolean {
    try {
        return (
            fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ")[2] ===
            run.read("code", "a.pid").trim()
        );
    } catch {
        return true;
    }
}
