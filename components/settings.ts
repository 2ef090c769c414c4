import * as fs from "node:fs";
import * as path from "node:path";
import * as pulumi from "./sdk";
import { DURATION_ALLOWED, parseDuration } from "../src/pipeline/duration";
import { loadPipelineFile } from "../src/pipeline/load";
import { nearest } from "../src/pipeline/words";
import { PipelineError } from "../src/pipeline/errors";
import { resolveParams } from "../src/pipeline/params";
import { unsupportedPlatform } from "../src/platform";
import type { Pipeline, ParamValue } from "../src/pipeline/types";
import type { StorePlace } from "../src/stores/artifacts/url";
import { placeOf, storeMistakes, type StoreKind } from "./artifactStore";
import { BadInputError } from "./errors";
import type { OrchestratorArgs } from "./orchestrator";
import type { ImageSource } from "./image";
import { projectRoot } from "./projectRoot";

const DEFAULT_GRACE_SECONDS = 10;

/** An orchestrator's arguments, checked and with their defaults. */
export interface Settings {
    readonly pipeline: Pipeline;
    readonly codeDir: string;
    readonly stateDir: string;
    readonly params: pulumi.Output<Record<string, ParamValue>>;
    readonly env: pulumi.Output<Record<string, string>>;
    readonly secrets: pulumi.Output<Record<string, string>>;
    readonly image?: ImageSource;
    readonly store?: pulumi.Output<StorePlace>;
    readonly trigger?: pulumi.Input<unknown>;
    readonly parallelism: number;
    readonly timeoutSeconds?: number;
    readonly graceSeconds: number;
    readonly wait: boolean;
    readonly onFailure: "fail" | "record";
    readonly whileRunning: "refuse" | "replace";
}

/** What is wrong with arguments that only one orchestrator has. The pipeline is undefined if it can't be read. */
export type OwnMistakes = (known: {
    readonly pipeline?: Pipeline;
    readonly image?: ImageSource;
}) => readonly string[];

/** Which of the arguments that every orchestrator takes this one can use. */
export interface Abilities {
    /**
     * What an artifact store may be in.
     * @default [] - it makes no use of one, and refuses it
     */
    readonly artifactStore?: readonly StoreKind[];
}

/** @throws BadInputError with all mistakes at once; `where` names the component in them. */
export function resolveSettings(
    args: OrchestratorArgs,
    where: string,
    more: OwnMistakes = () => [],
    { artifactStore: kinds = [] }: Abilities = {},
): Settings {
    const unsupported = unsupportedPlatform();
    if (unsupported) {
        throw new BadInputError([unsupported]);
    }
    const mistakes: string[] = [];
    const collect = <T>(read: () => T): T | undefined => {
        try {
            return read();
        } catch (error) {
            mistakes.push(...describe(error));
            return undefined;
        }
    };
    const pipeline = collect(() => load(args.pipeline));
    const codeDir = collect(() => codeFolder(args));
    const timeoutSeconds = collect(() => readDuration("timeout", args.timeout, where));
    const graceSeconds = collect(() => readDuration("grace", args.grace, where));
    const image = args.image ?? (pipeline && imageOf(pipeline, args.pipeline));
    mistakes.push(...choiceMistakes(args, where), ...storeMistakes(args.artifactStore, where, kinds));
    mistakes.push(...more({ pipeline, image }));
    if (pipeline) {
        mistakes.push(...envMistakes(Object.keys(args.env ?? {}), where));
        mistakes.push(...secretMistakes(pipeline, args.secrets ?? {}, where));
        collect(() => checkKnownParams(pipeline, args.params ?? {}, where));
    }
    if (mistakes.length > 0 || !pipeline || codeDir === undefined) {
        throw new BadInputError(mistakes);
    }
    return {
        pipeline,
        codeDir,
        stateDir: path.resolve(projectRoot(), args.stateDir ?? ".stackrun"),
        params: publicOnly("params", args.params, where).apply((params) =>
            checkParams(pipeline, params, where),
        ),
        env: publicOnly("env", args.env, where).apply((env) => ({ ...pipeline.env, ...env })),
        secrets: pulumi.secret(args.secrets ?? {}),
        image,
        store: args.artifactStore === undefined ? undefined : placeOf(args.artifactStore, where, kinds),
        trigger: args.trigger,
        parallelism: args.parallelism ?? pipeline.parallelism,
        timeoutSeconds: timeoutSeconds ?? pipeline.timeoutSeconds,
        graceSeconds: graceSeconds ?? DEFAULT_GRACE_SECONDS,
        wait: args.wait ?? true,
        onFailure: args.onFailure ?? "fail",
        whileRunning: args.whileRunning ?? "refuse",
    };
}

function load(pipeline: string | Pipeline): Pipeline {
    return typeof pipeline === "string" ? loadPipelineFile(pipeline) : pipeline;
}

// What a file says of paths is relative to the file.
function imageOf(pipeline: Pipeline, source: string | Pipeline): ImageSource | undefined {
    const { image } = pipeline;
    if (image === undefined || typeof image === "string" || typeof source !== "string") {
        return image;
    }
    const context = path.resolve(path.dirname(source), image.build.context);
    return { build: { ...image.build, context: path.relative(process.cwd(), context) || "." } };
}

function codeFolder({ code, pipeline }: OrchestratorArgs): string {
    const folder = path.resolve(code ?? (typeof pipeline === "string" ? path.dirname(pipeline) : "."));
    if (!fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
        throw new BadInputError([`code: ${folder} is not a folder`]);
    }
    return folder;
}

function readDuration(key: string, value: string | number | undefined, where: string): number | undefined {
    const seconds = value === undefined ? undefined : parseDuration(value);
    if (value !== undefined && !(seconds !== undefined && seconds > 0)) {
        throw new BadInputError([
            `${where}: ${key} is ${JSON.stringify(value)}; allowed: ${DURATION_ALLOWED}`,
        ]);
    }
    return seconds;
}

function choiceMistakes(
    { onFailure, whileRunning, parallelism, wait }: OrchestratorArgs,
    where: string,
): string[] {
    const mistakes: string[] = [];
    const choose = (key: string, value: unknown, allowed: readonly unknown[]) => {
        if (value !== undefined && !allowed.includes(value)) {
            mistakes.push(
                `${where}: ${key} is ${JSON.stringify(value)}; allowed: ${allowed.map((one) => JSON.stringify(one)).join(", ")}`,
            );
        }
    };
    choose("onFailure", onFailure, ["fail", "record"]);
    choose("whileRunning", whileRunning, ["refuse", "replace"]);
    choose("wait", wait, [true, false]);
    if (parallelism !== undefined && !(Number.isInteger(parallelism) && parallelism >= 1)) {
        mistakes.push(`${where}: parallelism is ${parallelism}; allowed: a whole number from 1`);
    }
    return mistakes;
}

function envMistakes(names: readonly string[], where: string): string[] {
    return names
        .filter((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || name.startsWith("STACKRUN_"))
        .map(
            (name) =>
                `${where}: env.${name} can't be set; allowed: letters, digits and _, and not STACKRUN_…, which the runner sets`,
        );
}

function secretMistakes(pipeline: Pipeline, given: Record<string, unknown>, where: string): string[] {
    const missing = pipeline.secrets
        .filter((name) => given[name] === undefined)
        .map((name) => `${where}: secrets.${name} is missing: the pipeline names it as a secret`);
    const unknown = Object.keys(given)
        .filter((name) => !pipeline.secrets.includes(name))
        .map((name) => {
            const near = nearest(name, pipeline.secrets);
            const allowed = pipeline.secrets.length > 0 ? pipeline.secrets.join(", ") : "none";
            return `${where}: secrets.${name} is not a secret of the pipeline; allowed: ${allowed}${near ? `; did you mean "${near}"?` : ""}`;
        });
    return [...missing, ...unknown];
}

// Each for itself: the map as a whole would be secret as soon as one of its values is.
function publicOnly<T>(key: string, values: Record<string, pulumi.Input<T>> = {}, where: string) {
    const secret = Object.entries(values).map(async ([name, value]) =>
        pulumi.Output.isInstance(value) && (await pulumi.isSecret(value as pulumi.Output<unknown>))
            ? [name]
            : [],
    );
    return pulumi.all([pulumi.output(values), Promise.all(secret)]).apply(([known, names]) => {
        if (names.flat().length > 0) {
            const why = `${key} are written to the plan and to the record; pass it in "secrets" instead`;
            throw new BadInputError(
                names.flat().map((name) => `${where}: ${key}.${name} is a secret, and ${why}`),
            );
        }
        return known;
    });
}

// Values that are known already are refused at once, before anything is declared.
function checkKnownParams(
    pipeline: Pipeline,
    params: Record<string, pulumi.Input<ParamValue>>,
    where: string,
): void {
    const known = Object.values(params).every(
        (value) => !pulumi.Output.isInstance(value) && !(value instanceof Promise),
    );
    if (known) {
        resolveParams(pipeline, params, where);
    }
}

function checkParams(
    pipeline: Pipeline,
    params: Record<string, unknown>,
    where: string,
): Record<string, ParamValue> {
    try {
        return resolveParams(pipeline, params, where);
    } catch (error) {
        throw new BadInputError(describe(error));
    }
}

function describe(error: unknown): readonly string[] {
    if (error instanceof BadInputError) {
        return error.mistakes;
    }
    if (error instanceof PipelineError) {
        return error.message.split("\n");
    }
    throw error;
}
