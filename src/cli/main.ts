import { Command, CommanderError } from "commander";
import { PipelineError } from "../pipeline/errors";
import { version } from "../version";
import { CommandError, EXIT } from "./exit";
import { readInput, type RunOptions } from "./input";
import { Terminal } from "./terminal";

const EXIT_CODES = `
Exit codes: 0 succeeded, 1 the run failed, 2 bad input, 3 the environment is not ready, 130 cancelled.`;

/** The command `stackrun`. Sets the process's exit code. `pipeline` is what `run` and `validate` take by default. */
export async function main(argv: readonly string[], pipeline = "pipeline.yaml"): Promise<void> {
    const terminal = new Terminal();
    // A reader that has seen enough (`stackrun logs | head`) is no error; a run goes on to its end, and is recorded.
    terminal.whenGone(argv[0] === "run" ? undefined : () => process.exit(EXIT.succeeded));
    try {
        await program(terminal, pipeline).parseAsync([...argv], { from: "user" });
    } catch (error) {
        process.exitCode = report(error, terminal);
    }
}

function program(terminal: Terminal, pipeline: string): Command {
    const command = new Command("stackrun")
        .description("Runs a pipeline as a Pulumi stack update.")
        .version(version)
        .addHelpText("after", EXIT_CODES)
        .showHelpAfterError("(see --help)")
        .exitOverride();
    addRun(command, terminal, pipeline);
    addValidate(command, terminal, pipeline);
    addStatus(command, terminal);
    addLogs(command, terminal);
    addEnv(command, terminal);
    return command;
}

function addRun(command: Command, terminal: Terminal, pipeline: string): void {
    const collect = (value: string, all: string[]) => [...all, value];
    command
        .command("run")
        .description("run a pipeline, wait for its end, and show its log")
        .argument("[pipeline]", "file of the pipeline", pipeline)
        .option("-p, --param <name=value>", "value of a parameter; may be given several times", collect, [])
        .option("-o, --orchestrator <kind>", "where the pipeline runs", "local")
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
        .addHelpText(
            "after",
            `
Examples:
  stackrun run                                      pipeline.yaml of this folder
  stackrun run examples/weather/pipeline.yaml -p horizon=3
  stackrun run --preview                            what would run, and why
A secret of the pipeline is taken from the environment variable of its name.`,
        )
        .action(async (file: string, options: RunOptions) => {
            const input = readInput(file, options);
            // Only now, because it takes a second to load.
            const { run } = await import("./run.js");
            const mode = { preview: options.preview === true, json: options.json === true };
            process.exitCode = await run(input, mode, terminal);
        });
}

function addValidate(command: Command, terminal: Terminal, pipeline: string): void {
    command
        .command("validate")
        .description("check a pipeline's file, and show in which order its steps run")
        .argument("[pipeline]", "file of the pipeline", pipeline)
        .option("--json", "print the normalized pipeline")
        .action(async (file: string, options: { json?: boolean }) => {
            const { validate } = await import("./validate.js");
            validate(file, options.json === true, terminal);
        });
}

function addStatus(command: Command, terminal: Terminal): void {
    command
        .command("status")
        .description("show how a run stands: the given one, else the newest")
        .argument("[run]", "id of the run")
        .option("--json", "for a program to read")
        .action(async (id: string | undefined, options: { json?: boolean }) => {
            const { status } = await import("./records.js");
            process.exitCode = await status(id, options.json === true, terminal);
        });
}

function addLogs(command: Command, terminal: Terminal): void {
    command
        .command("logs")
        .description("print the log of a run: the given one, else the newest")
        .argument("[run]", "id of the run")
        .option("-f, --follow", "go on until the run has ended")
        .option("--step <name>", "of this step only")
        .action(async (id: string | undefined, options: { follow?: boolean; step?: string }) => {
            const { logs } = await import("./records.js");
            process.exitCode = await logs(id, options, terminal);
        });
}

function addEnv(command: Command, terminal: Terminal): void {
    command
        .command("env")
        .description("print the variables with which plain `pulumi` uses the same engine and state")
        .addHelpText(
            "after",
            `
Example:
  eval "$(npx stackrun env)" && pulumi up --stack dev`,
        )
        .action(async () => {
            const { printEnv } = await import("./env.js");
            await printEnv(terminal);
        });
}

function report(error: unknown, terminal: Terminal): number {
    if (error instanceof CommanderError) {
        // Commander has printed what is wrong, or the help that was asked for.
        return error.exitCode === 0 ? EXIT.succeeded : EXIT.badInput;
    }
    if (error instanceof CommandError) {
        terminal.error(error.message);
        return error.exitCode;
    }
    if (error instanceof PipelineError) {
        terminal.error(error.message);
        return EXIT.badInput;
    }
    if (isSystemError(error)) {
        terminal.error(error.message);
        return EXIT.notReady;
    }
    terminal.error(
        `${error instanceof Error ? error.stack : String(error)}\nThis is a defect of stackrun; please report it.`,
    );
    return EXIT.failed;
}

// A full disk, a folder that can't be written: the message names the place.
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
    return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === "string";
}
