import * as fs from "node:fs";
import * as path from "node:path";
import { Project, until, type CommandResult, type RunningCommand } from "../support/project";

const LINES = 300;

// Ends only when its other half has begun: one after the other, they would wait for ever.
const PIPELINE = `
name: both
params: {who: {type: string}}
steps:
  - name: talk
    run: |
      touch ".home/$STACKRUN_PARAM_WHO"
      until [ -e .home/dev ] && [ -e .home/prod ]; do sleep 0.05; done
      i=0
      while [ $i -lt ${LINES} ]; do i=$((i + 1)); echo "$STACKRUN_PARAM_WHO $i"; done
      echo "$STACKRUN_PARAM_WHO" > "$STACKRUN_OUTPUTS/who"
      echo "score=7" >> "$STACKRUN_METRICS"
    outputs: [who]
`;

const PROGRAM = `
const job = new stackrun.LocalOrchestrator("job", { pipeline: "pipeline.yaml", params: { who: pulumi.getStack() } });
for (const output of ["runId", "status", "logs", "artifacts", "metrics"]) {
    exports[output] = job[output];
}
`;

const commanded = (name: string, other: string) => `
name: ${name}
steps:
  - name: talk
    run: |
      touch .home/${name}
      until [ -e .home/${name} ] && [ -e .home/${other} ]; do sleep 0.05; done
      i=0
      while [ $i -lt ${LINES} ]; do i=$((i + 1)); echo "${name} $i"; done
`;

const WAITING = `
name: waiting
steps:
  - name: wait
    run: echo began >> .home/begins && until [ -e .home/go ]; do sleep 0.05; done
`;

describe("at the same time", () => {
    let project: Project;
    const runsDir = () => path.join(project.dir, ".stackrun/runs");
    const runsOf = (prefix: string) =>
        fs.existsSync(runsDir()) ? fs.readdirSync(runsDir()).filter((run) => run.startsWith(prefix)) : [];
    const logOf = (run: string) => fs.readFileSync(path.join(runsDir(), run, "log"), "utf8");
    const lines = (who: string) =>
        Array.from({ length: LINES }, (_, index) => `talk\t${who} ${index + 1}\n`).join("");

    beforeAll(async () => {
        project = await Project.create(
            {
                "pipeline.yaml": PIPELINE,
                "red.yaml": commanded("red", "blue"),
                "blue.yaml": commanded("blue", "red"),
                "waiting.yaml": WAITING,
            },
            PROGRAM,
        );
    }, 60_000);

    afterAll(() => project.dispose());

    it("two stacks of a project are updated, each with a run of its own", async () => {
        await project.expectOk(["stack", "init", "prod"]);
        const ups = ["dev", "prod"].map((stack) =>
            project.pulumi(["up", "--yes", "--skip-preview", "--stack", stack]),
        );
        for (const result of await Promise.all(ups)) {
            expectSuccess(result);
        }
        const outputs = await Promise.all(["dev", "prod"].map((stack) => project.outputs(stack)));
        expect(runsOf("both-").sort()).toEqual(outputs.map(({ runId }) => runId).sort());
        for (const [index, who] of ["dev", "prod"].entries()) {
            const { runId, status, logs, artifacts, metrics } = outputs[index];
            expect(status).toBe("Succeeded");
            expect(logOf(runId)).toBe(lines(who));
            expect(logs).toBe(lines(who).replaceAll("\t", " | "));
            expect(fs.readFileSync(artifacts["talk/who"].uri, "utf8")).toBe(`${who}\n`);
            expect(metrics).toEqual({ talk: { score: 7 } });
        }
    }, 120_000);

    it("two pipelines are run by the command in one folder, in which it has never been", async () => {
        const runs = ["red", "blue"].map((name) => project.stackrun(["run", `${name}.yaml`]));
        for (const result of await Promise.all(runs)) {
            expectSuccess(result);
        }
        const [red, blue] = await Promise.all(runs);
        expect(runsOf("red-")).toHaveLength(1);
        expect(runsOf("blue-")).toHaveLength(1);
        expect(logOf(runsOf("red-")[0])).toBe(lines("red"));
        expect(logOf(runsOf("blue-")[0])).toBe(lines("blue"));
        expect(red.stdout).toContain(`red ${LINES}\n`);
        expect(red.stdout).not.toMatch(/blue \d/);
        expect(blue.stdout).toContain(`blue ${LINES}\n`);
        expect(blue.stdout).not.toMatch(/red \d/);
    }, 120_000);

    it("one pipeline is run once: the second command is told that the first one is at work", async () => {
        const { first, second } = await onTop(project.startStackrun(["run", "waiting.yaml"]), () =>
            project.stackrun(["run", "waiting.yaml"]),
        );
        expectSuccess(first);
        expect(second.code).toBeGreaterThan(0);
        const said = second.stdout + second.stderr;
        expect(said).toMatch(/lock|another|already/i);
        expect(said).not.toMatch(/^\s+at |stderr:|code: \d+|Error:|defect/m);
        expect(said.trim().split("\n").length).toBeLessThanOrEqual(8);
        expect(runsOf("waiting-")).toHaveLength(1);
        expect(project.read(".home/begins")).toBe("began\n");
    }, 120_000);

    it("one stack is updated once: the lock of the first `up` holds off the second", async () => {
        fs.rmSync(path.join(project.dir, ".home/go"));
        fs.rmSync(path.join(project.dir, ".home/begins"));
        project.write({ "pipeline.yaml": WAITING });
        project.program(PROGRAM.replace(", params: { who: pulumi.getStack() }", ""));
        const before = runsOf("");
        const { first, second } = await onTop(project.startUp(), () => project.up());
        expectSuccess(first);
        expect(second.code).toBeGreaterThan(0);
        expect(second.stdout + second.stderr).toMatch(/locked by 1 lock/);
        expect(runsOf("")).toHaveLength(before.length + 1);
        expect(project.read(".home/begins")).toBe("began\n");
    }, 120_000);

    /** What becomes of a command whose step is at work, and of one that is given meanwhile. */
    async function onTop(command: RunningCommand, other: () => Promise<CommandResult>) {
        const ended = () => command.child.exitCode !== null;
        try {
            await until(
                () => project.exists(".home/begins") || ended(),
                60_000,
                () => `the step to begin:\n${command.output()}`,
            );
            const second = await other();
            expect(ended()).toBe(false);
            return { second, first: await release(command) };
        } finally {
            await release(command);
        }
    }

    function release(command: RunningCommand): Promise<CommandResult> {
        project.write({ ".home/go": "" });
        return command.ended;
    }
});

function expectSuccess({ code, stdout, stderr }: CommandResult): void {
    expect([code, code === 0 ? "" : stdout + stderr]).toEqual([0, ""]);
}
