import * as fs from "node:fs";
import * as path from "node:path";
import { createInterface } from "node:readline/promises";
import { formatMistake, PipelineError } from "../pipeline/errors";
import { loadPipelineFile } from "../pipeline/load";
import { isOwnBackend } from "./backend";
import { CommandError, EXIT } from "./exit";
import { STATE_DIR } from "./folder";
import { projectName, stackMistake } from "./input";
import type { Terminal } from "./terminal";
import type { StackName } from "./workspace";

/** The options of `stackrun destroy`, as they were typed. */
export interface DestroyOptions {
    readonly stack: string;
    readonly yes?: boolean;
    readonly records?: boolean;
}

/** What `stackrun destroy` was told, checked. */
export interface DestroyInput extends StackName {
    readonly pipeline: string;
    readonly records: boolean;
}

/** `stackrun destroy`: cancels what runs in the stack that `stackrun run` made, and removes the stack. */
export async function destroy(
    pipeline: string,
    options: DestroyOptions,
    terminal: Terminal,
): Promise<number> {
    const input = readDestroyInput(pipeline, options);
    if (isOwnBackend() && !fs.existsSync(path.join(input.stateDir, "projects", input.project))) {
        throw noSuchStack(input);
    }
    if (!options.yes && !(await confirmed(input, terminal))) {
        terminal.line("nothing was destroyed");
        return EXIT.cancelled;
    }
    // Only now, because it takes a second to load.
    const { destroyStack } = await import("./destroyStack.js");
    return destroyStack(input, terminal);
}

export function noSuchStack({ stack, pipeline }: DestroyInput): CommandError {
    return new CommandError(
        `there is no stack ${stack} of pipeline ${pipeline}: nothing to destroy`,
        EXIT.notReady,
    );
}

/** Checks what was typed, before anything is touched. `pipeline` is a file, or the name of a pipeline that has run here. */
export function readDestroyInput(
    pipeline: string,
    { stack, yes, records }: DestroyOptions,
    folder = process.cwd(),
): DestroyInput {
    const stateDir = path.join(folder, STATE_DIR);
    const mistakes: string[] = [];
    const name = pipelineName(path.resolve(folder, pipeline), pipeline, stateDir, mistakes);
    const wrongStack = stackMistake(stack);
    if (wrongStack !== undefined) {
        mistakes.push(wrongStack);
    }
    if (!yes && !hasTerminal()) {
        mistakes.push("there is no terminal on which to ask: give --yes to destroy without a question");
    }
    if (mistakes.length > 0 || name === undefined) {
        throw new CommandError(mistakes.join("\n"), EXIT.badInput);
    }
    return { pipeline: name, project: projectName(name), stack, stateDir, records: records === true };
}

function pipelineName(file: string, typed: string, stateDir: string, mistakes: string[]): string | undefined {
    if (!fs.existsSync(file) && fs.existsSync(path.join(stateDir, "projects", projectName(typed)))) {
        return typed;
    }
    try {
        return loadPipelineFile(file).name;
    } catch (error) {
        if (!(error instanceof PipelineError)) {
            throw error;
        }
        const known = fs.existsSync(path.join(stateDir, "projects"))
            ? fs.readdirSync(path.join(stateDir, "projects")).sort()
            : [];
        mistakes.push(...error.mistakes.map((mistake) => formatMistake({ ...mistake, file: typed })));
        if (known.length > 0) {
            mistakes.push(
                `The name of the pipeline will do, too; in this folder have run: ${known.join(", ")}`,
            );
        }
        return undefined;
    }
}

function hasTerminal(): boolean {
    return process.stdin.isTTY === true && process.stdout.isTTY === true;
}

async function confirmed({ pipeline, stack, records }: DestroyInput, terminal: Terminal): Promise<boolean> {
    const kept = records ? "the records of its runs are removed" : "the records of its runs are kept";
    terminal.line(
        `Stack ${stack} of pipeline ${pipeline}: what runs is cancelled, the stack is removed; ${kept}.`,
    );
    const readline = createInterface({ input: process.stdin, output: process.stdout });
    // Ctrl-C and the end of the input are answers, too.
    const closed = new Promise<string>((resolve) => readline.once("close", () => resolve("")));
    try {
        const answer = await Promise.race([readline.question("Destroy it? [y/N] "), closed]);
        return /^\s*y(es)?\s*$/i.test(answer);
    } finally {
        readline.close();
    }
}
