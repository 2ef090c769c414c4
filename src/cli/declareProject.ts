import type { Command } from "commander";
import { declare } from "./declare";
import type { InitOptions } from "./init/init";
import type { Terminal } from "./terminal";

/** Declares what is about a project and this machine: `init`, `doctor`, `env`, `completion`. */
export function declareProject(program: Command, terminal: Terminal): void {
    addInit(program, terminal);
    addDoctor(program, terminal);
    addEnv(program, terminal);
    addCompletion(program, terminal);
}

function addInit(program: Command, terminal: Terminal): void {
    declare(program, {
        name: "init",
        description: "make a Pulumi project with a pipeline, or add one to the project that is there",
        help: `Examples:
  stackrun init                                     in this folder
  stackrun init demo --javascript                   in a new folder
Nothing is overwritten: an existing Pulumi.yaml gets the plugin's entry, and only missing files are made.`,
    })
        .argument("[folder]", "where", ".")
        .option("--typescript", "the program in TypeScript (the default)")
        .option("--javascript", "the program in JavaScript: it starts a second faster")
        .action(async (folder: string, options: InitOptions) => {
            const { init } = await import("./init/init.js");
            init(folder, options, terminal);
        });
}

function addDoctor(program: Command, terminal: Terminal): void {
    declare(program, {
        name: "doctor",
        description: "look at what runs need, say what was found, and what helps",
        help: `Examples:
  stackrun doctor
  stackrun doctor --json
Exit code 0 if a local run would work here, else 3. Nothing is installed or built.`,
    })
        .option("--json", "for a program to read")
        .action(async ({ json }: { json?: boolean }) => {
            const { doctor } = await import("./doctor/doctor.js");
            process.exitCode = await doctor(json === true, terminal);
        });
}

function addEnv(program: Command, terminal: Terminal): void {
    declare(program, {
        name: "env",
        description: "print the variables with which plain `pulumi` uses the same engine and state",
        help: `Example:
  eval "$(npx stackrun env)" && pulumi up --stack dev`,
    }).action(async () => {
        const { printEnv } = await import("./env.js");
        await printEnv(terminal);
    });
}

function addCompletion(program: Command, terminal: Terminal): void {
    declare(program, {
        name: "completion",
        description: "print a script with which a shell completes this command",
        help: `Examples:
  eval "$(stackrun completion bash)"                in ~/.bashrc
  eval "$(stackrun completion zsh)"                 in ~/.zshrc, after compinit
  stackrun completion fish | source                 in ~/.config/fish/config.fish`,
    })
        .argument("<shell>", "bash, zsh or fish")
        .action(async (shell: string) => {
            const { completion } = await import("./completion/completion.js");
            completion(shell, program, terminal);
        });
}
