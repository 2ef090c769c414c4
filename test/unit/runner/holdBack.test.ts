import * as fs from "node:fs";
import { describeShells } from "../../support/shells";
import { expectNoProcess, inOrder, plan, step, testRuns, until, type TestRun } from "./harness";

// What ship.sh does is done here by hand: how it does it is tested in ship.test.ts.
describeShells("a step that has to be stored", (shell) => {
    const newRun = testRuns(shell);
    const two = inOrder(
        step("a", 'echo "m=1" > "$STACKRUN_METRICS"'),
        step("b", 'echo "$STACKRUN_ATTEMPT" >> b.ran'),
    );
    const stored = { shipSilenceSeconds: 30 };
    const recorded = (run: TestRun, name: string) =>
        until(
            () => run.exists("steps", name, "status") && run.read("steps", name, "status") !== "",
            `the status of ${name}`,
        );
    const ship = (run: TestRun, name: string) => fs.writeFileSync(run.path("steps", name, "shipped"), "");
    const pause = () => new Promise((resolve) => setTimeout(resolve, 700));

    test("is not reported, and what is after it does not begin, before it is stored", async () => {
        const run = newRun();
        await run.write(plan(two, stored));
        const { ended } = run.start();
        await recorded(run, "a");
        await pause();
        expect(run.story()).toEqual(["run.started", "step.started a", "metric a"]);
        ship(run, "a");
        await recorded(run, "b");
        await pause();
        expect(run.story().slice(3)).toEqual(["step.finished a", "step.started b"]);
        expect(run.only("step.finished", "a").durationSeconds).toBeLessThan(0.6);
        ship(run, "b");
        expect((await ended).code).toBe(0);
        expect(run.story().slice(5)).toEqual(["step.finished b", "run.finished"]);
        await expectNoProcess(run);
    });

    test("that can't be stored fails the run, and says why; nothing else begins", async () => {
        const run = newRun();
        await run.write(plan(two, stored));
        const { ended } = run.start();
        await recorded(run, "a");
        fs.writeFileSync(run.path("steps/a/unshipped.new"), 'Failed to "copy":\\ 403\nno access\n');
        fs.renameSync(run.path("steps/a/unshipped.new"), run.path("steps/a/unshipped"));
        expect((await ended).code).toBe(69);
        expect(run.only("step.finished")).toMatchObject({ state: "Failed", reason: "ArtifactStoreFailed" });
        expect(run.finish()).toMatchObject({
            state: "Failed",
            reason: "ArtifactStoreFailed",
            exitCode: 69,
            message:
                'step "a" has ended well, but what it left is not in the artifact store: Failed to "copy":\\ 403 no access',
        });
        expect(run.exists("code/b.ran")).toBe(false);
        // It is not run again: the next attempt only stores it.
        expect(run.read("steps/a/status")).toMatch(/^succeeded /);
    });

    test("that can't be stored, for a reason that nobody has written, is not told as a cancel", async () => {
        const run = newRun();
        await run.write(plan(two, stored));
        const { ended } = run.start();
        await recorded(run, "a");
        fs.writeFileSync(run.path("steps/a/unshipped"), "");
        expect((await ended).code).toBe(69);
        expect(run.finish().message).toBe(
            'step "a" has ended well, but what it left is not in the artifact store: what brings it there has not said why',
        );
    });

    test("fails the run when nobody gives a sign of life, and not as long as somebody does", async () => {
        const run = newRun();
        await run.write(plan(two, { shipSilenceSeconds: 1 }));
        const { ended } = run.start();
        await recorded(run, "a");
        for (let beat = 1; beat <= 20; beat++) {
            fs.writeFileSync(run.path("ship.beat"), `${beat}\n`);
            await new Promise((resolve) => setTimeout(resolve, 100));
        }
        expect(run.story()).not.toContain("run.finished");
        expect((await ended).code).toBe(69);
        expect(run.finish().message).toMatch(/what brings it there has given no sign of life for 1 s$/);
    });

    test("is run no more, and only stored, when an earlier attempt has run it", async () => {
        const run = newRun();
        await run.write(plan(two, stored));
        const first = run.start();
        await recorded(run, "a");
        first.child.kill("SIGKILL");
        await first.ended;
        await run.write(plan(two, { ...stored, attempt: 2 }));
        const second = run.start();
        await until(() => run.all("run.started").length === 2);
        await pause();
        expect(run.story().at(-1)).toBe("run.started");
        ship(run, "a");
        await recorded(run, "b");
        ship(run, "b");
        expect((await second.ended).code).toBe(0);
        expect(run.story().slice(-4)).toEqual([
            "step.reused a",
            "step.started b",
            "step.finished b",
            "run.finished",
        ]);
        expect(run.read("code/b.ran")).toBe("2\n");
    });

    test("and was brought back is not run again; the run is no fresh one then", async () => {
        const run = newRun();
        fs.mkdirSync(run.path("steps/a/outputs"), { recursive: true });
        fs.writeFileSync(run.path("steps/a/status"), "succeeded 0 \n");
        ship(run, "a");
        await run.write(plan([two[0]], stored));
        expect((await run.start().ended).code).toBe(0);
        expect(run.story()).toEqual(["run.started", "step.reused a", "run.finished"]);
        expect(run.only("run.started")).not.toHaveProperty("fresh");
    });

    test.each([
        ["TERM", (_run: TestRun, pid: number) => process.kill(pid, "SIGTERM"), "Interrupted", 68],
        ["a cancel", (run: TestRun) => fs.writeFileSync(run.path("cancel"), ""), "Cancelled", 67],
    ])("has the grace to be stored after %s", async (_, end, state, exitCode) => {
        for (const inTime of [true, false]) {
            const run = newRun();
            await run.write(plan(two, { ...stored, graceSeconds: 1 }));
            const { child, ended } = run.start();
            await recorded(run, "a");
            end(run, child.pid as number);
            await until(() => run.all("run.stopping").length === 1);
            if (inTime) {
                ship(run, "a");
            }
            expect((await ended).code).toBe(exitCode);
            expect(run.finish()).toMatchObject({ state, exitCode });
            expect(run.only("step.finished")).toMatchObject({ state: inTime ? "Succeeded" : "Cancelled" });
            expect(run.read("steps/a/status")).toMatch(/^succeeded /);
        }
    });

    test("keeps its place among the steps that run side by side", async () => {
        const run = newRun();
        await run.write(
            plan([step("a", "true"), step("b", "true"), step("c", "exit 3")], { ...stored, parallelism: 2 }),
        );
        const { ended } = run.start();
        await recorded(run, "a");
        await recorded(run, "b");
        await pause();
        expect(run.all("step.started")).toHaveLength(2);
        ship(run, "b");
        await recorded(run, "c");
        await pause();
        expect(run.story()).not.toContain("run.finished");
        ship(run, "a");
        expect((await ended).code).toBe(1);
        expect(run.finish()).toMatchObject({ state: "Failed", reason: "StepFailed" });
        expect(run.only("step.finished", "a").state).toBe("Succeeded");
    });
});
