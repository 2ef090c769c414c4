import { findOnPath, lastWords, run } from "../../engine/exec";
import type { Environment } from "../login";

/** `wrong`: it is there, and of no use as it is. */
export type CheckState = "ok" | "missing" | "wrong" | "not needed yet";

/** What `stackrun doctor` found of one thing. */
export interface Check {
    readonly name: string;
    readonly state: CheckState;
    /** What was found, where, and why this one. */
    readonly found: string;
    /** What helps, if something is to be done. */
    readonly remedy?: string;
    /** True if a local run works only when this is ok. */
    readonly needed: boolean;
}

/** What a check may look at. */
export interface Place {
    readonly env: Environment;
    /** The folder in which the command was started. */
    readonly folder: string;
    readonly stateDir: string;
    /** How long a tool may take to answer. */
    readonly answerTimeoutMs: number;
    /** How long the engine, and the plugin, may take to start. */
    readonly startTimeoutMs: number;
}

/** Asks a command of the machine; undefined if it is not on PATH. */
export async function ask(
    command: string,
    args: readonly string[],
    { env, answerTimeoutMs }: Place,
): Promise<{ file: string; answer?: string; fault?: string } | undefined> {
    const [file] = await findOnPath(command, env);
    if (file === undefined) {
        return undefined;
    }
    const result = await run(file, args, { env, timeoutMs: answerTimeoutMs });
    if (result.timedOut) {
        return { file, fault: `no answer within ${answerTimeoutMs / 1000} s` };
    }
    return result.code === 0
        ? { file, answer: result.stdout.trim().split("\n")[0] ?? "" }
        : { file, fault: lastWords(result, 1) };
}
