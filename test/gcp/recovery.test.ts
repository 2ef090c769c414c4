import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Gate } from "../support/gcp/gate";
import { describeGcp } from "../support/gcp/lane";
import type { BackendName } from "../support/gcp/machines/backends";
import { GcpRuns } from "../support/gcp/runs";

const pipeline = (gate: Gate) => `
name: taken
steps:
  - name: load
    run: |
${indented(gate.functions)}
      report load; mkdir "$STACKRUN_OUTPUTS/data"; echo 42 > "$STACKRUN_OUTPUTS/data/answer"
    outputs: [data]
  - name: train
    inputs: {data: load/data}
    run: |
${indented(gate.functions)}
      try=$(report train); n=0
      trap 'echo "try $try ends after $n"; exit 1' TERM
      while ! wget -q -O /dev/null ${gate.url}/pass/train 2>/dev/null; do n=$((n + 1)); echo "try $try line $n"; sleep 0.1; done
      test "$(cat "$STACKRUN_INPUTS/data/answer")" = 42
      echo "try $try ends after $n"
`;

const indented = (text: string) => text.replaceAll(/^/gm, "      ");

// The virtual machine is the decisive one; a container of the same operating system is there for quicker looks.
describe.each<BackendName>(["container", "vm"])("on a %s", (backend) => {
    describeGcp("a run whose machine is taken", { backend }, (bed) => {
        let gate: Gate;
        let runs: GcpRuns;
        let trigger = 0;

        beforeAll(async () => {
            gate = await Gate.start(bed());
            runs = await GcpRuns.create(bed(), { "pipeline.yaml": pipeline(gate) });
        }, 120_000);
        beforeEach(() => {
            gate.clear();
            runs.program(`trigger: "${++trigger}",`);
        });
        afterAll(async () => {
            await runs?.dispose();
            await gate?.stop();
        }, 240_000);

        const seen = (up: { output(): string }) => () => `${up.output()}\n${runs.instance.serial.text}`;
        const begin = async () => {
            const up = runs.project.startUp();
            await gate.reported("train", 1, 240_000, () => up.output());
            return up;
        };
        const tries = async () => {
            const { runId } = await runs.project.outputs();
            const log = fs.readFileSync(path.join(runs.project.dir, ".stackrun/runs", runId, "log"), "utf8");
            return [1, 2, 3].map((number) => {
                const own = log.split("\n").filter((line) => line.includes(`try ${number} `));
                const lines = own.flatMap((line) => / line (\d+)$/.exec(line)?.[1] ?? []).map(Number);
                const end = own.flatMap((line) => / ends after (\d+)$/.exec(line)?.[1] ?? []).map(Number);
                return { lines, end };
            });
        };
        const expectWhole = ({ lines, end }: { lines: number[]; end: number[] }) => {
            expect(lines).toEqual(lines.map((_, index) => index + 1));
            expect(end).toEqual([lines.length]);
        };

        test("preempted in the middle of a step, twice: it goes on from its last finished step, and no line is lost", async () => {
            const up = await begin();
            for (const time of [2, 3]) {
                await sleep(2_000);
                const { name } = runs.instance;
                await bed().preempt(name);
                await gate.reported("train", time, 300_000, seen(up));
            }
            gate.pass("train");
            const { code, stdout, stderr } = await up.ended;
            expect([code, stdout + stderr]).toEqual([0, expect.stringContaining("preempted")]);
            expect(await runs.end()).toMatchObject({ status: "Succeeded", attempt: 1, interruptions: 2 });
            expect(gate.reports).toEqual(["load", "train", "train", "train"]);
            for (const one of await tries()) {
                expectWhole(one);
            }
            await runs.off();
        }, 900_000);

        test("its power cut without any notice: it goes on, and at most the last seconds of the log are lost", async () => {
            const up = await begin();
            await sleep(8_000);
            await bed().powerCut(runs.instance.name);
            await gate.reported("train", 2, 300_000, seen(up));
            gate.pass("train");
            expect((await up.ended).code).toBe(0);
            expect(await runs.end()).toMatchObject({ status: "Succeeded", attempt: 1, interruptions: 1 });
            expect(gate.reports).toEqual(["load", "train", "train"]);
            const [first, second] = await tries();
            expect(first.lines).toEqual(first.lines.map((_, index) => index + 1));
            // About four lines a second on a quick machine, in eight seconds.
            expect(first.lines.length).toBeGreaterThan(3);
            expectWhole(second);
        }, 900_000);

        test("the command and its plugin killed: the machine finishes and goes off, and the next `up` only tells", async () => {
            const up = await begin();
            process.kill(-(up.child.pid as number), "SIGKILL");
            await up.ended;
            gate.pass("train");
            await runs.off();
            const { boots } = runs.instance;
            await runs.project.pulumi(["cancel", "--yes", "--stack", "dev"]);
            const again = await runs.project.up();
            expect([again.code, again.stdout + again.stderr]).toEqual([0, expect.any(String)]);
            expect(await runs.end()).toMatchObject({ status: "Succeeded", attempt: 1, interruptions: 0 });
            expect(gate.reports).toEqual(["load", "train"]);
            expect(runs.instance.boots).toBe(boots);
            expectWhole((await tries())[0]);
        }, 900_000);
    });
});
