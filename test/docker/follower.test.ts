import * as fs from "node:fs";
import * as path from "node:path";
import { createFollower } from "../../src/run/docker/follower";
import type { FollowItem } from "../../src/run/follower";
import { describeDocker } from "../support/docker/lane";
import { until } from "../support/project";
import { TestRun, type AttemptOptions } from "./container";

const TWO_STEPS = `
name: two
steps:
  - name: make
    run: |
      echo "made by $(id -u)"
      echo "accuracy=0.5" >> "$STACKRUN_METRICS"
      mkdir "$STACKRUN_OUTPUTS/folder"
      echo one > "$STACKRUN_OUTPUTS/folder/one"
      cat a.txt > "$STACKRUN_OUTPUTS/data.txt"
    outputs: [data.txt, folder]
  - name: use
    run: cat "$STACKRUN_INPUTS/data"
    inputs: {data: make/data.txt}
`;

describeDocker("the Docker follower", (bed) => {
    let run: TestRun;
    const make = (pipeline: string, files?: Record<string, string>) =>
        (run = new TestRun(bed, pipeline, files));
    afterEach(() => run?.dispose());

    const message = async (doing: Promise<unknown>): Promise<string> =>
        doing.then(
            () => "nothing was thrown",
            (error: Error) => error.message,
        );

    test("runs the steps as nobody, and brings events, log, metrics and outputs here", async () => {
        const spec = await make(TWO_STEPS).started();
        const file = await run.followed(spec);
        expect(file).toMatchObject({ status: "Succeeded", metrics: { make: { accuracy: 0.5 } } });
        expect(file.image?.digest).toMatch(/^sha256:/);
        expect(run.log).toEqual(["make\tmade by 65532", "use\ta"]);
        const output = path.join(spec.runDir, "steps/make/outputs/data.txt");
        expect(fs.readFileSync(output, "utf8")).toBe("a");
        expect(file.artifacts["make/data.txt"]).toMatchObject({ uri: output, size: 1 });
        expect(file.artifacts["make/folder"]).toMatchObject({ size: 4 });
        // The runner says the same of it as this machine does.
        const said = run
            .read("events.jsonl")
            .trim()
            .split("\n")
            .map((line) => JSON.parse(line))
            .filter(({ type }) => type === "artifact");
        for (const { step, name, sha256 } of said) {
            expect(file.artifacts[`${step}/${name}`].sha256).toBe(sha256);
        }
        expect(said).toHaveLength(2);
        expect(await run.follower.lastOutcome(spec)).toMatchObject({ kind: "Finished", state: "Succeeded" });
    });

    test.each([
        ["root", "", "0"],
        ["a name of the image", "nobody", "65534"],
        ["a number alone", "1234", "1234"],
    ])("runs as %s", async (_what, user, uid) => {
        const spec = await make("name: n\nsecrets: [S]\nsteps: [{name: who, run: 'id -u; echo $S'}]").started(
            {
                user,
                secrets: { S: 'it\'s "secret" $HOME' },
            },
        );
        expect(await run.followed(spec)).toMatchObject({ status: "Succeeded" });
        expect(run.log).toEqual([`who\t${uid}`, "who\t***"]);
    });

    test("leaves no secret in the container's description, nor behind in its volume", async () => {
        const pipeline =
            "name: n\nsecrets: [S]\nsteps: [{name: see, run: 'find / -name secrets -path /stackrun/\\* 2>/dev/null; echo none'}]";
        const spec = await make(pipeline).started({ secrets: { S: "hunter2-hunter2" } });
        await run.followed(spec);
        expect(run.log).toEqual(["see\tnone"]);
        const described = JSON.stringify(await bed.docker.getContainer(run.name).inspect());
        expect(described).not.toContain("hunter2");
        expect(fs.readdirSync(spec.runDir).map(String).join()).not.toContain(".code");
    });

    test("tells what is known of an attempt without following it", async () => {
        make("name: n\nsteps: [{name: wait, run: 'sleep 60'}]");
        const spec = await run.spec();
        expect(await run.follower.lastOutcome(spec)).toMatchObject({ kind: "NoRecord" });
        await run.declare();
        expect(await run.follower.lastOutcome(spec)).toEqual({ kind: "NotStarted" });
        const signal = new AbortController().signal;
        await run.follower.start?.(spec, signal);
        // Idempotent: a start that was killed is done again.
        await run.follower.start?.(spec, signal);
        expect(await run.follower.lastOutcome(spec)).toEqual({ kind: "Running" });
        await bed.docker.getContainer(run.name).remove({ force: true });
        expect(await run.follower.lastOutcome(spec)).toMatchObject({
            state: "Lost",
            reason: "ContainerGone",
        });
    });

    test("goes on behind a bookmark, and nothing is lost or doubled", async () => {
        const pipeline =
            "name: n\nsteps: [{name: count, run: 'i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo $i; [ $((i % 100)) != 0 ] || sleep 0.05; done'}]";
        const spec = await make(pipeline).started();
        for (let cut = 0; cut < 3; cut++) {
            const detach = new AbortController();
            const seen = (item: FollowItem) => {
                if (item.type === "log" && item.lines.some(({ text }) => Number(text) > 500 * (cut + 1))) {
                    detach.abort();
                }
            };
            expect(await message(run.followed(spec, { detach: detach.signal, seen }))).toMatch(
                /no longer followed/,
            );
        }
        expect(await run.followed(spec)).toMatchObject({ status: "Succeeded" });
        expect(run.log).toEqual(Array.from({ length: 3000 }, (_, index) => `count\t${index + 1}`));
        const numbers = run
            .read("events.jsonl")
            .trim()
            .split("\n")
            .map((line) => JSON.parse(line).n);
        expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    });

    test("follows on while the daemon restarts, and while it crashes", async () => {
        const pipeline =
            "name: n\nsteps: [{name: count, run: 'i=0; while [ $i -lt 200 ]; do i=$((i+1)); echo $i; sleep 0.1; done'}]";
        const spec = await make(pipeline).started();
        const texts: string[] = [];
        const seen = (item: FollowItem) => item.type === "status" && texts.push(item.text);
        const ended = run.followed(spec, { seen });
        await until(
            () => run.log.length > 20,
            20_000,
            () => "lines",
        );
        await bed.stopDaemon();
        await until(
            () => texts.length > 0,
            20_000,
            () => "a status",
        );
        await bed.startDaemon();
        await until(
            () => run.log.length > 120,
            30_000,
            () => "more lines",
        );
        await bed.restartDaemon();
        expect(await ended).toMatchObject({ status: "Succeeded" });
        expect(run.log).toEqual(Array.from({ length: 200 }, (_, index) => `count\t${index + 1}`));
        expect(texts[0]).toBe("waiting for the Docker daemon, which does not answer");
    }, 180_000);

    test("cancels in order", async () => {
        const pipeline = `name: n\nsteps: [{name: wait, run: "trap 'echo bye; exit 1' TERM; echo begun; while :; do sleep 0.1; done"}]`;
        const spec = await make(pipeline).started();
        const cancel = new AbortController();
        const seen = (item: FollowItem) => item.type === "log" && cancel.abort();
        const file = await run.followed(spec, { signal: cancel.signal, seen });
        expect(file).toMatchObject({ status: "Cancelled", message: "cancelled by the user" });
        expect([run.log[0], run.log.at(-1)]).toEqual(["wait\tbegun", "wait\tbye"]);
        expect((await bed.docker.getContainer(run.name).inspect()).State).toMatchObject({
            Running: false,
            ExitCode: 67,
        });
        // Again, after its end: nothing.
        await run.follower.cancel(spec, "again");
    });

    test("a container that is killed from outside is Lost, and the next attempt goes on from the last finished step", async () => {
        const pipeline = `
name: n
steps:
  - {name: first, run: "echo first > $STACKRUN_OUTPUTS/x", outputs: [x]}
  - {name: second, run: "echo second; [ -e /stackrun/run/again ] || { touch /stackrun/run/again; sleep 60; }"}
`;
        const spec = await make(pipeline).started();
        const seen = (item: FollowItem) => item.type === "log" && void bed.kill(run.name);
        expect(await run.followed(spec, { seen })).toMatchObject({
            status: "Lost",
            reason: "ContainerKilled",
        });
        expect(await run.follower.lastOutcome(spec)).toMatchObject({ kind: "Finished", state: "Lost" });
        await bed.docker.getContainer(run.name).remove();
        const second = await run.started({ attempt: 2 });
        const file = await run.followed(second);
        expect(file).toMatchObject({ status: "Succeeded", attempt: 2 });
        expect(file.steps.map(({ name, attempts }) => [name, attempts])).toEqual([
            ["first", 1],
            ["second", 2],
        ]);
        expect(run.read("events.jsonl").match(/"step.reused"/g)).toHaveLength(1);
    });

    test("a step that takes too much memory fails as OutOfMemory", async () => {
        const pipeline = `name: n\nsteps: [{name: eat, run: [dd, if=/dev/zero, of=/dev/null, bs=200M, count=1]}]`;
        const memory = 32 * 1024 * 1024;
        const spec = await make(pipeline).started({ hostConfig: { Memory: memory, MemorySwap: memory } });
        expect(await run.followed(spec)).toMatchObject({ status: "Failed", reason: "OutOfMemory" });
    });

    describe("says what happened and what to do", () => {
        const ONE = "name: n\nsteps: [{name: one, run: ls}]";
        const failure = async (options: AttemptOptions): Promise<string> =>
            message(make(ONE).started(options));

        test("where the image has no sh", async () => {
            const image = await bed.image("nosh");
            expect(await failure({ image })).toMatch(
                new RegExp(
                    `the container stackrun-test-\\w+-1 of image ${image} can't be started: .*has no /bin/sh.*choose an image with a shell`,
                    "s",
                ),
            );
            expect(await run.follower.lastOutcome(await run.spec())).toEqual({ kind: "NotStarted" });
        });

        test("where the network is missing", async () => {
            expect(await failure({ network: "nowhere" })).toMatch(/network nowhere not found; create it/);
        });

        test("where the user is unknown", async () => {
            expect(await failure({ user: "stranger" })).toMatch(
                /the image knows no user stranger; give numbers as user/,
            );
        });

        test("where the container was removed before its start", async () => {
            make(ONE);
            const spec = await run.declare();
            await bed.docker.getContainer(run.name).remove();
            expect(await message(run.follower.start!(spec, new AbortController().signal))).toMatch(
                /although it was declared/,
            );
        });

        test("where a stranger has the name", async () => {
            make(ONE);
            await bed.docker.createContainer({ name: run.name, Image: await bed.image("busybox") });
            expect(await message(run.follower.lastOutcome(await run.spec()))).toMatch(
                /does not belong to run .*; rename or remove it/,
            );
        });

        test("where no daemon is", async () => {
            make(ONE);
            for (const host of ["unix:///nowhere/docker.sock", "tcp://127.0.0.1:1"]) {
                const follower = createFollower({ host });
                expect(await message(follower.lastOutcome(await run.spec()))).toBe(
                    `the Docker daemon at ${host} can't be reached (${host.startsWith("unix") ? "ENOENT" : "ECONNREFUSED"}); start it, or name another one in DOCKER_HOST or dockerHost`,
                );
            }
        });
    });

    test("1,000,000 lines, complete and in order", async () => {
        const pipeline = `name: n\nsteps: [{name: count, run: [seq, "1000000"]}]`;
        const spec = await make(pipeline).started();
        expect(await run.followed(spec)).toMatchObject({ status: "Succeeded" });
        const lines = run.log;
        expect(lines).toHaveLength(1_000_000);
        expect(lines.findIndex((line, index) => line !== `count\t${index + 1}`)).toBe(-1);
    }, 300_000);
});
