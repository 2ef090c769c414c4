import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { shipScript } from "../../../src/runner/ship";
import { useFolder } from "../../support/folder";
import { describeShells, describeWithTool, toolPath, type Shell } from "../../support/shells";
import { kill, readProc, until } from "./harness";

describeWithTool("shellcheck", "ship.sh", () => {
    test("has nothing that shellcheck would change, and is small", () => {
        const { stdout, status } = spawnSync("shellcheck", ["-"], { input: shipScript(), encoding: "utf8" });
        expect({ stdout, status }).toEqual({ stdout: "", status: 0 });
        expect(shipScript().length).toBeLessThan(10_000);
    });
});

describeWithTool("rclone", "with rclone", () => describeShells("ship.sh", shipTests));

function shipTests(shell: Shell): void {
    // First: the folder is removed after its processes are gone.
    afterEach(() => killAll());
    const folder = useFolder();
    const inside = (...parts: string[]) => path.join(folder(), ...parts);
    const children: ChildProcess[] = [];
    const [command, ...first] = shell.argv;
    const argv = (args: string[]) => [...first, inside("ship.sh"), ...args];
    const environment = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
        PATH: process.env.PATH,
        STACKRUN_SHIP_TRIES: "2",
        STACKRUN_TERMINATION_LOG: inside("termination-log"),
        ...more,
    });
    const store = () => inside("a store");
    const remote = () => inside("a store", "runs/run 1");
    const runDir = () => inside("a run's $dir");
    const stored = (...parts: string[]) => path.join(remote(), ...parts);
    const inRun = (...parts: string[]) => path.join(runDir(), ...parts);

    beforeEach(() => {
        fs.writeFileSync(inside("ship.sh"), shipScript());
        fs.mkdirSync(store());
    });

    const processes = () =>
        fs
            .readdirSync("/proc")
            .filter((name) => /^\d+$/.test(name) && readProc(Number(name), "cmdline").includes(folder()))
            .map(Number);

    async function killAll() {
        children.splice(0).forEach((child) => child.kill("SIGKILL"));
        await until(() => {
            processes().forEach((pid) => kill(pid, "SIGKILL"));
            return processes().length === 0;
        });
    }

    function ship(args: string[], more: NodeJS.ProcessEnv = {}) {
        const { status, stderr } = spawnSync(toolPath(command), argv(args), {
            env: environment(more),
            encoding: "utf8",
        });
        return { code: status, stderr };
    }

    function watch(more: NodeJS.ProcessEnv = {}, to = remote()) {
        const child = spawn(toolPath(command), argv(["watch", to, runDir()]), {
            env: environment(more),
            stdio: ["ignore", "ignore", "pipe"],
        });
        children.push(child);
        let stderr = "";
        child.stderr?.on("data", (data: Buffer) => (stderr += data.toString()));
        const ended = new Promise<{ code: number | null; stderr: string }>((resolve) =>
            child.on("close", (code) => resolve({ code, stderr })),
        );
        return { child, ended };
    }

    /** A PATH on which a tool is another one. */
    function withTool(name: string, script: string): string {
        fs.mkdirSync(inside("tools"), { recursive: true });
        fs.writeFileSync(inside("tools", name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
        return `${inside("tools")}:${process.env.PATH}`;
    }

    /** As the runner leaves one. */
    function finishStep(name: string, outputs: Record<string, string> = {}, status = "succeeded 0 ") {
        fs.mkdirSync(inRun("steps", name, "outputs"), { recursive: true });
        fs.mkdirSync(inRun("steps", name, "inputs"), { recursive: true });
        fs.symlinkSync("../../nowhere", inRun("steps", name, "inputs/from"));
        fs.writeFileSync(inRun("steps", name, "log"), `log of ${name}\n`);
        fs.writeFileSync(inRun("steps", name, "metrics"), "");
        for (const [file, text] of Object.entries(outputs)) {
            fs.mkdirSync(path.dirname(inRun("steps", name, "outputs", file)), { recursive: true });
            fs.writeFileSync(inRun("steps", name, "outputs", file), text);
        }
        fs.writeFileSync(inRun("steps", name, "status"), `${status}\n`);
    }

    /** Another machine: nothing is left of the run's folder. */
    async function loseRun() {
        await killAll();
        execFileSync("chmod", ["-R", "u+rwX", runDir()]);
        fs.rmSync(runDir(), { recursive: true });
    }

    async function shipped(...names: string[]) {
        await until(
            () => names.every((name) => fs.existsSync(inRun("steps", name, "shipped"))),
            `${names.join(", ")} in the store`,
        );
    }

    function bundle(hash: string, files: Record<string, string>) {
        fs.mkdirSync(inside("tree"), { recursive: true });
        for (const [name, text] of Object.entries(files)) {
            fs.writeFileSync(inside("tree", name), text);
        }
        fs.mkdirSync(path.join(store(), "bundles"), { recursive: true });
        execFileSync("tar", [
            "-C",
            inside("tree"),
            "-czf",
            path.join(store(), "bundles", `${hash}.tar.gz`),
            ".",
        ]);
    }

    describe("code", () => {
        test("is fetched and unpacked, once for each hash", () => {
            bundle("h1", { "it's here": "1" });
            expect(ship(["code", store(), "h1", inRun("code")])).toEqual({ code: 0, stderr: "" });
            expect(fs.readFileSync(inRun("code", "it's here"), "utf8")).toBe("1");
            fs.writeFileSync(inRun("code", "made by a step"), "");
            ship(["code", store(), "h1", inRun("code")]);
            expect(fs.existsSync(inRun("code", "made by a step"))).toBe(true);
            bundle("h2", { "it's here": "2" });
            ship(["code", store(), "h2", inRun("code")]);
            expect(fs.readdirSync(inRun("code"))).toEqual(["it's here"]);
            expect(fs.readFileSync(inRun("code", "it's here"), "utf8")).toBe("2");
            expect(fs.readdirSync(runDir()).sort()).toEqual(["code", "code.hash"]);
        });

        test("that is not in the store ends it with 70 and what rclone said", () => {
            const { code, stderr } = ship(["code", store(), "h1", inRun("code")]);
            expect(stderr).toMatch(
                /^stackrun: the code bundles\/h1\.tar\.gz can't be fetched .*: .*not found/m,
            );
            expect(code).toBe(70);
            expect(fs.readFileSync(inside("termination-log"), "utf8")).toMatch(/not found/);
        });

        test("that is damaged is not taken for code", () => {
            bundle("h1", { file: "x".repeat(100_000) });
            fs.truncateSync(path.join(store(), "bundles/h1.tar.gz"), 100);
            const { code, stderr } = ship(["code", store(), "h1", inRun("code")]);
            expect(stderr).toMatch(/can't be unpacked/);
            expect(code).toBe(65);
            expect(fs.existsSync(inRun("code.hash"))).toBe(false);
        });

        test("of others is theirs to write where that is said", () => {
            bundle("h1", { file: "1" });
            ship(["code", store(), "h1", inRun("code")], { STACKRUN_SHIP_SHARED: "1" });
            const modes = [runDir(), inRun("code"), inRun("code/file")].map(modeOf);
            expect(modes).toEqual(["777", "777", "666"]);
        });
    });

    test("a finished step comes back on another machine: names, modes, links, empty folders", async () => {
        const odd = ['it\'s "$x"', "line\nend", "x\n644/outputs", " lead", "ünï\\code", "*?[a]", "end\n"];
        finishStep("a", Object.fromEntries(odd.map((name) => [`tree/${name}`, name])));
        const outputs = inRun("steps/a/outputs");
        fs.mkdirSync(path.join(outputs, "empty/inner\n"), { recursive: true });
        fs.symlinkSync("tree", path.join(outputs, "a link"));
        fs.symlinkSync("nowhere\nelse", path.join(outputs, "dangling"));
        fs.chmodSync(path.join(outputs, "tree", odd[0]), 0o4751);
        fs.chmodSync(path.join(outputs, "tree", odd[1]), 0o440);
        fs.chmodSync(path.join(outputs, "empty"), 0o1770);
        fs.chmodSync(path.join(outputs, "tree"), 0o555);
        const before = listing(outputs);
        expect(before).toHaveLength(13);
        watch();
        await shipped("a");
        expect(fs.readFileSync(stored("steps/a/status"), "utf8")).toBe("succeeded 0 \n");
        expect(fs.existsSync(stored("steps/a/inputs"))).toBe(false);
        await loseRun();
        expect(ship(["restore", remote(), runDir()])).toEqual({ code: 0, stderr: "" });
        expect(listing(outputs)).toEqual(before);
        expect(fs.readFileSync(inRun("steps/a/log"), "utf8")).toBe("log of a\n");
        expect(fs.readFileSync(inRun("steps/a/status"), "utf8")).toBe("succeeded 0 \n");
        expect(fs.readdirSync(inRun("steps/a")).sort()).toEqual(
            ["inputs", "log", "metrics", "modes", "outputs", "shipped", "status"].sort(),
        );
        expect(fs.readdirSync(runDir()).sort()).toEqual([".stored", "steps"]);
    });

    test("only what has ended well is stored, as it ends, some at a time; TERM: what is left, then the end", async () => {
        finishStep("failed", {}, "failed 1 StepFailed");
        finishStep("cancelled", {}, "cancelled 0 Cancelled");
        const { child, ended } = watch();
        finishStep("a", { x: "1" });
        await shipped("a");
        const more = Array.from({ length: 7 }, (_, index) => `s${index}`);
        more.forEach((name) => finishStep(name, { x: name }));
        child.kill("SIGTERM");
        expect(await ended).toEqual({ code: 0, stderr: "" });
        expect(fs.readdirSync(stored("steps")).sort()).toEqual(["a", ...more]);
        expect(more.map((name) => fs.readFileSync(stored("steps", name, "outputs/x"), "utf8"))).toEqual(more);
        expect(more.every((name) => fs.existsSync(stored("steps", name, "status")))).toBe(true);
    });

    test("gives a sign of life while it has nothing to do", async () => {
        watch();
        const beat = () =>
            fs.existsSync(inRun("ship.beat")) ? fs.readFileSync(inRun("ship.beat"), "utf8").trim() : "";
        await until(() => Number(beat()) > 0);
        const first = Number(beat());
        await until(() => Number(beat()) > first);
        expect(fs.existsSync(remote())).toBe(false);
    });

    test("half a step is not brought back; what is left of it is no part of its next run", async () => {
        fs.mkdirSync(stored("steps/a/outputs"), { recursive: true });
        fs.writeFileSync(stored("steps/a/outputs/x"), "half");
        fs.writeFileSync(stored("steps/a/outputs/old"), "half");
        fs.mkdirSync(stored("steps/torn"), { recursive: true });
        fs.writeFileSync(stored("steps/torn/status"), "succ");
        fs.writeFileSync(stored("steps/torn/modes"), "");
        expect(ship(["restore", remote(), runDir()])).toEqual({ code: 0, stderr: "" });
        expect(fs.readdirSync(inRun("steps"))).toEqual([]);
        finishStep("a", { x: "full" });
        watch();
        await shipped("a");
        expect(fs.readdirSync(stored("steps/a/outputs"))).toEqual(["x"]);
        expect(fs.readFileSync(stored("steps/a/outputs/x"), "utf8")).toBe("full");
    });

    test.each([
        ["an output", "outputs/data/x"],
        ["a link", "outputs/link"],
        ["the modes", "modes"],
        ["the log", "log"],
        ["the metrics", "metrics"],
    ])("a step of which %s is gone is not brought back, and is no error: it runs again", async (_, part) => {
        for (const name of ["a", "b"]) {
            finishStep(name, { "data/x": "1", y: "2" });
            fs.symlinkSync("y", inRun("steps", name, "outputs/link"));
        }
        watch();
        await shipped("a", "b");
        await loseRun();
        fs.rmSync(stored("steps/a", part));
        expect(ship(["restore", remote(), runDir()])).toEqual({ code: 0, stderr: "" });
        expect(fs.readdirSync(inRun("steps"))).toEqual(["b"]);
        expect(fs.readdirSync(runDir()).sort()).toEqual([".stored", "steps"]);
    });

    test("a step that is whole, but can't be put where it belongs, is an error", async () => {
        finishStep("a", { x: "1" });
        watch();
        await shipped("a");
        await loseRun();
        const { code, stderr } = ship(["restore", remote(), runDir()], {
            PATH: withTool(
                "rclone",
                `[ "$3" != copy ] || { rmdir steps; : > steps; }\nexec ${toolPath("rclone")} "$@"`,
            ),
        });
        expect(stderr).toMatch(/can't be written by user/);
        expect(code).toBe(65);
    });

    test("a step that is stored again does not count before all of it is there", async () => {
        const names = ["a", "begun", "gone"];
        names.forEach((name) => finishStep(name, { x: "old" }));
        watch();
        await shipped(...names);
        await loseRun();
        names.forEach((name) => fs.rmSync(stored("steps", name, "modes")));
        expect(ship(["restore", remote(), runDir()]).code).toBe(0);
        // By somebody else, or by itself, before it was killed.
        fs.rmSync(stored("steps/begun/status"));
        fs.rmSync(stored("steps/gone"), { recursive: true });
        names.forEach((name) => finishStep(name, { x: "new" }));
        // What a machine that is gone in this moment would leave.
        const sees = inside("seen");
        const tool = `case "$*" in *sync*steps/a) ls "${stored("steps/a")}" > "${sees}" ;; esac\nexec ${toolPath("rclone")} "$@"`;
        watch({ PATH: withTool("rclone", tool) });
        await shipped(...names);
        expect(fs.readFileSync(sees, "utf8").split("\n")).not.toContain("status");
        expect(fs.readFileSync(stored("steps/a/outputs/x"), "utf8")).toBe("new");
        expect(fs.readFileSync(stored("steps/a/status"), "utf8")).toBe("succeeded 0 \n");
    });

    test("rclone that ends without a word is told by its exit code", async () => {
        finishStep("a", { x: "1" });
        watch({ PATH: withTool("rclone", "exit 137") });
        await until(() => fs.existsSync(inRun("steps/a/unshipped")));
        expect(fs.readFileSync(inRun("steps/a/unshipped"), "utf8")).toBe(
            "rclone has ended with exit code 137\n",
        );
    });

    test("what is in the folder already is left as it is, and what has not ended well there is replaced", async () => {
        finishStep("a", { x: "stored" });
        finishStep("b", { x: "stored" });
        watch();
        await shipped("a", "b");
        fs.writeFileSync(inRun("steps/a/outputs/x"), "here");
        fs.writeFileSync(inRun("steps/b/status"), "failed 1 StepFailed\n");
        fs.writeFileSync(inRun("steps/b/outputs/y"), "half");
        fs.writeFileSync(inRun("steps/b/unshipped"), "");
        expect(ship(["restore", remote(), runDir()]).code).toBe(0);
        expect(fs.readFileSync(inRun("steps/a/outputs/x"), "utf8")).toBe("here");
        expect(fs.readdirSync(inRun("steps/b/outputs"))).toEqual(["x"]);
        expect(fs.readFileSync(inRun("steps/b/status"), "utf8")).toBe("succeeded 0 \n");
        expect(fs.existsSync(inRun("steps/b/unshipped"))).toBe(false);
    });

    test("killed at any moment, it goes on where it was, and never tells of a step before all of it is there", async () => {
        const files = Array.from({ length: 40 }, (_, index) => [`f${index}`, "x".repeat(20_000 + index)]);
        const names = ["a", "b", "c", "d", "e"];
        names.forEach((name) => finishStep(name, Object.fromEntries(files) as Record<string, string>));
        const whole = (name: string) =>
            files.every(([file, text]) => {
                const at = stored("steps", name, "outputs", file);
                return fs.existsSync(at) && fs.readFileSync(at, "utf8") === text;
            });
        const done = () => names.filter((name) => fs.existsSync(inRun("steps", name, "shipped")));
        let kills = 0;
        for (; done().length < names.length && kills < 60; kills++) {
            const { ended } = watch();
            await new Promise((resolve) => setTimeout(resolve, 40 + kills * 40));
            processes().forEach((pid) => kill(pid, "SIGKILL"));
            await ended;
            await until(() => processes().length === 0);
            const statuses = names.filter((name) => fs.existsSync(stored("steps", name, "status")));
            expect(statuses.filter((name) => !whole(name))).toEqual([]);
            expect(done().filter((name) => !statuses.includes(name))).toEqual([]);
        }
        expect(done()).toEqual(names);
        expect(kills).toBeGreaterThan(1);
    });

    describe("a store that is out of reach", () => {
        const nowhere = {
            RCLONE_CONFIG_STACKRUN_TYPE: "google cloud storage",
            RCLONE_CONFIG_STACKRUN_ANONYMOUS: "true",
            RCLONE_CONFIG_STACKRUN_ENDPOINT: "http://127.0.0.1:1/storage/v1/",
            RCLONE_CONFIG_STACKRUN_NO_CHECK_BUCKET: "true",
        };

        test("is told of for each step that could not be stored, after some tries; the others still are", async () => {
            finishStep("a", { x: "1" });
            const { child, ended } = watch(nowhere, "stackrun:bucket/run");
            await until(() => fs.existsSync(inRun("steps/a/unshipped")));
            expect(fs.readFileSync(inRun("steps/a/unshipped"), "utf8")).toMatch(/connection refused/);
            child.kill("SIGTERM");
            const { code, stderr } = await ended;
            expect(stderr).toMatch(/^stackrun: step "a" is not in the artifact store: .*connection refused/);
            expect(code).toBe(0);
        });

        test("is known before anything runs", () => {
            const { code, stderr } = ship(["restore", "stackrun:bucket/run", runDir()], nowhere);
            expect(stderr).toMatch(/^stackrun: the artifact store can't be written: .*connection refused/m);
            expect(code).toBe(69);
        });
    });

    test("tries again what went wrong once", async () => {
        fs.rmSync(store(), { recursive: true });
        fs.writeFileSync(store(), "no folder yet");
        finishStep("a", { x: "1" });
        watch({ STACKRUN_SHIP_TRIES: "6" });
        await new Promise((resolve) => setTimeout(resolve, 1500));
        fs.rmSync(store());
        await shipped("a");
        expect(fs.readFileSync(stored("steps/a/outputs/x"), "utf8")).toBe("1");
    });

    test("an output that rclone would take for a link is refused, not changed", async () => {
        finishStep("a", { "x.rclonelink": "1" });
        watch();
        await until(() => fs.existsSync(inRun("steps/a/unshipped")));
        expect(fs.readFileSync(inRun("steps/a/unshipped"), "utf8")).toBe(
            "outputs/x.rclonelink has a name that rclone keeps for links\n",
        );
    });

    test("says which tool is missing", () => {
        fs.mkdirSync(inside("tools"));
        const { code, stderr } = ship(["restore", remote(), runDir()], { PATH: inside("tools") });
        expect(stderr).toMatch(/lacks the tool rclone, which the artifact store needs/);
        expect(code).toBe(64);
    });
}

function modeOf(file: string): string {
    return (fs.lstatSync(file).mode & 0o7777).toString(8);
}

/** Every path below a folder, with its mode and its content. */
function listing(root: string, below = ""): string[] {
    return fs
        .readdirSync(path.join(root, below))
        .sort()
        .flatMap((name) => {
            const file = path.join(root, below, name);
            const at = JSON.stringify(path.join(below, name));
            const stat = fs.lstatSync(file);
            if (stat.isSymbolicLink()) {
                return [`${at} -> ${JSON.stringify(fs.readlinkSync(file))}`];
            }
            return stat.isDirectory()
                ? [`${at} ${modeOf(file)}`, ...listing(root, path.join(below, name))]
                : [`${at} ${modeOf(file)} ${JSON.stringify(fs.readFileSync(file, "utf8"))}`];
        });
}
