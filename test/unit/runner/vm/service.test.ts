import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { RunnerStream } from "../../../../src/run/stream";
import { useFolder } from "../../../support/folder";
import { describeShells, describeWithTool, type Shell } from "../../../support/shells";
import { inOrder, NONCE, step, until } from "../harness";
import { FakeMachine } from "./fakeMachine";

describeWithTool("rclone", "with rclone", () => describeShells("a machine", machineTests));

function machineTests(shell: Shell): void {
    let machine: FakeMachine;
    // First: the folder is removed after its processes are gone.
    afterEach(() => machine.cutPower());
    const folder = useFolder();
    beforeEach(() => (machine = new FakeMachine(folder(), shell)));

    const end = () => facts(machine.object("end"));
    const lines = () => {
        const stream = new RunnerStream({ nonce: NONCE, attempt: 1 });
        return [...stream.push(Buffer.from(machine.stream())), ...stream.end()].flatMap((item) =>
            item.type === "log" ? item.lines.map((line) => `${line.step}: ${line.text}`) : [],
        );
    };
    const runsOf = (name: string) =>
        machine
            .read("fake/runs")
            .split("\n")
            .filter(Boolean)
            .map((line) => JSON.parse(line) as { name: string; given: string[]; args: string[] })
            .filter((run) => run.name === `stackrun-${name}`);
    const isOff = () => fs.existsSync(machine.at("fake/off"));

    test("boots, runs, tells the end, and goes off; nothing of it is left to be shipped", async () => {
        machine.fill([step("a", "echo hello")]);
        await machine.run({ shmSize: "2g" });
        expect(end()).toEqual({ exitCode: "0", reason: "", message: "" });
        expect(lines()).toEqual(["a: hello"]);
        expect(machine.objects("machines")).toEqual(["000001"]);
        expect(isOff()).toBe(true);
        expect(machine.console).not.toContain(`stackrun ${NONCE}`);
        expect(facts(machine.object("beat"))).toMatchObject({
            generation: "000001",
            count: expect.stringMatching(/^\d+$/),
            phase: "ending",
            image: "registry.example/image@sha256:abc",
        });
        expect(fs.readdirSync(machine.at("fake/volume")).sort()).toEqual([
            "boot",
            "clean",
            "image",
            "out",
            "work",
        ]);
        const [run] = runsOf("run");
        expect(run.given).toEqual(
            expect.arrayContaining([
                `--user ${process.getuid?.()}`,
                "--shm-size 2g",
                "--network host",
                "-e HOME=/tmp",
            ]),
        );
        // Told to end before Docker and the network are.
        expect(machine.read("fake/systemd-run").split("\n")).toEqual(
            expect.arrayContaining([
                "--unit=stackrun",
                expect.stringMatching(/^--property=After=docker\.service .*network-online\.target/),
                "--property=KillMode=process",
                "--property=TimeoutStopSec=150",
                "--property=StandardOutput=journal+console",
            ]),
        );
    });

    test("tells beforehand where it finds an end, or a cancel, and runs nothing", async () => {
        machine.fill([step("a", "echo hello")]);
        machine.write("store/runs/r1/attempts/1/cancel", "reason=Cancelled\n");
        await machine.run();
        expect(end()).toMatchObject({ exitCode: "67", reason: "Cancelled" });
        expect(isOff()).toBe(true);
        await machine.switchOff();
        await machine.run();
        expect(isOff()).toBe(true);
        expect(machine.objects("machines")).toEqual([]);
        expect(runsOf("run")).toEqual([]);
    });

    // What differs between shells is seen in the other tests.
    if (shell.name === "dash") {
        describe("what goes wrong has a reason", () => {
            failureTests();
        });
    }

    function failureTests() {
        test.each([
            ["Error response from daemon: manifest unknown", 1],
            ["Error response from daemon: denied", 2],
        ])("the image can't be pulled: %s", async (message, times) => {
            machine.fill([step("a", "echo hello")]);
            machine.write("fake/pull-fails", `9 ${message}`);
            await machine.run();
            expect(end()).toEqual({
                exitCode: "64",
                reason: "ImagePullFailed",
                message: `the image registry.example/image:1 can't be pulled: ${message}`,
            });
            expect(machine.console).toContain(
                `stackrun ${NONCE} ImagePullFailed: the image registry.example/image:1 `,
            );
            const pulls = machine.read("fake/pulls").split("\n");
            expect(pulls.filter((name) => name === "registry.example/image:1")).toHaveLength(times);
            expect(isOff()).toBe(true);
        });

        test("a right that is known late is no failure", async () => {
            machine.fill([step("a", "echo hello")]);
            machine.write("fake/pull-fails", "1 denied");
            await machine.run();
            expect(end()).toMatchObject({ exitCode: "0" });
        });

        test("the code is not in the store", async () => {
            machine.fill([step("a", "echo hello")]);
            await machine.run({ codeHash: "h1" });
            expect(end()).toMatchObject({ exitCode: "70", reason: "BundleFetchFailed" });
            expect(end().message).toMatch(/^the code bundles\/h1\.tar\.gz can't be fetched/);
        });

        test("there is no Docker: on the console only", () => {
            machine.fill([step("a", "echo hello")]);
            machine.write("fake/no-docker", "");
            machine.write("bin/sleep", "#!/bin/sh\n");
            fs.chmodSync(machine.at("bin/sleep"), 0o755);
            const said = machine.boot();
            expect(said).toContain(`stackrun ${NONCE} MachineUnusable: there is no Docker`);
            expect(isOff()).toBe(true);
        });

        test("the boot files are not in the store: on the console only", () => {
            const said = machine.boot();
            expect(said).toMatch(
                new RegExp(`^stackrun ${NONCE} ArtifactStoreFailed: the boot files can't be fetched .*`, "m"),
            );
            expect(isOff()).toBe(true);
        });

        test("a secret is denied: named, and nothing runs", async () => {
            machine.fill([step("a", "echo hello")], ["TOKEN"]);
            machine.write("fake/denied", "");
            await machine.run({ secrets: { TOKEN: "projects/p/secrets/s/versions/1" } });
            expect(end()).toEqual({
                exitCode: "64",
                reason: "SecretAccessFailed",
                message: "the secret projects/p/secrets/s/versions/1 can't be read: Permission denied on it",
            });
            expect(runsOf("run")).toEqual([]);
        });

        test("the GPU's driver is not there", async () => {
            machine.fill([step("a", "echo hello")]);
            await machine.run({ gpus: "all" });
            expect(end()).toMatchObject({ exitCode: "64", reason: "MachineUnusable" });
            expect(end().message).toMatch(/^the GPU's driver is not there: /);
            await machine.switchOff();
            fs.rmSync(machine.at("store/runs/r1/attempts/1/end"));
            machine.write("bin/nvidia-smi", "#!/bin/sh\necho what is said is no option >&2\n");
            fs.chmodSync(machine.at("bin/nvidia-smi"), 0o755);
            await machine.run({ gpus: "all" });
            expect(end()).toMatchObject({ exitCode: "0" });
            expect(runsOf("run")[0].given).toContain("--gpus all");
        });

        test("the image has no shell", async () => {
            machine.fill([step("a", "echo hello")]);
            await machine.run({ image: "registry.example/noshell" });
            expect(end()).toMatchObject({ exitCode: "127", reason: "ImageUnusable" });
            expect(end().message).toMatch(
                /^the container can't be started: .*no such file.* The image needs \/bin\/sh\.$/,
            );
            await machine.switchOff();
            fs.rmSync(machine.at("store/runs/r1/attempts/1/end"));
            await machine.run({ image: "registry.example/noshell", user: undefined });
            expect(end()).toMatchObject({ exitCode: "127", reason: "ImageUnusable" });
        });

        test.each([
            [0, "", "0"],
            [1, "", "1"],
            [66, "", "66"],
            [67, "", "67"],
            [64, "ImageUnusable", "64"],
            [126, "ImageUnusable", "126"],
            [127, "ImageUnusable", "127"],
            [65, "RecordFailed", "65"],
            [69, "ArtifactStoreFailed", "69"],
            [70, "RunnerKilled", "70"],
            [137, "RunnerKilled", "137"],
        ])("the container ends with %i, and without a word of the runner", async (code, reason, exitCode) => {
            machine.fill([]);
            machine.write(
                "store/runs/r1/attempts/1/boot/launcher.sh",
                `echo the last words >&2; exit ${code}\n`,
            );
            await machine.run();
            expect(end()).toMatchObject({ exitCode, reason });
            expect(end().message).toContain("the last words");
        });

        test("the container was killed for want of memory", async () => {
            machine.fill([]);
            machine.write("store/runs/r1/attempts/1/boot/launcher.sh", "kill -9 $$\n");
            machine.write("fake/oom", "");
            await machine.run();
            expect(end()).toMatchObject({ exitCode: "137", reason: "OutOfMemory" });
        });

        test("what the runner has said itself needs no reason", async () => {
            machine.fill([step("a", "exit 3")]);
            machine.write("fake/oom", "");
            await machine.run();
            expect(end()).toEqual({ exitCode: "1", reason: "", message: "" });
        });
    }

    describe("a machine that goes", () => {
        const steps = inOrder(
            step("first", "echo first ran"),
            step(
                "second",
                "trap 'echo told; exit 1' TERM; ls; : > mark; [ -e ../../../out/000002 ] || { sleep 60 & wait; }",
            ),
        );
        const begins = () =>
            until(
                () =>
                    lines().includes("first: first ran") &&
                    machine.read("fake/volume/work/r1/steps/second/pid") !== "",
            );

        test.each([
            ["TERM", false, "stopped"],
            ["TERM of a platform that takes it", true, "preempted"],
        ])(
            "%s: run, steps, stream, the word, the mark, in this order; and goes on",
            async (_, taken, why) => {
                machine.fill(steps);
                machine.boot();
                const { child, ended } = machine.service();
                await begins();
                if (taken) {
                    machine.write("fake/preempted", "");
                }
                child.kill("SIGTERM");
                await ended;
                expect(machine.object("machines/000001.left")).toBe(`why=${why}\n`);
                expect(lines()).toContain("second: told");
                expect(machine.stream()).toMatch(/"state":"Interrupted".*\n$/);
                expect(machine.object("end")).toBeUndefined();
                expect(fs.existsSync(machine.at("fake/volume/clean"))).toBe(true);
                expect(isOff()).toBe(false);
                await machine.switchOff();
                await machine.run();
                expect(end()).toMatchObject({ exitCode: "0" });
                expect(lines().filter((line) => line === "first: first ran")).toHaveLength(1);
                // Its folder is as it was.
                expect(lines()).toContain("second: mark");
                expect(machine.objects("machines")).toEqual(["000001", "000001.left", "000002"]);
                // The image was there.
                expect(machine.read("fake/pulls").match(/image:1/g)).toHaveLength(1);
            },
        );

        test("the notice: all is shipped, and it waits to be switched off", async () => {
            machine.fill(steps);
            machine.boot();
            const { child, ended } = machine.service();
            await begins();
            machine.write("fake/preempted", "");
            await until(() => machine.object("machines/000001.left") !== undefined);
            await until(() => fs.existsSync(machine.at("fake/volume/clean")));
            expect(child.exitCode).toBeNull();
            child.kill("SIGTERM");
            await ended;
            expect(machine.object("machines/000001.left")).toBe("why=preempted\n");
            expect(isOff()).toBe(false);
        });

        test("without a word: the run's folder is a new one, the steps come back from the store", async () => {
            machine.fill(steps);
            machine.boot();
            machine.service();
            await begins();
            await machine.switchOff();
            await machine.run();
            expect(end()).toMatchObject({ exitCode: "0" });
            expect(lines().filter((line) => line === "first: first ran")).toHaveLength(1);
            expect(lines()).not.toContain("second: mark");
            expect(machine.objects("machines")).toEqual(["000001", "000002"]);
        });

        test("before the run has begun: nothing runs, and the next boot does", async () => {
            machine.fill([step("a", "echo hello")]);
            machine.write("fake/pull-fails", "1 busy");
            machine.boot({ tries: 5 });
            const { child, ended } = machine.service();
            await until(() => machine.console.includes("the next try is in"));
            child.kill("SIGTERM");
            await ended;
            expect(machine.object("machines/000001.left")).toBe("why=stopped\n");
            expect(runsOf("run")).toEqual([]);
            await machine.switchOff();
            await machine.run();
            expect(end()).toMatchObject({ exitCode: "0" });
            expect(machine.objects("machines")).toEqual(["000001", "000001.left", "000002"]);
        });
    });

    test("boots are counted from the highest that there is", async () => {
        machine.fill([step("a", "echo hello")]);
        machine.write("store/runs/r1/attempts/1/machines/000008", "");
        machine.write("store/runs/r1/attempts/1/machines/000009.left", "");
        machine.write("store/runs/r1/attempts/1/machines/000008.left", "");
        await machine.run();
        expect(machine.objects("stream").map((name) => name.slice(0, 6))).toEqual(
            expect.arrayContaining(["000009"]),
        );
        expect(machine.objects("machines")).toContain("000009");
    });

    test("secrets reach the steps as they are, and nothing else", async () => {
        const value = "it's \\ $x\n\n`q` ünï\n\n";
        machine.fill([step("a", 'printf %s "$TOKEN" | od -An -tx1 | tr -d " \\n"; echo')], ["TOKEN"]);
        machine.write("fake/secret", value);
        await machine.run({ secrets: { TOKEN: "projects/p/secrets/s/versions/1" } });
        expect(lines()).toEqual([`a: ${Buffer.from(value).toString("hex")}`]);
        const asked = machine.read("fake/asked").split("\n");
        expect(asked[0]).toBe('header = "Authorization: Bearer the-token"');
        const call = asked.slice(1).join(" ");
        expect(call).toContain(
            "https://secretmanager.googleapis.com/v1/projects/p/secrets/s/versions/1:access",
        );
        expect(call).not.toContain("the-token");
        expect(fs.readdirSync(machine.at("run/secrets"))).toEqual([]);
        const all = spawnSync("grep", [
            "-rl",
            "ünï",
            machine.store,
            machine.at("run"),
            machine.at("fake/volume"),
            machine.at("fake/runs"),
        ]);
        expect(all.stdout.toString()).toBe("");
    });

    test("logs in where the registry takes the machine's identity, with no password on a command line", async () => {
        machine.fill([step("a", "true")]);
        const image = "europe-docker.pkg.dev/p/r/image:1";
        await machine.run({
            image,
            transferImage: "own.example:5000/transfer:1",
            registries: ["own.example:5000"],
        });
        expect(end()).toMatchObject({ exitCode: "0" });
        expect(machine.read("fake/logins").trim().split("\n")).toEqual([
            "-u oauth2accesstoken --password-stdin own.example:5000 < the-token",
            "-u oauth2accesstoken --password-stdin europe-docker.pkg.dev < the-token",
        ]);
    });
}

function facts(text = ""): Record<string, string> {
    return Object.fromEntries(
        text
            .split("\n")
            .filter(Boolean)
            .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
}
