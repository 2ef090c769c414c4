import type { Command } from "commander";

/** What a command is called, what it does, and the text that stands below its options: examples, exit codes. */
export interface Declaration {
    readonly name: string;
    readonly description: string;
    readonly help: string;
}

/** Adds a command; its arguments, options and action are its own. */
export function declare(program: Command, { name, description, help }: Declaration): Command {
    return program.command(name).description(description).addHelpText("after", `\n${help}`);
}
