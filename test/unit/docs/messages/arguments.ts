import * as fs from "node:fs";
import * as path from "node:path";
import type { OrchestratorArgs } from "../../../../components/orchestrator";
import { resolveSettings } from "../../../../components/settings";
import { here } from "../../../../src/place";
import { parsePipeline } from "../../../../src/pipeline";
import { runHandler } from "../../../../src/provider/resources/run";
import { runIdHandler } from "../../../../src/provider/resources/runId";
import type { Properties } from "../../../../src/provider/values";
import { makeOrchestrator } from "../../../../stacks/orchestrators";
import { command, interruptWhen, pipelineFile, program, withEngine } from "./command";
import type { Producers } from "./said";

/** What the arguments of a component are refused with. */
const component =
    (more: object, ...pipeline: string[]) =>
    (folder: string) => {
        pipelineFile(folder, ...pipeline);
        const args = { pipeline: path.join(folder, "pipeline.yaml"), ...more } as OrchestratorArgs;
        return resolveSettings(args, 'LocalOrchestrator "job"');
    };

/** What the command says where there is a pipeline. */
const said =
    (...args: string[]) =>
    (folder: string) => {
        pipelineFile(folder);
        return command(folder, ...args);
    };

/** The record of a run; `local` if its runner is at work, as this process. */
function record(folder: string, runId: string, status: "Running" | "Failed", local = false): void {
    const dir = path.join(folder, ".stackrun/runs", runId);
    fs.mkdirSync(dir, { recursive: true });
    const write = (name: string, content: object | string): void =>
        fs.writeFileSync(
            path.join(dir, name),
            typeof content === "string" ? content : JSON.stringify(content),
        );
    const definition = parsePipeline("name: p\nsteps: [{name: one, run: ls}]\n", "p.yaml");
    const steps = [{ name: "one", state: status, attempts: 1, outputs: {} }];
    const nothing = { reason: "", message: "", metrics: {}, artifacts: {}, params: {}, interruptions: 0 };
    write("run.json", {
        runId,
        attempt: 1,
        status,
        pipeline: "p",
        steps,
        definition,
        logUrl: "file:///log",
        ...nothing,
    });
    if (local) {
        write("runner.sh", "");
        write("place.json", here());
        write("runner.pid", `${process.pid} 0`);
        const started = { n: 1, nonce: "x", time: "2026-01-01T00:00:00Z", attempt: 1, pid: process.pid };
        write("events.jsonl", `${JSON.stringify({ ...started, type: "run.started" })}\n`);
    }
}

/** What the command says where there are records. */
const recorded =
    (make: (folder: string) => void, ...args: string[]) =>
    (folder: string) => {
        make(folder);
        return command(folder, ...args);
    };
const failed = (folder: string): void => record(folder, "r-1", "Failed");

const COMPONENT: Producers = {
    "code: … is not a folder": component({ code: "/no/such/folder" }),
    "…: … is …; allowed: …": component({ onFailure: "ignore" }),
    "…: parallelism is …; allowed: a whole number from 1": component({ parallelism: 0 }),
    "…: env.… can't be set; allowed: letters, digits and _": component({ env: { STACKRUN_X: "y" } }),
    "…: secrets.… is missing: the pipeline names it as a secret": component({}, "secrets: [TOKEN]"),
    "…: secrets.… is not a secret of the pipeline; allowed: …": component({ secrets: { TOKEN: "t" } }),
    "…: ….… is a secret, and …": (folder) => {
        pipelineFile(folder, "params: {n: 1}");
        return program(
            folder,
            "await testing.Recorder.install();",
            "const params = { n: pulumi.secret(2) };",
            'new stackrun.LocalOrchestrator("job", { pipeline: folder + "/pipeline.yaml", params });',
        );
    },
    '… is no argument of the orchestrator "…"; allowed: …': () =>
        makeOrchestrator("docker", "x", { pipeline: "p.yaml" }, { memroy: "1g" }),
    'orchestrator "…" is not known; allowed: …': () => makeOrchestrator("locl", "x", { pipeline: "p.yaml" }),
};

const secrets = (value: Properties) => () =>
    runHandler().check({ urn: "u", inputs: { value: { secrets: value }, secrets: new Set() } })[0].reason;

const PLUGIN: Producers = {
    "a secret has to be text": secrets({ A: 5 }),
    "a secret can't hold a NUL character": secrets({ A: "x\0y" }),
    'is secret, and is written to the plan and to the record; pass it in "secrets" instead': () =>
        runIdHandler.check({ urn: "u", inputs: { value: {}, secrets: new Set(["params.n"]) } })[0].reason,
};

const OPTIONS: Producers = {
    "--code: … is not a folder": said("run", "--code", "nowhere"),
    "--timeout … is no duration; allowed: …": said("run", "--timeout", "soon"),
    "--parallelism … is no number of steps; allowed: …": said("run", "--parallelism", "many"),
    "secret … is not set: export it as an environment variable of this name": (folder) => {
        pipelineFile(folder, "secrets: [STACKRN_TEST_TOKEN]");
        return command(folder, "run");
    },
    "… is no assignment; allowed: NAME=VALUE": said("run", "--param", "horizon"),
    "--stack … is no name of a stack; allowed: letters, digits, -, _ and ., at most 100": said(
        "run",
        "--stack",
        "a b",
    ),
    "--again and --trigger both make a new run; allowed: one of them": said(
        "run",
        "--again",
        "--trigger",
        "x",
    ),
    "--status … is no state of a run; allowed: …": said("runs", "--status", "done"),
    "--limit … is no number of runs; allowed: …": said("runs", "--limit", "all"),
    "there is no completion for …; allowed: …": said("completion", "tcsh"),
    "there is no terminal on which to ask: give --yes to destroy without a question": said("destroy"),
};

const RECORDS: Producers = {
    "there is no run in …; try: stackrun run pipeline.yaml": said("status"),
    "there is no run …": recorded(failed, "status", "r-2"),
    "the record of run … can't be read: …": recorded((folder) => {
        failed(folder);
        fs.writeFileSync(path.join(folder, ".stackrun/runs/r-1/run.json"), "{");
    }, "status"),
    "… runs are running; name one: …": recorded((folder) => {
        record(folder, "r-1", "Running", true);
        record(folder, "r-2", "Running", true);
    }, "cancel"),
    "run … does not run on this machine: cancel it with Ctrl-C where it is followed, or with `pulumi destroy`":
        recorded((folder) => record(folder, "r-1", "Running"), "cancel", "r-1"),
    "run … has no step …; it has …": recorded(failed, "logs", "--step", "two"),
};

const STACKS: Producers = {
    "there is no stack … of pipeline …: nothing to destroy": said("destroy", "--yes"),
    "The name of the pipeline will do, too; in this folder have run: …": recorded(
        (folder) => fs.mkdirSync(path.join(folder, ".stackrun/projects/weather"), { recursive: true }),
        "destroy",
        "nothing.yaml",
        "--yes",
    ),
    "cancelled; the same command goes on with what is left": async (folder) => {
        pipelineFile(folder);
        const project = path.join(folder, ".stackrun/projects/p");
        fs.mkdirSync(project, { recursive: true });
        const ended = withEngine("exec sleep 60", folder, "destroy", "--yes");
        await interruptWhen(path.join(project, "updating"));
        return ended;
    },
    "the update has ended without outputs": (folder) => {
        pipelineFile(folder);
        return withEngine("exit 0", folder, "run");
    },
    "the update of stack … failed": (folder) => {
        pipelineFile(folder);
        return withEngine("echo 'error: update failed' >&2; exit 255", folder, "run");
    },
};

/** What is wrong with the arguments of an orchestrator, and of the command. */
export const ARGUMENTS: Producers = { ...COMPONENT, ...PLUGIN, ...OPTIONS, ...RECORDS, ...STACKS };
