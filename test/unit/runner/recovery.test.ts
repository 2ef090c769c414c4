import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { describeShells } from "../../support/shells";
import { expectNoProcess, inOrder, kill, NONCE, plan, runs, step, testRuns, until } from "./harness";

describeShells("recovery", (shell) => {
    const newRun = testRuns(shell);
    const event = (n: number) =>
        `{"n":${n},"nonce":"${NONCE}","time":"2026-01-01T00:00:00Z","attempt":1,"type":"step.reused","step":"x"}`;

    test("after kill -9 the next attempt ends the orphans and goes on from the last finished step", async () => {
        const run = newRun();
        const second = '[ $STACKRUN_ATTEMPT = 2 ] || { sleep 60 & trap "" TERM; echo $$ > b.pid; sleep 60; }';
        const steps = inOrder(step("a", "echo a"), step("b", second), step("c", "echo c"));
        await run.write(plan(steps, { graceSeconds: 0.3 }));
        const { child } = run.start();
        await until(() => run.exists("code/b.pid") && run.read("code/b.pid") !== "");
        const orphan = Number(run.read("code/b.pid"));
        const [group, startTime] = run.read("steps/b/pid").trim().split(" ");
        expect(Number(group)).toBe(orphan);
        expect(startTime).toBe(startTimeOf(orphan));
        expect(run.read("runner.pid").trim()).toBe(`${child.pid} ${startTimeOf(child.pid as number)}`);
        child.kill("SIGKILL");
        await until(() => !runs(child.pid as number));
        expect(runs(orphan)).toBe(true);
        fs.appendFileSync(run.path("events.jsonl"), '{"n":6,"nonce":"0123');

        const { code } = await run.run(plan(steps, { attempt: 2, graceSeconds: 0.3 }));
        expect(code).toBe(0);
        expect(runs(orphan)).toBe(false);
        expect(run.events().map((one) => one.n)).toEqual(run.events().map((_, index) => index + 1));
        expect(run.story()).toEqual([
            "run.started",
            "step.started a",
            "step.finished a",
            "step.started b",
            "run.started",
            "step.reused a",
            "step.started b",
            "step.finished b",
            "step.started c",
            "step.finished c",
            "run.finished",
        ]);
        await expectNoProcess(run);
    });

    test("what a killed attempt left of a step's metrics is no metric of the next one", async () => {
        const run = newRun();
        fs.mkdirSync(run.path("steps/a"), { recursive: true });
        fs.writeFileSync(run.path("steps/a/metrics.valid"), "m 7\n");
        const { code } = await run.run(plan([step("a", "true")]));
        expect(code).toBe(0);
        expect(run.story()).toEqual(["run.started", "step.started a", "step.finished a", "run.finished"]);
    });

    test("killed at any moment, it never runs again what it has recorded as done", async () => {
        const run = newRun();
        const names = ["a", "b", "c", "d", "e", "f"];
        const steps = inOrder(...names.map((name) => step(name, "echo $STACKRUN_STEP >> ran")));
        let attempt = 0;
        for (let code: number | null = null; code !== 0;) {
            attempt += 1;
            await run.write(plan(steps, { attempt }));
            const { child, ended } = run.start();
            const timer = setTimeout(() => child.kill("SIGKILL"), attempt < 8 ? attempt * 15 : 20_000);
            ({ code } = await ended);
            clearTimeout(timer);
        }
        const events = run.events();
        expect(events.map((one) => one.n)).toEqual(events.map((_, index) => index + 1));
        const done = new Set<string>();
        for (const one of events) {
            expect(one.type === "step.started" && done.has(one.step)).toBe(false);
            if (one.type === "step.reused" || (one.type === "step.finished" && one.state === "Succeeded")) {
                done.add(one.step);
            }
        }
        expect([...done].sort()).toEqual(names);
        expect([...new Set(run.read("code/ran").split("\n"))]).toEqual([...names, ""]);
    });

    test("a process that only has the number of an earlier step is left alone", async () => {
        const run = newRun();
        const other = spawn("sleep", ["60"], { detached: true, stdio: "ignore" });
        try {
            fs.mkdirSync(run.path("steps/a"), { recursive: true });
            fs.writeFileSync(run.path("steps/a/pid"), `${other.pid} 1\n`);
            expect((await run.run(plan([step("a", "true")]))).code).toBe(0);
            expect(runs(other.pid as number)).toBe(true);
            expect(run.exists("steps/a/pid")).toBe(false);
        } finally {
            kill(other.pid as number, "SIGKILL");
        }
    });

    test.each([
        ["nothing is torn", `${event(1)}\n${event(2)}\n`, 2],
        ["the line's end is missing", `${event(1)}\n${event(2)}`, 2],
        ["a line is cut", `${event(1)}\n${event(2)}\n${event(3).slice(0, 40)}`, 2],
        ["a cut line was ended", `${event(1)}\n${event(2)}\n{"n":3,"no\n`, 2],
        ["there are zeros instead of a line", `${event(1)}\n\0\0\0\0\0\0`, 1],
        ["only a piece is there", '{"n":1,', 0],
        ["the file is empty", "", 0],
    ])("events go on where %s", async (_, text, last) => {
        const run = newRun();
        fs.writeFileSync(run.path("events.jsonl"), text);
        expect((await run.run(plan([step("a", "true")], { attempt: 2 }))).code).toBe(0);
        expect(run.events().map((one) => one.n)).toEqual([1, 2, 3, 4, 5, 6, 7].slice(0, last + 4));
        expect(run.read("events.jsonl").startsWith(text.split("\n").slice(0, last).join("\n"))).toBe(true);
    });

    test("a second runner on the same run is refused while the first one lives", async () => {
        const run = newRun();
        await run.write(plan([step("a", "echo up; until [ -e go ]; do sleep 0.05; done")]));
        const first = run.start();
        await until(() => run.exists("steps/a/log"));
        const second = await run.start().ended;
        expect(second.code).toBe(64);
        expect(second.stderr).toContain(`another runner, process ${first.child.pid}, is at work`);
        fs.writeFileSync(run.path("code/go"), "");
        expect((await first.ended).code).toBe(0);
        expect(run.all("step.started")).toHaveLength(1);
        expect((await run.start().ended).code).toBe(0);
    });

    test("of several that start together one runs", async () => {
        const run = newRun();
        await run.write(plan([step("a", "sleep 1")]));
        const codes = await Promise.all([1, 2, 3].map(async () => (await run.start().ended).code));
        expect(codes.sort()).toEqual([0, 64, 64]);
        expect(run.all("step.started")).toHaveLength(1);
    });

    test("the number of an ended runner does not lock the run", async () => {
        const run = newRun();
        fs.writeFileSync(run.path("runner.pid"), `${process.pid} 1\n`);
        expect((await run.run(plan([step("a", "true")]))).code).toBe(0);
    });

    test("where events can't be written, it stops and says so", async () => {
        const run = newRun();
        fs.symlinkSync("/dev/full", run.path("events.jsonl"));
        const { code, stderr, stdout } = await run.run(plan([step("a", "sleep 60")], { stream: "stdout" }));
        expect(code).toBe(65);
        expect(stderr).toContain("events.jsonl can't be written");
        const last = stdout.toString().trim().split("\n").at(-1) as string;
        expect(JSON.parse(last.slice(1))).toMatchObject({
            type: "run.finished",
            state: "Failed",
            reason: "RecordFailed",
            exitCode: 65,
        });
        await expectNoProcess(run);
    });

    test("where nobody reads the output any more, what runs is ended in order", async () => {
        const run = newRun();
        const script =
            'trap "" PIPE; trap "touch got-term; exit" TERM; until [ -e go ]; do sleep 0.05; done; while :; do echo x; sleep 0.05; done';
        await run.write(
            plan([step("a", script, { retries: { limit: 1, delaySeconds: 0, factor: 1 } })], {
                stream: "stdout",
            }),
        );
        const { child, ended } = run.start();
        await until(() => run.exists("steps/a/pid"));
        child.stdout?.destroy();
        fs.writeFileSync(run.path("code/go"), "");
        const { code, stderr } = await ended;
        expect(code).toBe(65);
        expect(stderr).toContain("can't be written");
        expect(run.finish()).toMatchObject({ state: "Failed", reason: "RecordFailed" });
        await expectNoProcess(run);
    });

    test("where a log can't be written, it stops and says so", async () => {
        const run = newRun();
        fs.mkdirSync(run.path("steps/a/log"), { recursive: true });
        const { code, stderr } = await run.run(plan([step("a", "while :; do echo x; sleep 0.05; done")]));
        expect(code).toBe(65);
        expect(stderr).toContain('the log of step "a" can\'t be written');
        await expectNoProcess(run);
    });

    test("where a folder of a step can't be made, it stops and says so", async () => {
        const run = newRun();
        fs.writeFileSync(run.path("steps"), "");
        const { code, stderr } = await run.run(plan([step("a", "true")]));
        expect(code).toBe(65);
        expect(stderr).toContain("can't be made");
        expect(run.finish()).toMatchObject({ state: "Failed", reason: "RecordFailed", exitCode: 65 });
    });

    test("what is no run directory, or has no plan, is refused", async () => {
        const run = newRun();
        for (const argument of ["", `${run.base}/nothing`, run.dir]) {
            const { code, stderr } = await run.start({ runDirArgument: argument }).ended;
            expect(code).toBe(64);
            expect(stderr).toMatch(/^stackrun runner: .*(usage|is not a folder|plan can't be read)/);
        }
        await run.write(plan([step("a", "true")], { codeDir: "/no/such/folder" }));
        const { code, stderr } = await run.start().ended;
        expect({ code, stderr }).toEqual({
            code: 64,
            stderr: "stackrun runner: the working directory /no/such/folder does not exist\n",
        });
        expect(run.exists("runner.pid")).toBe(false);
    });
});

function startTimeOf(pid: number): string {
    return fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ")[19];
}
