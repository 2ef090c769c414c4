import * as fs from "node:fs";
import * as path from "node:path";
import ts from "typescript";
import { isRunning } from "../support/processes";
import { Project, REPO } from "../support/project";

const PIPELINE = `
name: nightly
params: {greeting: hello}
steps:
  - name: one
    run: echo one >> .home/trace; echo "$GREETING from the spool"; echo "measured score=0.5"; echo 123 > "$OUTPUTS/file"
    outputs: [file]
  - name: two
    run: |
      echo two >> .home/trace
      if test -e .home/take; then rm .home/take; kill -9 "$SPOOL_WORKER"; exit; fi
      test ! -e .home/fail || exit 3
      while test -e .home/hold; do sleep 0.05; done
`;

const PROGRAM = `
const { SpoolOrchestrator } = require("./custom/spoolOrchestrator");
const config = new pulumi.Config();
const run = new SpoolOrchestrator("nightly", {
    pipeline: "pipeline.yaml",
    queue: __dirname + "/.home/queue",
    trigger: config.get("trigger"),
    wait: config.get("trigger") !== "hold",
});
for (const output of ["runId", "attempt", "status", "reason", "message", "steps", "interruptions", "exitCode", "logs", "metrics", "artifacts"]) {
    exports[output] = run[output];
}
`;

describe("an orchestrator from outside the package", () => {
    let project: Project;
    beforeAll(async () => {
        project = await Project.create({ "pipeline.yaml": PIPELINE, ...outsider() }, PROGRAM);
        // Found by its name, as an installed package is.
        fs.mkdirSync(path.join(project.dir, "custom/node_modules"));
        fs.symlinkSync(REPO, path.join(project.dir, "custom/node_modules/stackrun"));
    }, 120_000);
    afterAll(() => project.dispose());

    const trace = () => project.read(".home/trace").trim().split("\n");
    const workers = () =>
        fs.readdirSync(path.join(project.dir, ".home/queue")).flatMap((job) => {
            const file = `.home/queue/${job}/journal`;
            return project.exists(file)
                ? [...project.read(file).matchAll(/"kind":"begin","pid":(\d+)/g)].map(([, pid]) =>
                      Number(pid),
                  )
                : [];
        });

    it("runs, is brought back when its machine is taken, and ends well", async () => {
        project.write({ ".home/take": "" });
        const up = await project.up();
        expect(up.stdout).toContain("one | hello from the spool");
        expect(up.stdout).toContain("the spool lost its worker; the run goes on");
        expect(up.code).toBe(0);
        const outputs = await project.outputs();
        expect(outputs).toMatchObject({
            attempt: 1,
            status: "Succeeded",
            interruptions: 1,
            metrics: { one: { score: 0.5 } },
        });
        expect(outputs.logs).toContain("one | hello from the spool\n");
        expect(outputs.artifacts).toMatchObject({ "one/file": { size: 4 } });
        // What it had finished was not run again.
        expect(trace()).toEqual(["one", "two", "two"]);

        const again = await project.up();
        expect(again.stdout).toMatch(/unchanged/);
        expect(again.code).toBe(0);
        expect(trace()).toHaveLength(3);
        const ticket = project.state().find(({ type }) => type === "acme:spool:Ticket");
        expect(ticket?.outputs).toEqual({ job: `${outputs.runId}-1` });
    }, 90_000);

    it("fails `up` when it fails; the next `up` is its second attempt", async () => {
        project.write({ ".home/trace": "", ".home/fail": "" });
        const failed = await project.up(["--config", "test:trigger=fail"]);
        expect(failed.stdout + failed.stderr).toContain(
            "Failed (StepFailed): step two failed with exit code 3",
        );
        expect(failed.stdout + failed.stderr).not.toMatch(/^\s+at /m);
        expect(failed.code).not.toBe(0);
        const outputs = await project.outputs();
        expect(outputs).toMatchObject({
            attempt: 1,
            status: "Failed",
            reason: "StepFailed",
            exitCode: 3,
            interruptions: 0,
        });

        fs.rmSync(path.join(project.dir, ".home/fail"));
        const next = await project.up();
        expect(next.code).toBe(0);
        expect(await project.outputs()).toMatchObject({
            runId: outputs.runId,
            attempt: 2,
            status: "Succeeded",
        });
        expect(trace().filter(Boolean)).toEqual(["one", "two", "two"]);
    }, 90_000);

    it("is cancelled by `destroy` while it runs, and leaves nothing", async () => {
        project.write({ ".home/hold": "" });
        const up = await project.up(["--config", "test:trigger=hold"]);
        expect(up.code).toBe(0);
        expect(workers().filter(isRunning)).toHaveLength(1);

        const destroy = await project.pulumi(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);
        expect(destroy.stdout).toContain("is still running: it is cancelled");
        expect(destroy.code).toBe(0);
        expect(workers().filter(isRunning)).toEqual([]);
        expect(project.state()).toEqual([]);
    }, 90_000);
});

// As an author would compile it.
function outsider(): Record<string, string> {
    const folder = path.join(__dirname, "../support/custom");
    const compilerOptions = {
        module: ts.ModuleKind.CommonJS,
        target: ts.ScriptTarget.ES2022,
        esModuleInterop: true,
    };
    const files = fs.readdirSync(folder).map((name): [string, string] => {
        const source = fs.readFileSync(path.join(folder, name), "utf8");
        const compiled = name.endsWith(".ts")
            ? ts.transpileModule(source, { compilerOptions }).outputText
            : source;
        return [`custom/${name.replace(/\.ts$/, ".js")}`, compiled];
    });
    return Object.fromEntries(files);
}
