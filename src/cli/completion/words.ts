import type { Command } from "commander";
import { ORCHESTRATOR_KINDS } from "../../../stacks/kinds";
import { RUN_STATES } from "../runs";

/** What may stand in a place: one of some words, or what the shell looks up in the current folder. */
export type Values = readonly string[] | "runs" | "steps" | "pipelines" | "folders" | "anything";

export interface OptionWords {
    readonly flags: readonly string[];
    readonly description: string;
    /** Undefined: a flag without a value. */
    readonly value?: Values;
}

export interface CommandWords {
    readonly name: string;
    readonly description: string;
    readonly options: readonly OptionWords[];
    readonly argument?: Values;
}

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

const OPTION_VALUES: Readonly<Record<string, Values>> = {
    "--orchestrator": ORCHESTRATOR_KINDS,
    "--status": RUN_STATES,
    "--code": "folders",
    "--step": "steps",
};
const ARGUMENT_VALUES: Readonly<Record<string, Values>> = {
    run: "runs",
    pipeline: "pipelines",
    folder: "folders",
    shell: SHELLS,
};

/** All that can be completed, from the command's own declaration. */
export function wordsOf(program: Command): CommandWords[] {
    return program.commands.map((command) => ({
        name: command.name(),
        description: command.description(),
        options: [
            ...command.options.map((option) => ({
                flags: [option.short, option.long].filter((flag): flag is string => Boolean(flag)),
                description: option.description,
                value:
                    option.required || option.optional
                        ? (OPTION_VALUES[option.long ?? ""] ?? "anything")
                        : undefined,
            })),
            { flags: ["-h", "--help"], description: "display help for command" },
        ],
        argument: command.registeredArguments[0] && ARGUMENT_VALUES[command.registeredArguments[0].name()],
    }));
}
