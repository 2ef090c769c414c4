import { DURATION_ALLOWED, DURATION_PATTERN } from "./duration";
import { IDENTIFIER, IMAGE, MEMORY, PIPELINE_NAME, STEP_NAME } from "./names";

/** A JSON Schema; `errorMessage` says in words what is allowed, to editors and in our own messages. */
export type Schema = { readonly [keyword: string]: unknown };

export const MAX_STEPS = 1000;
export const MAX_RETRIES = 100;
export const MAX_PARALLELISM = 1000;

const allowed = (words: string): Schema => ({ errorMessage: `Allowed: ${words}` });

const text = (description: string, rule?: { pattern: string; allowed: string }): Schema => ({
    type: "string",
    description,
    ...(rule === undefined ? allowed("a text") : { pattern: rule.pattern, ...allowed(rule.allowed) }),
});

const list = (description: string, items: Schema, words: string): Schema => ({
    type: "array",
    description,
    items,
    ...allowed(words),
});

const mapping = (description: string, properties: Record<string, Schema>, words: string): Schema => ({
    type: "object",
    description,
    properties,
    additionalProperties: false,
    ...allowed(words),
});

const flag = (description: string): Schema => ({ type: "boolean", description, ...allowed("true or false") });

const duration = (description: string): Schema => ({
    type: ["string", "number"],
    description: `${description} For example 10s, 30m, 2h, 1d, 1h30m, or a number of seconds.`,
    pattern: DURATION_PATTERN,
    minimum: 0,
    ...allowed(DURATION_ALLOWED),
});

const variables = (description: string): Schema => ({
    type: "object",
    description,
    propertyNames: { pattern: IDENTIFIER.pattern, ...allowed(IDENTIFIER.allowed) },
    additionalProperties: {
        type: ["string", "number", "boolean"],
        ...allowed('a text, a number, true or false ("" for an empty value)'),
    },
    ...allowed("a mapping of names to values"),
});

const retries = (description: string): Schema => ({
    type: ["integer", "object"],
    description,
    minimum: 0,
    maximum: MAX_RETRIES,
    properties: {
        limit: {
            type: "integer",
            description: "Further tries after the first one.",
            minimum: 0,
            maximum: MAX_RETRIES,
            default: 0,
            ...allowed(`a whole number from 0 to ${MAX_RETRIES}`),
        },
        delay: { ...duration("Pause before the second try."), default: "1s" },
        factor: {
            type: "number",
            description: "Each further pause is this many times the one before it.",
            minimum: 1,
            maximum: 100,
            default: 2,
            ...allowed("a number from 1 to 100"),
        },
    },
    additionalProperties: false,
    minProperties: 1,
    ...allowed(`a whole number from 0 to ${MAX_RETRIES}, or {limit, delay, factor}`),
});

const scalar = (description: string): Schema => ({
    type: ["string", "number", "boolean"],
    description,
    ...allowed("a text, a number, true or false"),
});

const image: Schema = {
    type: ["string", "object"],
    description: "The container image that the steps run in, or how to build it.",
    pattern: IMAGE.pattern,
    properties: {
        build: mapping(
            "Build the image, as docker build does.",
            {
                context: {
                    ...text("Folder that is sent to the builder.", { pattern: "\\S", allowed: "a folder" }),
                    default: ".",
                },
                dockerfile: text("Path of the Dockerfile in the context.", {
                    pattern: "\\S",
                    allowed: "a file",
                }),
                args: variables("Build arguments."),
                target: text("Stage of the Dockerfile to build.", {
                    pattern: "\\S",
                    allowed: "a stage's name",
                }),
                platform: text("For example linux/amd64.", {
                    pattern: "^[a-z0-9]+/[a-z0-9]+(?:/[a-z0-9]+)?$",
                    allowed: "a platform such as linux/amd64 or linux/arm64",
                }),
            },
            "a mapping of context, dockerfile, args, target and platform",
        ),
    },
    required: ["build"],
    additionalProperties: false,
    ...allowed(IMAGE.allowed),
};

const params: Schema = {
    type: "object",
    description:
        "Parameters; each step sees them as STACKRUN_PARAM_<NAME>. Every stack can set its own values.",
    propertyNames: { pattern: IDENTIFIER.pattern, ...allowed(IDENTIFIER.allowed) },
    additionalProperties: {
        type: ["string", "number", "boolean", "object"],
        description: "The default value, from which the type follows, or {type, default, description, …}.",
        properties: {
            type: {
                description: "Type of the value; by default that of `default`.",
                enum: ["string", "integer", "number", "boolean"],
                ...allowed("string, integer, number or boolean"),
            },
            default: scalar("The value if nothing else is given; without it the parameter has to be set."),
            description: text("What the parameter means."),
            enum: {
                ...list("All values that are allowed.", scalar("A value."), "a list of values"),
                minItems: 1,
            },
            minimum: { type: "number", description: "The smallest number allowed.", ...allowed("a number") },
            maximum: { type: "number", description: "The largest number allowed.", ...allowed("a number") },
            pattern: text("Regular expression that a text has to contain a match of; ^…$ for the whole."),
        },
        additionalProperties: false,
        ...allowed("a value (a text, a number, true or false), or {type, default, description, …}"),
    },
    ...allowed("a mapping of names to values"),
};

const resources = mapping(
    "What the step needs; used where the target can give each step its own.",
    {
        cpu: {
            type: ["number", "string"],
            description: "CPU cores, for example 2, 0.5 or 500m.",
            exclusiveMinimum: 0,
            maximum: 100_000,
            pattern: "^[1-9][0-9]{0,7}m$",
            ...allowed("a number of cores such as 2, 0.5 or 500m"),
        },
        memory: {
            type: ["string", "integer"],
            description: "A Kubernetes quantity, for example 4Gi.",
            minimum: 1,
            pattern: MEMORY.pattern,
            ...allowed(MEMORY.allowed),
        },
        gpu: {
            type: "integer",
            description: "Number of GPUs.",
            minimum: 0,
            maximum: 1000,
            ...allowed("a whole number from 0 to 1000"),
        },
    },
    "a mapping of cpu, memory and gpu",
);

const step: Schema = {
    ...mapping(
        "One command of the pipeline.",
        {
            name: text("Name of the step, and of its folder.", STEP_NAME),
            run: {
                type: ["string", "array"],
                description:
                    "A text is run by sh -c; a list is a program and its arguments, executed as they are.",
                pattern: "\\S",
                items: { type: "string", ...allowed("a text (numbers in quotes)") },
                minItems: 1,
                ...allowed("a command for the shell, or a list of a program and its arguments"),
            },
            after: list(
                "Steps that have to succeed before; by default the one before it in the list. [] for none.",
                text("Name of a step."),
                "a list of step names, [] for none",
            ),
            inputs: {
                type: "object",
                description: "Outputs of other steps; each is found at $STACKRUN_INPUTS/<name>.",
                additionalProperties: {
                    type: "string",
                    description: "The step and its output.",
                    ...allowed("step/output, such as load/raw.csv"),
                },
                ...allowed("a mapping of names to step/output, such as {raw: load/raw.csv}"),
            },
            outputs: list(
                "Files or folders that the step leaves below $STACKRUN_OUTPUTS.",
                text("A path below the step's output folder."),
                "a list of paths such as [raw.csv]",
            ),
            env: variables("Environment variables of this step; they stand above the pipeline's."),
            retries: retries("What happens when the step fails."),
            timeout: duration("How long one try of the step may take."),
            cache: flag("Take over the step's outputs from an earlier run that was the same."),
            resources,
            processing: text("Name of the processing backend that runs this step.", STEP_NAME),
        },
        "a mapping with name and run",
    ),
    required: ["name", "run"],
};

/** The one description of what a pipeline looks like; published as schema/pipeline.schema.json. */
export const pipelineSchema: Schema = {
    $schema: "http://json-schema.org/draft-07/schema#",
    $id: "urn:stackrun:pipeline",
    title: "stackrun pipeline",
    ...mapping(
        "A pipeline: named steps, run in order.",
        {
            name: text("Name of the pipeline.", PIPELINE_NAME),
            description: text("What the pipeline does."),
            image,
            params,
            env: variables("Environment variables of every step."),
            secrets: list(
                "Names of environment variables whose values come from Pulumi secrets.",
                text("Name of an environment variable.", IDENTIFIER),
                "a list of names; their values come from Pulumi secrets",
            ),
            timeout: duration("How long the whole run may take."),
            parallelism: {
                type: "integer",
                description: "How many steps may run side by side.",
                minimum: 1,
                maximum: MAX_PARALLELISM,
                default: 1,
                ...allowed(`a whole number from 1 to ${MAX_PARALLELISM}`),
            },
            cache: { ...flag("What `cache` is for steps that don't say it themselves."), default: false },
            retries: retries("What `retries` is for steps that don't say it themselves."),
            steps: {
                ...list("The steps, in order.", step, "a list of steps"),
                minItems: 1,
                maxItems: MAX_STEPS,
            },
        },
        "a mapping with name and steps",
    ),
    required: ["name", "steps"],
};
