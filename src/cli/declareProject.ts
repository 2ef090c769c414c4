import type { Command } from "commander";
import type { InitOptions } from "./init/init";
import type { Terminal } from "./terminal";

/** Declares what is about a project and this machine: `init`, `doctor`, `env`, `completion`. */
export function declareProject(program: Command, terminal: Terminal): void {
    addInit(program, terminal);
    addDoctor(program, terminal);
    addEnv(program, terminal);
    addCompletion(program, terminal);
}

function addInit(command: Command, terminal: Terminal): void {
    command
        .command("init")
        .description("make a Pulumi project with a pipeline, or add one to the project that is there")
        .argument("[folder]", "where", ".")
        .option("--typescript", "the program in TypeScript (the default)")
        .option("--javascript", "the program in JavaScript: it starts a second faster")
        .addHelpText(
            "after",
            `
Examples:
  stackrun init                                     in this folder
  stackrun init demo --javascript                   in a new folder
Nothing is overwritten: an existing Pulumi.yaml gets the plugin's entry, and only missing files are made.`,
        )
        .action(async (folder: string, options: InitOptions) => {
            const { init } = await import("./init/init.js");
            init(folder, options, terminal);
        });
}

function addDoctor(command: Command, terminal: Terminal): void {
    command
        .command("doctor")
        .description("look at what runs need, say what was found, and what helps")
        .option("--json", "for a program to read")
        .addHelpText(
            "after",
            `
Examples:
  stackrun doctor
  stackrun doctor --json
Exit code 0 if a local run would work here, else 3. Nothing is installed or built.`,
        )
        .action(async ({ json }: { json?: boolean }) => {
            const { doctor } = await import("./doctor/doctor.js");
            process.exitCode = await doctor(json === true, terminal);
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

function addCompletion(command: Command, terminal: Terminal): void {
    command
        .command("completion")
        .description("print a script with which a shell completes this command")
        .argument("<shell>", "bash, zsh or fish")
        .addHelpText(
            "after",
            `
Examples:
  eval "$(stackrun completion bash)"                in ~/.bashrc
  eval "$(stackrun completion zsh)"                 in ~/.zshrc, after compinit
  stackrun completion fish | source                 in ~/.config/fish/config.fish`,
        )
        .action(async (shell: string) => {
            const { completion } = await import("./completion/completion.js");
            completion(shell, command, terminal);
        });
}
