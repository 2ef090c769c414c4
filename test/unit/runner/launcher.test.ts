import { execFileSync, spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { launcherScript } from "../../../src/runner/launcher";
import { planScript } from "../../../src/runner/planDir";
import type { PlanStep } from "../../../src/runner/plan";
import { runnerScript } from "../../../src/runner/script";
import { collectArtifacts } from "../../../src/run/record";
import { RunnerStream } from "../../../src/run/stream";
import { useFolder } from "../../support/folder";
import { describeShells, toolPath } from "../../support/shells";
import { kill, NONCE, plan, step, until } from "./harness";

describeShells("launcher", (shell) => {
    const folder = useFolder();
    const inside = (...parts: string[]) => path.join(folder(), ...parts);

    /** What a target puts in a container: the runner, the plan, the code in pieces, the secrets. */
    const prepare = (steps: PlanStep[], files: Record<string, string> = {}, secrets = "") => {
        fs.mkdirSync(inside("boot"), { recursive: true });
        fs.mkdirSync(inside("pieces"), { recursive: true });
        fs.mkdirSync(inside("tree"), { recursive: true });
        fs.writeFileSync(inside("boot", "runner.sh"), runnerScript());
        const text = planScript(plan(steps, { stream: "stdout", secrets: secrets ? ["TOKEN"] : [] }));
        fs.writeFileSync(inside("boot", "plan.sh"), text);
        fs.writeFileSync(inside("launcher.sh"), launcherScript());
        for (const [name, content] of Object.entries(files)) {
            fs.writeFileSync(inside("tree", name), content);
        }
        const archive = execFileSync("tar", ["-C", inside("tree"), "-czf", "-", "."]);
        for (let at = 0; at < archive.length; at += 100) {
            const name = `code.${String(at / 100).padStart(3, "0")}`;
            fs.writeFileSync(inside("pieces", name), archive.subarray(at, at + 100));
        }
        if (secrets) {
            fs.writeFileSync(inside("secrets"), secrets);
        }
    };
    const environment = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
        PATH: process.env.PATH,
        STACKRUN_BOOT: inside("boot"),
        STACKRUN_CODE: inside("pieces"),
        STACKRUN_CODE_HASH: "hash-1",
        STACKRUN_TERMINATION_LOG: inside("termination-log"),
        ...more,
    });
    const [command, ...first] = shell.argv;
    const launch = (more: NodeJS.ProcessEnv = {}, runDir = inside("a run")) => {
        const args = [...first, inside("launcher.sh"), runDir];
        const { status, stdout, stderr } = spawnSync(toolPath(command), args, { env: environment(more) });
        const stream = new RunnerStream({ nonce: NONCE, attempt: 1 });
        const items = [...stream.push(stdout), ...stream.end()];
        return {
            code: status,
            stderr: stderr.toString(),
            events: items.flatMap((item) => (item.type === "event" ? [item.event] : [])),
            lines: items.flatMap((item) =>
                item.type === "log" ? item.lines.map((line) => `${line.step}: ${line.text}`) : [],
            ),
        };
    };

    test("unpacks the code, writes the plan, reads the secrets once, and becomes the runner", () => {
        const script = 'cat "it\'s here.txt"; echo "$TOKEN"; env | grep -c ^STACKRUN_BOOT';
        prepare([step("a", `${script} || :`)], { "it's here.txt": "hello\n" }, "export TOKEN='s3cret'\n");
        const { code, lines, events } = launch({ STACKRUN_SECRETS: inside("secrets") });
        expect(lines).toEqual(["a: hello", "a: ***", "a: 0"]);
        expect(code).toBe(0);
        expect(events[0]).toMatchObject({ type: "run.started", fresh: true });
        expect(fs.existsSync(inside("secrets"))).toBe(false);
    });

    test("tells the outputs of steps as the record would: names, sizes, hashes of files and folders", async () => {
        const script = [
            'cd "$STACKRUN_OUTPUTS"; printf "a\\0b" > plain; : > "no thing"',
            "mkdir -p tree/inner tree/empty; printf 1 > tree/b; printf 22 > 'tree/inner/with space'",
            "printf 333 > tree/.hidden; printf 4 > tree/B; printf 5 > 'tree/back\\slash'",
        ].join("\n");
        const outputs = ["plain", "no thing", "tree", 'quo"te'];
        prepare([step("a", `${script}; : > 'quo"te'`, { outputs })]);
        const { code, events } = launch();
        expect(code).toBe(0);
        const told = events.flatMap((event) =>
            event.type === "artifact" ? [[`a/${event.name}`, event.size, event.sha256]] : [],
        );
        const pipeline = { name: "p", params: {}, env: {}, secrets: [], parallelism: 1 };
        const known = await collectArtifacts(inside("a run"), {
            ...pipeline,
            steps: [{ name: "a", outputs }],
        } as unknown as Parameters<typeof collectArtifacts>[1]);
        expect(told).toEqual(Object.entries(known).map(([name, { size, sha256 }]) => [name, size, sha256]));
        expect(told).toHaveLength(4);
        expect(events.at(-2)).toMatchObject({ type: "step.finished" });
    });

    test("tells no outputs of a step that did not succeed", () => {
        prepare([step("a", ': > "$STACKRUN_OUTPUTS/x"', { outputs: ["x", "y"] })]);
        const { code, events } = launch();
        expect(code).toBe(1);
        expect(events.map((event) => event.type)).not.toContain("artifact");
    });

    test("goes on in a folder that is kept: the code is unpacked once, finished steps are not run again", () => {
        const steps = (second: string) => [step("a", "echo a >> ran"), step("b", second, { after: ["a"] })];
        prepare(steps("exit 3"), { file: "1" });
        expect(launch().code).toBe(1);
        prepare(steps("cat ran"), { file: "2" });
        const { code, lines, events } = launch();
        expect(code).toBe(0);
        expect(lines).toEqual(["b: a"]);
        expect(events[0]).not.toHaveProperty("fresh");
        expect(fs.readFileSync(inside("a run", "code", "file"), "utf8")).toBe("1");
        launch({ STACKRUN_CODE_HASH: "hash-2" });
        expect(fs.readFileSync(inside("a run", "code", "file"), "utf8")).toBe("2");
    });

    test("uses code that is in the image already", () => {
        prepare([step("a", "pwd")]);
        const { code, lines } = launch({ STACKRUN_CODE: undefined });
        expect(code).toBe(0);
        expect(lines).toEqual([`a: ${inside("a run", "code")}`]);
    });

    test("says what is missing in the image, on its error output and for the platform", () => {
        prepare([step("a", "true")]);
        const tools = inside("tools");
        fs.mkdirSync(tools);
        for (const tool of ["mkdir", "cat", "id", "gzip"]) {
            fs.symlinkSync(toolPath(tool), path.join(tools, tool));
        }
        const { code, stderr } = launch({ PATH: tools });
        // busybox brings all tools along: `/bin/sh` is enough.
        const complete = shell.name === "busybox sh";
        const missing = /^stackrun: the image lacks the tool tar, which unpacks the code/;
        const noted = fs.existsSync(inside("termination-log"));
        expect([code, missing.test(stderr), noted]).toEqual(complete ? [0, false, false] : [64, true, true]);
    });

    test.each([
        ["the code is damaged", () => fs.truncateSync(inside("pieces", "code.000"), 50), /can't be unpacked/],
        [
            "its folder can't be made",
            () => fs.writeFileSync(inside("a run"), ""),
            /the folder of the run, .* can't be made by user \d+/,
        ],
    ])("ends with 65 where %s", (_, spoil, message) => {
        prepare([step("a", "true")], { file: "x".repeat(500) });
        spoil();
        const { code, stderr } = launch();
        expect(stderr).toMatch(message);
        expect(code).toBe(65);
    });

    test("runs nothing without the secrets that it was promised", () => {
        prepare([step("a", "true")]);
        const { code, stderr, events } = launch({ STACKRUN_SECRETS: inside("secrets") });
        expect(stderr).toMatch(/the secrets are not in .*: they are read once/);
        expect(code).toBe(64);
        expect(events).toEqual([]);
    });

    test("obeys a signal before the runner is there", async () => {
        prepare([step("a", "true")]);
        execFileSync("mkfifo", [inside("pieces", "code.999")]);
        const args = [...first, inside("launcher.sh"), inside("a run")];
        const child = spawn(toolPath(command), args, { env: environment(), detached: true });
        let code: number | null | undefined;
        child.on("close", (status) => (code = status));
        await until(() => fs.existsSync(inside("a run", "code.new")));
        // Again and again: the first may come before `cat` is there, which then waits for ever.
        await until(() => {
            if (code === undefined) {
                kill(-(child.pid as number), "SIGTERM");
            }
            return code !== undefined;
        });
        expect(code).toBe(68);
    });
});
