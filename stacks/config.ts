import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { BadInputError } from "../components/errors";
import type { OrchestratorArgs } from "../components/orchestrator";
import { projectRoot } from "../components/projectRoot";
import { DURATION_ALLOWED, parseDuration } from "../src/pipeline/duration";
import { nearest } from "../src/pipeline/words";
import { isOrchestratorKind, ORCHESTRATOR_KINDS, unknownOrchestrator } from "./kinds";

/** What a key of the stack's configuration holds. */
interface KeyType {
    /** For messages: what is allowed. */
    readonly allowed: string;
    /** The value of the configuration's text; undefined if it is none. */
    readonly read: (text: string) => unknown;
}

interface ConfigKey {
    readonly type: KeyType;
    readonly description: string;
}

const text: KeyType = { allowed: "a text that is not empty", read: (value) => value.trim() || undefined };
const anything: KeyType = { allowed: "anything", read: (value) => parseJson(value) ?? value };
const flag: KeyType = {
    allowed: "true or false",
    read: (value) => (value === "true" ? true : value === "false" ? false : undefined),
};
const count: KeyType = {
    allowed: "a whole number from 1",
    read: (value) => (/^[1-9][0-9]{0,5}$/.test(value) ? Number(value) : undefined),
};
const duration: KeyType = {
    allowed: DURATION_ALLOWED,
    read: (value) => ((parseDuration(value) ?? 0) > 0 ? value : undefined),
};
const values = mapOf("names to texts, numbers and booleans", (value) =>
    ["string", "number", "boolean"].includes(typeof value),
);
const kind: KeyType = {
    allowed: ORCHESTRATOR_KINDS.join(", "),
    read: (value) => (isOrchestratorKind(value) ? value : undefined),
};

/** The stack configuration that the program reads: `pulumi config set stackrun:<key> <value>`. */
export const CONFIG_KEYS: Readonly<Record<string, ConfigKey>> = {
    orchestrator: { type: kind, description: "where the pipeline runs; by default local" },
    pipeline: { type: text, description: "path of the pipeline's file, relative to the project's folder" },
    code: { type: text, description: "folder of the steps' code; by default that of the pipeline's file" },
    params: {
        type: values,
        description: "values of the pipeline's parameters (--path stackrun:params.horizon)",
    },
    env: { type: values, description: "environment variables for all steps (--path stackrun:env.LOG_LEVEL)" },
    secrets: {
        type: values,
        description: "values of the pipeline's secrets (--secret --path stackrun:secrets.NAME)",
    },
    image: { type: text, description: "image in which the steps run, instead of the pipeline's" },
    artifactStore: {
        type: text,
        description: "where code and what steps make are kept: gs://bucket/prefix or a folder",
    },
    trigger: { type: anything, description: "any change of it makes a new run" },
    timeout: { type: duration, description: "how long the run may take" },
    grace: { type: duration, description: "how long a step has between TERM and KILL" },
    parallelism: { type: count, description: "how many steps may run side by side" },
    wait: { type: flag, description: "false: the update ends as soon as the run has started" },
    onFailure: {
        type: oneOf("fail", "record"),
        description: "record: a failed run does not fail the update",
    },
    whileRunning: {
        type: oneOf("refuse", "replace"),
        description: "replace: a run that is still running is cancelled when something changed",
    },
    stateDir: { type: text, description: "folder for records of runs; by default .stackrun" },
    docker: {
        type: mapOf("the Docker orchestrator's own arguments", () => true),
        description: "what only a run in Docker takes (--path stackrun:docker.memory)",
    },
    kubernetes: {
        type: mapOf("the Kubernetes orchestrator's own arguments", () => true),
        description: "what only a run in Kubernetes takes (--path stackrun:kubernetes.namespace)",
    },
    gcp: {
        type: mapOf("the Google Cloud orchestrator's own arguments", () => true),
        description: "what only a run on Google Cloud takes (--path stackrun:gcp.machineType)",
    },
};

/** One run, as the stack's configuration describes it. */
export interface ConfiguredRun {
    readonly orchestrator: string;
    readonly args: OrchestratorArgs;
    /** What only this orchestrator takes. */
    readonly own: Readonly<Record<string, unknown>>;
}

/**
 * Reads and checks the stack's configuration; paths are relative to the project's root folder.
 * @throws BadInputError with all mistakes at once.
 */
export function readConfig(): ConfiguredRun {
    const config = new pulumi.Config();
    const mistakes = unknownKeys(config.name);
    const read = Object.fromEntries(
        Object.keys(CONFIG_KEYS).map((key) => [key, readKey(config, key, mistakes)]),
    );
    if (config.get("pipeline") === undefined) {
        const example = `pulumi config set ${config.name}:pipeline examples/weather/pipeline.yaml`;
        mistakes.push(`${config.name}:pipeline is not set; try: ${example}`);
    }
    if (mistakes.length > 0) {
        throw new BadInputError(mistakes);
    }
    const { orchestrator = "local", pipeline, code, env, secrets, docker, kubernetes, gcp, ...rest } = read;
    const root = projectRoot();
    const args = {
        ...rest,
        pipeline: path.resolve(root, pipeline as string),
        code: code === undefined ? undefined : path.resolve(root, code as string),
        env: texts(env),
        secrets: texts(secrets),
    };
    const own = { docker, kubernetes, gcp }[orchestrator as string] as ConfiguredRun["own"] | undefined;
    return { orchestrator: orchestrator as string, args: args as OrchestratorArgs, own: own ?? {} };
}

function readKey(config: pulumi.Config, key: string, mistakes: string[]): unknown {
    const given = config.get(key);
    const known = CONFIG_KEYS[key];
    if (given === undefined || !known) {
        return undefined;
    }
    const place = `${config.name}:${key}`;
    if (key !== "secrets" && isSecret(place)) {
        mistakes.push(
            `${place} is a secret, and would be kept in the clear; allowed: secrets under ${config.name}:secrets only`,
        );
        return undefined;
    }
    const value = known.type.read(given);
    if (value === undefined) {
        mistakes.push(describeMistake(place, key, given, known));
    }
    return value;
}

// The SDK tells it, but leaves it out of its types.
function isSecret(place: string): boolean {
    return (pulumi.runtime as unknown as { isConfigSecret(key: string): boolean }).isConfigSecret(place);
}

function describeMistake(
    place: string,
    key: string,
    given: string,
    { type, description }: ConfigKey,
): string {
    switch (key) {
        case "orchestrator":
            return `${place}: ${unknownOrchestrator(given)}`;
        case "secrets":
            // What stands there may be a secret.
            return `${place} is not what it should be; allowed: ${type.allowed} (${description})`;
        default:
            return `${place} is ${JSON.stringify(given)}; allowed: ${type.allowed} (${description})`;
    }
}

// `pulumi config set --path` stores 3 and true as number and boolean, whatever they are for.
function texts(map: unknown): Record<string, string> | undefined {
    return map === undefined
        ? undefined
        : Object.fromEntries(Object.entries(map as object).map(([name, value]) => [name, String(value)]));
}

function oneOf(...choices: readonly string[]): KeyType {
    return { allowed: choices.join(" or "), read: (value) => (choices.includes(value) ? value : undefined) };
}

function mapOf(what: string, isValue: (value: unknown) => boolean): KeyType {
    const isMap = (value: unknown): value is object =>
        typeof value === "object" &&
        value !== null &&
        !Array.isArray(value) &&
        Object.values(value).every(isValue);
    return {
        allowed: `a map of ${what}`,
        read: (value) => {
            const map = parseJson(value);
            return isMap(map) ? map : undefined;
        },
    };
}

function parseJson(value: string): unknown {
    try {
        return JSON.parse(value);
    } catch {
        return undefined;
    }
}

function unknownKeys(namespace: string): string[] {
    const prefix = `${namespace}:`;
    const keys = Object.keys(pulumi.runtime.allConfig()).filter((key) => key.startsWith(prefix));
    const known = Object.keys(CONFIG_KEYS);
    return keys
        .map((key) => key.slice(prefix.length).replace(/^config:/, ""))
        .filter((key) => !known.includes(key))
        .map((key) => {
            const near = nearest(key, known);
            const meant = near ? `; did you mean "${near}"?` : "";
            return `${prefix}${key} is not a key of this program; allowed: ${known.join(", ")}${meant}`;
        });
}
