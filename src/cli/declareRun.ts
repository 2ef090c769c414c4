import type { Command } from "commander";
import { declare } from "./declare";
import { readInput, type RunOptions } from "./input";
import { Terminal } from "./terminal";

/** Declares `run` and `validate`. `pipeline` is the file that they take by default. */
export function declareRun(program: Command, terminal: Terminal, pipeline: string): void {
    addRun(program, terminal, pipeline);
    addValidate(program, terminal, pipeline);
}

function addRun(program: Command, terminal: Terminal, pipeline: string): void {
    const collect = (value: string, all: string[]) => [...all, value];
    declare(program, {
        name: "run",
        description: "run a pipeline, wait for its end, and show its log",
        help: `Examples:
  stackrun run                                      pipeline.yaml of this folder
  stackrun run examples/weather/pipeline.yaml -p horizon=3
  stackrun run -o docker --image python:3.12-slim   in a container
  stackrun run -o kubernetes --set namespace=jobs --set memory=2Gi
  stackrun run -o gcp --set zone=us-central1-a      on a Spot machine of Google Cloud
  stackrun run --preview                            what would run, and why
A secret of the pipeline is taken from the environment variable of its name.`,
    })
        .argument("[pipeline]", "file of the pipeline", pipeline)
        .option("-p, --param <name=value>", "value of a parameter; may be given several times", collect, [])
        .option("-o, --orchestrator <kind>", "where the pipeline runs", "local")
        .option("-i, --image <image>", "image in which the steps run, instead of the pipeline's")
        .option("--artifact-store <url>", "where code and what steps make are kept, as gs://bucket/prefix")
        .option("--set <name=value>", "argument of the orchestrator; may be given several times", collect, [])
        .option("-s, --stack <name>", "stack of the run: one per environment", "dev")
        .option("--code <folder>", "folder of the steps' code (default: that of the pipeline's file)")
        .option("--trigger <value>", "any change of it makes a new run")
        .option("--again", "a new run although nothing has changed")
        .option("--replace", "cancel a run that is still running when something has changed")
        .option("--timeout <duration>", "how long the run may take, for example 2h")
        .option("--parallelism <number>", "how many steps may run side by side")
        .option("--no-wait", "return as soon as the run has started")
        .option("--preview", "show what would happen, and start nothing")
        .option("--json", "print the outputs as JSON, the log on standard error")
        .action(async (file: string, options: RunOptions) => {
            const input = readInput(file, options);
            // With --json, standard output is for the program that reads it: people get the log on standard error.
            const shown = options.json ? new Terminal(process.stderr as NodeJS.WriteStream) : terminal;
            shown.setStatus(`starting pipeline ${input.pipeline.name} …`);
            // Only now, because it takes a second to load.
            const { run } = await import("./run.js");
            const mode = { preview: options.preview === true, json: options.json === true };
            process.exitCode = await run(input, mode, { terminal, shown });
        });
}

function addValidate(program: Command, terminal: Terminal, pipeline: string): void {
    declare(program, {
        name: "validate",
        description: "check a pipeline's file, and show in which order its steps run",
        help: `Examples:
  stackrun validate                                 pipeline.yaml of this folder
  stackrun validate train.yaml --json               with all defaults, for a program to read
Every mistake is named by line and column; exit code 2 if there is one.`,
    })
        .argument("[pipeline]", "file of the pipeline", pipeline)
        .option("--json", "print the normalized pipeline")
        .action(async (file: string, options: { json?: boolean }) => {
            const { validate } = await import("./validate.js");
            validate(file, options.json === true, terminal);
        });
}
