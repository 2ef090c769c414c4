import * as fs from "node:fs";
import * as path from "node:path";
import { isOrchestratorKind, unknownArguments, unknownOrchestrator } from "../../stacks/kinds";
import { DURATION_ALLOWED, parseDuration } from "../pipeline/duration";
import { formatMistake, PipelineError } from "../pipeline/errors";
import { loadPipelineFile } from "../pipeline/load";
import { resolveParams } from "../pipeline/params";
import type { ParamValue, Pipeline } from "../pipeline/types";
import { parseStoreUrl } from "../stores/artifacts/url";
import { isOwnBackend } from "./backend";
import { CommandError, EXIT } from "./exit";
import { STATE_DIR } from "./folder";

/** The options of `stackrun run`, as they were typed. */
export interface RunOptions {
    readonly orchestrator: string;
    readonly stack: string;
    readonly param: readonly string[];
    readonly image?: string;
    readonly artifactStore?: string;
    readonly set: readonly string[];
    readonly code?: string;
    readonly trigger?: string;
    readonly again?: boolean;
    readonly timeout?: string;
    readonly parallelism?: string;
    readonly wait: boolean;
    readonly replace?: boolean;
    readonly preview?: boolean;
    readonly json?: boolean;
}

/** What `stackrun run` was told, checked. */
export interface RunInput {
    readonly file: string;
    readonly pipeline: Pipeline;
    readonly orchestrator: string;
    /** What only this orchestrator takes. */
    readonly own: Readonly<Record<string, unknown>>;
    readonly image?: string;
    /** Complete: a path is relative to the working directory. */
    readonly artifactStore?: string;
    readonly stack: string;
    readonly project: string;
    /** Absolute path of `.stackrun`. */
    readonly stateDir: string;
    readonly code: string;
    readonly params: Readonly<Record<string, ParamValue>>;
    readonly secrets: Readonly<Record<string, string>>;
    readonly trigger?: string;
    readonly timeout?: string;
    readonly parallelism?: number;
    readonly wait: boolean;
    readonly whileRunning: "refuse" | "replace";
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Checks all that a run was told, before a SDK is loaded and before anything is made.
 * @throws CommandError with all mistakes at once.
 */
export function readInput(
    file: string,
    options: RunOptions,
    env: Environment = process.env,
    folder = process.cwd(),
): RunInput {
    const mistakes: string[] = [];
    const params = keyValues("--param", "horizon=7", options.param, mistakes);
    const own = keyValues("--set", "namespace=jobs", options.set, mistakes);
    if (isOrchestratorKind(options.orchestrator)) {
        const wrong = unknownArguments(options.orchestrator, Object.keys(own));
        mistakes.push(...wrong.map((mistake) => `--set ${mistake}`));
    }
    const pipeline = readPipeline(file, mistakes);
    if (pipeline) {
        mistakes.push(...paramMistakes(pipeline, params), ...secretMistakes(pipeline, env));
    }
    const code = path.resolve(folder, options.code ?? path.dirname(file));
    const store =
        options.artifactStore === undefined ? undefined : parseStoreUrl(options.artifactStore, folder);
    if (typeof store === "string") {
        mistakes.push(`--artifact-store: ${store}`);
    }
    mistakes.push(...optionMistakes(options, code, env));
    if (mistakes.length > 0 || !pipeline || typeof store === "string") {
        throw new CommandError(mistakes.join("\n"), EXIT.badInput);
    }
    return {
        file,
        pipeline,
        orchestrator: options.orchestrator,
        own: Object.fromEntries(Object.entries(own).map(([name, value]) => [name, dataOrText(value)])),
        image: options.image,
        artifactStore: store?.url,
        stack: options.stack,
        project: projectName(pipeline.name),
        stateDir: path.join(folder, STATE_DIR),
        code,
        params,
        secrets: Object.fromEntries(pipeline.secrets.map((name) => [name, env[name] ?? ""])),
        trigger: options.again ? new Date().toISOString() : options.trigger,
        timeout: options.timeout,
        parallelism: options.parallelism === undefined ? undefined : Number(options.parallelism),
        wait: options.wait,
        whileRunning: options.replace ? "replace" : "refuse",
    };
}

function readPipeline(file: string, mistakes: string[]): Pipeline | undefined {
    try {
        return loadPipelineFile(file);
    } catch (error) {
        if (error instanceof PipelineError) {
            mistakes.push(error.message);
            return undefined;
        }
        throw error;
    }
}

function keyValues(
    option: string,
    example: string,
    pairs: readonly string[],
    mistakes: string[],
): Record<string, string> {
    const wrong = pairs.filter((pair) => pair.indexOf("=") < 1);
    mistakes.push(
        ...wrong.map(
            (pair) =>
                `${option} ${JSON.stringify(pair)} is no assignment; allowed: NAME=VALUE, for example ${option} ${example}`,
        ),
    );
    const right = pairs.filter((pair) => pair.indexOf("=") >= 1);
    return Object.fromEntries(
        right.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]),
    );
}

/** `{"size": "1Gi"}`, `true`, `2`: as JSON; all else is a text. */
function dataOrText(value: string): unknown {
    try {
        return JSON.parse(value);
    } catch {
        return value;
    }
}

function paramMistakes(pipeline: Pipeline, params: Readonly<Record<string, string>>): string[] {
    try {
        resolveParams(pipeline, params);
        return [];
    } catch (error) {
        if (error instanceof PipelineError) {
            return error.mistakes.map((mistake) =>
                formatMistake({ ...mistake, path: mistake.path.replace(/^params\./, "--param ") }),
            );
        }
        throw error;
    }
}

// Never from the command line: any user of the machine can read that.
function secretMistakes(pipeline: Pipeline, env: Environment): string[] {
    return pipeline.secrets
        .filter((name) => env[name] === undefined)
        .map((name) => `secret ${name} is not set: export it as an environment variable of this name`);
}

function optionMistakes(options: RunOptions, code: string, env: Environment): string[] {
    const { orchestrator, parallelism, stack, timeout } = options;
    const mistakes: string[] = [];
    if (!isOrchestratorKind(orchestrator)) {
        mistakes.push(`--orchestrator: ${unknownOrchestrator(orchestrator)}`);
    }
    const wrongStack = stackMistake(stack, env);
    if (wrongStack !== undefined) {
        mistakes.push(wrongStack);
    }
    if (!fs.statSync(code, { throwIfNoEntry: false })?.isDirectory() && options.code !== undefined) {
        mistakes.push(`--code: ${code} is not a folder`);
    }
    if (timeout !== undefined && !((parseDuration(timeout) ?? 0) > 0)) {
        mistakes.push(`--timeout ${JSON.stringify(timeout)} is no duration; allowed: ${DURATION_ALLOWED}`);
    }
    if (parallelism !== undefined && !/^[1-9][0-9]{0,5}$/.test(parallelism)) {
        mistakes.push(
            `--parallelism ${JSON.stringify(parallelism)} is no number of steps; allowed: a whole number from 1`,
        );
    }
    if (options.again && options.trigger !== undefined) {
        mistakes.push("--again and --trigger both make a new run; allowed: one of them");
    }
    return mistakes;
}

/** Why this can't be the name of a stack, if it can't. Pulumi's own service knows `organization/project/stack` too. */
export function stackMistake(stack: string, env: Environment = process.env): string | undefined {
    const parts = stack.split("/");
    const right =
        (parts.length === 1 || (parts.length <= 3 && !isOwnBackend(env))) &&
        parts.every((part) => /^[A-Za-z0-9._-]{1,100}$/.test(part));
    return right
        ? undefined
        : `--stack ${JSON.stringify(stack)} is no name of a stack; allowed: letters, digits, -, _ and ., at most 100`;
}

/**
 * The project in which a pipeline of this name runs: Pulumi allows letters, digits, `-`, `_` and `.` in its name, at
 * most 100 of them.
 */
export function projectName(pipeline: string): string {
    const plain = pipeline.normalize("NFKD").replaceAll(/\p{M}/gu, "");
    const name = plain.replaceAll(/[^A-Za-z0-9._-]+/g, "-").replaceAll(/^[-.]+|[-.]+$/g, "");
    return (name || "pipeline").slice(0, 100);
}
