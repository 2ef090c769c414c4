import * as fs from "node:fs";
import * as path from "node:path";
import * as readline from "node:readline";
import { Project, type CommandResult, type RunningCommand } from "../support/project";

const LINES = 1_000_000;
const KIB = 1024;

const PIPELINE = `
name: volume
steps:
  - name: count
    run: seq ${LINES}
`;

describe("a step that prints a million lines", () => {
    let project: Project;
    let result: CommandResult;
    let peakKib: number;
    let runDir: string;

    beforeAll(async () => {
        project = await Project.create({ "pipeline.yaml": PIPELINE });
        const up = project.startUp();
        peakKib = await peakOfPlugin(up);
        result = await up.ended;
        runDir = path.join(
            project.dir,
            ".stackrun/runs",
            fs.readdirSync(path.join(project.dir, ".stackrun/runs"))[0],
        );
    }, 240_000);

    afterAll(() => project.dispose());

    it("has succeeded", () => {
        expect(result.stderr).toBe("");
        expect(result.code).toBe(0);
    });

    it("has each of them in the log once and in order", async () => {
        expect(await firstWrongLine(path.join(runDir, "log"), "count\t")).toBeUndefined();
        expect(await firstWrongLine(path.join(runDir, "steps/count/log"), "")).toBeUndefined();
    });

    it("does not fill the plugin's memory", () => {
        expect(peakKib).toBeGreaterThan(10 * KIB);
        expect(peakKib).toBeLessThan(300 * KIB);
    });

    it("leaves 64 KiB of its log in the state, the last ones", async () => {
        const { logs, logUrl } = await project.outputs();
        expect(Buffer.byteLength(logs)).toBeLessThanOrEqual(64 * KIB);
        expect(Buffer.byteLength(logs)).toBeGreaterThan(60 * KIB);
        expect(logs).toMatch(new RegExp(`\\ncount \\| ${LINES - 1}\\ncount \\| ${LINES}\\n$`));
        expect(logs).toMatch(/^count \| \d+\n/);
        expect(logUrl).toBe(`file://${runDir}/log`);
        // Once for the run, once for the component, once for the stack.
        expect(Buffer.byteLength(project.checkpoint().text)).toBeLessThan(4 * 64 * KIB);
    });

    it("shows a part of them, says how many are left out, and where they are", () => {
        // While it runs, and once more under Diagnostics.
        const shown = result.stdout.match(/count \| \d+$/gm) ?? [];
        expect(shown.length).toBeGreaterThan(2 * 100);
        expect(shown.length).toBeLessThanOrEqual(2 * 1000);
        const said = /([\d,]+) lines are not shown here; the whole log: (.*)$/m.exec(result.stdout);
        expect(Number(said?.[1].replaceAll(",", ""))).toBe(LINES - shown.length / 2);
        expect(said?.[2]).toBe(`${runDir}/log`);
    });
});

/** The most memory that the plugin of this `pulumi` has ever held, in KiB: looked at until it has ended. */
async function peakOfPlugin(up: RunningCommand): Promise<number> {
    let ended = false;
    up.child.once("exit", () => (ended = true));
    let peak = 0;
    let plugin: number | undefined;
    while (!ended) {
        plugin ??= findPlugin(up.child.pid as number);
        peak = Math.max(peak, plugin === undefined ? 0 : peakOf(plugin));
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return peak;
}

function findPlugin(parent: number): number | undefined {
    const pids = fs.readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name));
    const found = pids.find(
        (pid) =>
            Number(/^PPid:\t(\d+)$/m.exec(readProc(pid, "status"))?.[1]) === parent &&
            readProc(pid, "cmdline").includes("pulumi-resource-stackrun"),
    );
    return found === undefined ? undefined : Number(found);
}

function peakOf(pid: number): number {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readProc(String(pid), "status"))?.[1] ?? 0);
}

function readProc(pid: string, name: string): string {
    try {
        return fs.readFileSync(`/proc/${pid}/${name}`, "utf8");
    } catch {
        return ""; // It has ended.
    }
}

/** Of a file that should count from 1 to the last line. */
async function firstWrongLine(file: string, prefix: string): Promise<string | undefined> {
    let number = 0;
    for await (const line of readline.createInterface({ input: fs.createReadStream(file) })) {
        number++;
        if (line !== `${prefix}${number}`) {
            return `line ${number}: ${line.slice(0, 100)}`;
        }
    }
    return number === LINES ? undefined : `${number} lines`;
}
