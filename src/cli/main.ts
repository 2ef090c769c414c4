import { Command, CommanderError } from "commander";
import { PipelineError } from "../pipeline/errors";
import { version } from "../version";
import { declareProject } from "./declareProject";
import { declareRecords } from "./declareRecords";
import { declareRun } from "./declareRun";
import { CommandError, EXIT } from "./exit";
import { Terminal } from "./terminal";

const EXIT_CODES = `
Examples:
  stackrun init demo                 a project that runs with \`pulumi up\`
  stackrun run pipeline.yaml         a run in a stack of its own, without a program
  stackrun runs                      what has run here
  stackrun doctor                    what is missing on this machine
Exit codes: 0 succeeded, 1 the run failed, 2 bad input, 3 the environment is not ready, 130 cancelled.`;

/** These go on to their end, whoever reads. */
const LASTING: ReadonlySet<string | undefined> = new Set(["run", "cancel", "destroy"]);

/** The command `stackrun`. Sets the process's exit code. `pipeline` is what `run` and `validate` take by default. */
export async function main(argv: readonly string[], pipeline = "pipeline.yaml"): Promise<void> {
    const terminal = new Terminal();
    // A reader that has seen enough (`stackrun logs | head`) is no error; a run goes on to its end, and is recorded.
    terminal.whenGone(LASTING.has(argv[0]) ? undefined : () => process.exit(EXIT.succeeded));
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
    declareRun(command, terminal, pipeline);
    declareRecords(command, terminal, pipeline);
    declareProject(command, terminal);
    return command;
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
