import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { BadInputError } from "../components/errors";
import { projectRoot } from "../components/projectRoot";
import type { OrchestratorArgs } from "../components/orchestrator";
import { nearest } from "../src/pipeline/words";

type ValueType = "text" | "boolean" | "number" | "object" | "any";

/** The stack configuration that the program reads: `pulumi config set stackrun:<key> <value>`. */
export const CONFIG_KEYS: Readonly<Record<string, { readonly type: ValueType; readonly description: string }>> = {
    orchestrator: { type: "text", description: "where the pipeline runs: local (the default)" },
    pipeline: { type: "text", description: "path of the pipeline's file, relative to the project's folder" },
    code: { type: "text", description: "folder of the steps' code; by default that of the pipeline's file" },
    params: { type: "object", description: "values of the pipeline's parameters (--path params.horizon)" },
    env: { type: "object", description: "environment variables for all steps" },
    secrets: { type: "object", description: "values of the pipeline's secrets (--secret --path secrets.NAME)" },
    image: { type: "text", description: "image in which the steps run, instead of the pipeline's" },
    trigger: { type: "any", description: "any change of it makes a new run" },
    timeout: { type: "text", description: "how long the run may take, for example 2h" },
    grace: { type: "text", description: "how long a step has between TERM and KILL, for example 10s" },
    parallelism: { type: "number", description: "how many steps may run side by side" },
    wait: { type: "boolean", description: "false: the update ends as soon as the run has started" },
    onFailure: { type: "text", description: "fail or record" },
    whileRunning: { type: "text", description: "refuse or replace" },
    stateDir: { type: "text", description: "folder for records of runs; by default .stackrun" },
};

export interface ConfiguredRun {
    readonly orchestrator: string;
    readonly args: OrchestratorArgs;
}

/** Reads and checks the stack's configuration; paths are relative to the project's root folder. All mistakes at once. */
export function readConfig(): ConfiguredRun {
    const config = new pulumi.Config();
    const mistakes = unknownKeys(config.name);
    const read = (key: string): unknown => {
        try {
            return readKey(config, key);
        } catch (error) {
            mistakes.push((error as Error).message);
            return undefined;
        }
    };
    const values = Object.fromEntries(Object.keys(CONFIG_KEYS).map((key) => [key, read(key)]));
    if (values.pipeline === undefined && mistakes.length === 0) {
        mistakes.push(`${config.name}:pipeline is not set; try: pulumi config set ${config.name}:pipeline examples/weather/pipeline.yaml`);
    }
    if (mistakes.length > 0) {
        throw new BadInputError(mistakes);
    }
    const { orchestrator, pipeline, code, secrets, ...rest } = values;
    const root = projectRoot();
    const args = {
        ...rest,
        pipeline: path.resolve(root, pipeline as string),
        code: code === undefined ? undefined : path.resolve(root, code as string),
        secrets: secrets as OrchestratorArgs["secrets"],
    };
    return { orchestrator: (orchestrator as string | undefined) ?? "local", args: args as OrchestratorArgs };
}

function readKey(config: pulumi.Config, key: string): unknown {
    const text = config.get(key);
    if (text === undefined) {
        return undefined;
    }
    const fail = (what: string): never => {
        throw new Error(`${config.name}:${key} is ${JSON.stringify(text)}; allowed: ${what} (${CONFIG_KEYS[key]?.description})`);
    };
    switch (CONFIG_KEYS[key]?.type) {
        case "boolean":
            return text === "true" ? true : text === "false" ? false : fail("true or false");
        case "number":
            return Number.isFinite(Number(text)) ? Number(text) : fail("a number");
        case "object": {
            const value = parseJson(text);
            return typeof value === "object" && value !== null && !Array.isArray(value) ? value : fail("a map of names to values");
        }
        case "any":
            return parseJson(text) ?? text;
        default:
            return text;
    }
}

function parseJson(text: string): unknown {
    try {
        return JSON.parse(text);
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
            return `${prefix}${key} is not a key of this program${near ? `; did you mean "${near}"?` : ""}; allowed: ${known.join(", ")}`;
        });
}
