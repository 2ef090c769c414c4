import * as fs from "node:fs";
import { describeShells } from "../../support/shells";
import { expectNoProcess, inOrder, NONCE, plan, step, testRuns } from "./harness";

describeShells("scheduling", (shell) => {
    const newRun = testRuns(shell);

    test("runs steps in order and records all of it", async () => {
        const run = newRun();
        const { code, stdout, stderr } = await run.run(
            plan(inOrder(step("load", "echo loading; pwd"), step("train", "echo training >&2"))),
        );
        expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
        expect(stdout.toString()).toBe(`load\tloading\nload\t${run.path("code")}\ntrain\ttraining\n`);
        expect(run.read("steps/train/log")).toBe("training\n");
        expect(run.story()).toEqual([
            "run.started",
            "step.started load",
            "step.finished load",
            "step.started train",
            "step.finished train",
            "run.finished",
        ]);
        run.events().forEach((event, index) => {
            expect(event).toMatchObject({ n: index + 1, nonce: NONCE, attempt: 1 });
            expect(Math.abs(Date.now() - Date.parse(event.time))).toBeLessThan(120_000);
            expect(event.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        });
        expect(run.finish()).toMatchObject({ state: "Succeeded", reason: "", exitCode: 0 });
        expect(run.only("step.finished", "load")).toMatchObject({
            state: "Succeeded",
            try: 1,
            exitCode: 0,
            reason: "",
        });
        expect(run.read("steps/load/status")).toMatch(/^succeeded\b/);
        expect([run.exists("runner.pid"), run.exists("steps/load/pid")]).toEqual([false, false]);
        await expectNoProcess(run);
    });

    test("gives a step its environment, and nothing to read", async () => {
        const run = newRun();
        const script =
            'cat; for v in RUN_ID STEP ATTEMPT TRY INPUTS OUTPUTS METRICS; do eval "echo \\"$v=\\$STACKRUN_$v\\""; done; echo "$A$B$C"; env | grep ^sr_; env | grep ^SR_; :';
        const { stdout } = await run.run(
            plan([step("one", script, { env: { B: "step's", C: "-c" } })], {
                attempt: 3,
                env: { A: "plan's ", B: "hidden" },
            }),
        );
        expect(stdout.toString().split("\n")).toEqual([
            "one\tRUN_ID=run-1",
            "one\tSTEP=one",
            "one\tATTEMPT=3",
            "one\tTRY=1",
            `one\tINPUTS=${run.path("steps/one/inputs")}`,
            `one\tOUTPUTS=${run.path("steps/one/outputs")}`,
            `one\tMETRICS=${run.path("steps/one/metrics")}`,
            "one\tplan's step's-c",
            "",
        ]);
    });

    test("takes a relative run directory and a working directory of its own", async () => {
        const run = newRun();
        fs.mkdirSync(`${run.base}/-elsewhere`);
        await run.write(plan([step("one", "pwd")], { codeDir: `${run.base}/-elsewhere` }));
        const { stdout } = await run.start({ runDirArgument: "a run's $dir/" }).ended;
        expect(stdout.toString()).toBe(`one\t${run.base}/-elsewhere\n`);
    });

    test("runs independent steps side by side, at most `parallelism` of them, in the plan's order", async () => {
        const run = newRun();
        const meet =
            'touch "$DIR/$STACKRUN_STEP"; n=0; until [ -e "$DIR/a" ] && [ -e "$DIR/b" ] || [ $n = 200 ]; do sleep 0.05; n=$((n+1)); done; ls "$DIR" | wc -l';
        const steps = [
            step("a", meet),
            step("b", meet),
            step("c", "true"),
            step("d", "true", { after: ["a", "b"] }),
        ];
        fs.mkdirSync(`${run.base}/meet`);
        const { code, stdout } = await run.run(
            plan(steps, { parallelism: 2, env: { DIR: `${run.base}/meet` } }),
        );
        expect(code).toBe(0);
        expect(stdout.toString().split("\n").sort()).toEqual(["", "a\t2", "b\t2"]);
        let active = 0;
        let most = 0;
        for (const { type } of run.events()) {
            active += type === "step.started" ? 1 : type === "step.finished" ? -1 : 0;
            most = Math.max(most, active);
        }
        expect(most).toBe(2);
        const started = run.all("step.started").map((event) => event.step);
        expect(started.slice(0, 3)).toEqual(["a", "b", "c"]);
        expect(started.at(-1)).toBe("d");
    });

    test("starts steps that become ready in the plan's order, not in that in which they became ready", async () => {
        const run = newRun();
        const after = (name: string, ...names: string[]) => step(name, "true", { after: names });
        const steps = [after("a", "d"), after("b", "c"), after("c"), after("d"), after("e", "b"), after("f")];
        await run.run(plan(steps));
        expect(run.all("step.started").map((event) => event.step)).toEqual(["c", "b", "d", "a", "e", "f"]);
    });

    test("starts nothing after a failure, lets what runs end, and says what was skipped and why", async () => {
        const run = newRun();
        const steps = [
            step("bad", "exit 3"),
            step("long", "sleep 1; echo done"),
            step("after-bad", "true", { after: ["bad"] }),
            step("far", "true", { after: ["after-bad", "long"] }),
            step("free", "true"),
        ];
        const { code, stdout } = await run.run(plan(steps, { parallelism: 2 }));
        expect(code).toBe(1);
        expect(stdout.toString()).toBe("long\tdone\n");
        expect(run.only("step.finished", "bad")).toMatchObject({
            state: "Failed",
            exitCode: 3,
            reason: "StepFailed",
        });
        expect(run.only("step.finished", "long")).toMatchObject({ state: "Succeeded" });
        expect(run.all("step.skipped").map((event) => [event.step, event.reason])).toEqual([
            ["after-bad", "DependencyFailed"],
            ["far", "DependencyFailed"],
            ["free", "RunEnding"],
        ]);
        expect(run.finish()).toMatchObject({
            state: "Failed",
            reason: "StepFailed",
            exitCode: 1,
            message: 'step "bad" failed on try 1: StepFailed, exit code 3',
        });
    });

    test("tries again with growing delays, with outputs and metrics emptied", async () => {
        const run = newRun();
        const script =
            'ls "$STACKRUN_OUTPUTS" "$STACKRUN_INPUTS"; wc -c < "$STACKRUN_METRICS"; touch "$STACKRUN_OUTPUTS/left"; echo m=1 > "$STACKRUN_METRICS"; exit $((STACKRUN_TRY < 3))';
        const retries = { limit: 5, delaySeconds: 0.2, factor: 1.5 };
        const { code } = await run.run(plan([step("flaky", script, { retries })]));
        expect(code).toBe(0);
        expect(run.read("steps/flaky/log")).not.toContain("left");
        expect(run.read("steps/flaky/log").match(/^ *0$/gm)).toHaveLength(3);
        expect(
            run
                .all("step.retrying")
                .map((event) => [event.try, event.exitCode, event.delaySeconds, event.reason]),
        ).toEqual([
            [1, 1, 0.2, "StepFailed"],
            [2, 1, 0.3, "StepFailed"],
        ]);
        expect(run.all("step.started").map((event) => event.try)).toEqual([1, 2, 3]);
        const finished = run.only("step.finished");
        expect(finished).toMatchObject({ state: "Succeeded", try: 3 });
        expect(finished.durationSeconds).toBeGreaterThanOrEqual(0.5);
        expect(run.all("metric")).toHaveLength(1);
    });

    test("gives up when the tries are used up", async () => {
        const run = newRun();
        const steps = inOrder(
            step("flaky", "exit 9", { retries: { limit: 2, delaySeconds: 0, factor: 1 } }),
            step("b", "true"),
        );
        const { code } = await run.run(plan(steps));
        expect(code).toBe(1);
        expect(run.only("step.finished")).toMatchObject({
            state: "Failed",
            try: 3,
            exitCode: 9,
            reason: "StepFailed",
        });
    });

    test("does not run again what has succeeded before", async () => {
        const run = newRun();
        const script = 'echo "$STACKRUN_STEP ran"; [ -e "$FLAG" ]';
        const steps = [
            step("a", "echo a ran"),
            step("b", script, { after: ["a"] }),
            step("c", "echo c ran", { after: ["b"] }),
        ];
        const env = { FLAG: `${run.base}/flag` };
        expect((await run.run(plan(steps, { env }))).code).toBe(1);
        const before = run.events().length;
        fs.writeFileSync(env.FLAG, "");
        const { code, stdout } = await run.run(plan(steps, { env, attempt: 2 }));
        expect(code).toBe(0);
        expect(stdout.toString()).toBe("b\tb ran\nc\tc ran\n");
        const second = run.events().slice(before);
        expect(second.map((event) => event.n)).toEqual(second.map((_, index) => before + index + 1));
        expect(second.every((event) => event.attempt === 2)).toBe(true);
        expect(run.story().slice(before)).toEqual([
            "run.started",
            "step.reused a",
            "step.started b",
            "step.finished b",
            "step.started c",
            "step.finished c",
            "run.finished",
        ]);
        expect(run.read("steps/b/log")).toBe("b ran\nb ran\n");
    });

    test("hands outputs on as inputs", async () => {
        const run = newRun();
        const make =
            'mkdir "$STACKRUN_OUTPUTS/dir"; echo one > "$STACKRUN_OUTPUTS/a b\'s.csv"; echo two > "$STACKRUN_OUTPUTS/dir/x"';
        const inputs = {
            "-raw $x": { step: "load", output: "a b's.csv" },
            all: { step: "load", output: "dir" },
        };
        const steps = inOrder(
            step("load", make, { outputs: ["a b's.csv", "dir/x"] }),
            step("use", 'cat "$STACKRUN_INPUTS/-raw \\$x" "$STACKRUN_INPUTS/all/x"', { inputs }),
        );
        const { code, stdout } = await run.run(plan(steps));
        expect({ code, stdout: stdout.toString() }).toEqual({ code: 0, stdout: "use\tone\nuse\ttwo\n" });
        expect(fs.readlinkSync(run.path("steps/use/inputs/all"))).toBe("../../load/outputs/dir");
    });

    test("a missing output fails the try, a missing input the step without a further try", async () => {
        const run = newRun();
        const retries = { limit: 1, delaySeconds: 0, factor: 1 };
        const steps = [
            step("lazy", "true", { outputs: ["a.csv", "b c"], retries }),
            step("hungry", "echo never", { inputs: { raw: { step: "other", output: "a.csv" } }, retries }),
        ];
        const { code } = await run.run(plan(steps, { parallelism: 2 }));
        expect(code).toBe(1);
        expect(run.only("step.finished", "lazy")).toMatchObject({
            state: "Failed",
            try: 2,
            exitCode: 0,
            reason: "OutputMissing",
        });
        expect(run.read("steps/lazy/log").match(/"a\.csv" is missing|"b c" is missing/g)).toHaveLength(4);
        expect(run.only("step.finished", "hungry")).toMatchObject({
            state: "Failed",
            try: 1,
            reason: "InputMissing",
        });
        expect(run.read("steps/hungry/log")).toBe(
            'stackrun: input "raw" is missing: step "other" left no output "a.csv"\n',
        );
    });

    test("reports metrics and names the lines that are none", async () => {
        const run = newRun();
        const lines = [
            "acc=0.93",
            "loss.val-1=-1e-3",
            "",
            "n=10",
            "bad",
            "x=.5",
            "1x=2",
            "big=1e999",
            "y=1,5",
            "last=7",
        ];
        const script = `printf '%s\\n' ${lines.map((line) => `'${line}'`).join(" ")} > "$STACKRUN_METRICS"; printf 'end=0' >> "$STACKRUN_METRICS"`;
        expect((await run.run(plan([step("train", script)]))).code).toBe(0);
        expect(run.all("metric").map((event) => [event.step, event.name, event.value])).toEqual([
            ["train", "acc", 0.93],
            ["train", "loss.val-1", -0.001],
            ["train", "n", 10],
            ["train", "last", 7],
            ["train", "end", 0],
        ]);
        const told = run.read("steps/train/log").split("\n");
        expect(told.filter((line) => line.startsWith("stackrun: line "))).toHaveLength(5);
        expect(told[0]).toBe(
            "stackrun: line 5 of $STACKRUN_METRICS is left out, because it is not NAME=NUMBER: bad",
        );
        expect(run.exists("steps/train/metrics.valid")).toBe(false);
        expect(run.story().slice(-2)).toEqual(["step.finished train", "run.finished"]);
    });

    test("a command that does not exist fails the step and says so", async () => {
        const run = newRun();
        fs.writeFileSync(run.path("code/not-executable"), "");
        const steps = [
            step("a", "", { argv: ["no-such-command", "x"] }),
            step("b", "", { argv: ["./not-executable"] }),
        ];
        await run.run(plan(steps, { parallelism: 2 }));
        expect(run.only("step.finished", "a")).toMatchObject({ state: "Failed", exitCode: 127 });
        expect(run.read("steps/a/log")).toBe("stackrun: no-such-command: no such command\n");
        expect(run.only("step.finished", "b")).toMatchObject({ state: "Failed", exitCode: 126 });
        expect(run.read("steps/b/log")).toBe("stackrun: ./not-executable can't be executed\n");
    });

    test("a plan whose steps wait for each other ends", async () => {
        const run = newRun();
        const { code } = await run.run(
            plan([step("a", "true", { after: ["b"] }), step("b", "true", { after: ["a"] })]),
        );
        expect(code).toBe(64);
        expect(run.finish()).toMatchObject({ state: "Failed", reason: "PlanUnusable" });
    });

    test("many steps run, one after the other", async () => {
        const run = newRun();
        const steps = inOrder(
            ...Array.from({ length: 60 }, (_, index) => step(`s${index}`, "", { argv: ["true"] })),
        );
        const { code } = await run.run(plan(steps));
        expect(code).toBe(0);
        expect(run.all("step.finished")).toHaveLength(60);
    });
});
