import { ParamType, ParamValue } from "./types";

/** `10s`, `30m`, `2h`, `1d`, `1h30m`, or a number of seconds. */
export type DurationSpec = string | number;

/** Numbers and booleans are written out: `{ PORT: 8080 }` is `PORT=8080`. */
export type EnvSpec = Readonly<Record<string, string | number | boolean>>;

/** A pipeline as an author writes it, in TypeScript or, with the same keys, in `pipeline.yaml`. */
export interface PipelineSpec {
    /** 1 to 100 characters on one line. */
    readonly name: string;
    readonly description?: string;
    /** The container image that the steps run in, or how to build it. */
    readonly image?: string | ImageBuildSpec;
    /** Parameters: the default value, from which the type follows, or the long form. Steps see `STACKRUN_PARAM_<NAME>`. */
    readonly params?: Readonly<Record<string, ParamValue | ParamSpec>>;
    /** Environment variables of every step. */
    readonly env?: EnvSpec;
    /** Names of environment variables whose values come from Pulumi secrets. */
    readonly secrets?: readonly string[];
    /** How long the whole run may take. */
    readonly timeout?: DurationSpec;
    /**
     * How many steps may run side by side.
     * @default 1
     */
    readonly parallelism?: number;
    /**
     * What `cache` is for steps that don't say it themselves.
     * @default false
     */
    readonly cache?: boolean;
    /** What `retries` is for steps that don't say it themselves. */
    readonly retries?: number | RetriesSpec;
    /** The steps, in order. */
    readonly steps: readonly StepSpec[];
}

/** One command of a pipeline. */
export interface StepSpec {
    /** Letters, digits, `_`, `.` and `-`; unique in the pipeline, whatever the case. */
    readonly name: string;
    /** A text is run by `sh -c`; a list is a program and its arguments, executed as they are. */
    readonly run: string | readonly string[];
    /**
     * Steps that have to succeed before this one. The steps of `inputs` are added.
     * @default the step before it in the list
     */
    readonly after?: readonly string[];
    /** Outputs of other steps, as `step/output`; each is found at `$STACKRUN_INPUTS/<name>`. */
    readonly inputs?: Readonly<Record<string, string>>;
    /** Files or folders that the step leaves below `$STACKRUN_OUTPUTS`. */
    readonly outputs?: readonly string[];
    /** Environment variables of this step; they stand above the pipeline's. */
    readonly env?: EnvSpec;
    /** What happens when the step fails: the number of further tries, or more precisely. */
    readonly retries?: number | RetriesSpec;
    /** How long one try of the step may take. */
    readonly timeout?: DurationSpec;
    /** Take over the step's outputs from an earlier run that was the same. */
    readonly cache?: boolean;
    /** What the step needs, where the target can give each step its own. */
    readonly resources?: ResourcesSpec;
    /** Name of the processing backend that runs this step, if not the orchestrator itself. */
    readonly processing?: string;
}

/** What happens when a step fails. */
export interface RetriesSpec {
    /** Further tries after the first one, 0 to 100. */
    readonly limit?: number;
    /**
     * Pause before the second try.
     * @default 1s
     */
    readonly delay?: DurationSpec;
    /**
     * Each further pause is this many times the one before it.
     * @default 2
     */
    readonly factor?: number;
}

/** A parameter, in the long form. */
export interface ParamSpec {
    /** By default the type of `default`. */
    readonly type?: ParamType;
    /** The value if nothing else is given; without it the parameter has to be set. */
    readonly default?: ParamValue;
    readonly description?: string;
    /** All values that are allowed. */
    readonly enum?: readonly ParamValue[];
    readonly minimum?: number;
    readonly maximum?: number;
    /** A regular expression that a text has to contain a match of; `^…$` for the whole text. */
    readonly pattern?: string;
}

/** What a step needs of the machine that runs it. */
export interface ResourcesSpec {
    /** CPU cores: `2`, `0.5` or `"500m"`. */
    readonly cpu?: number | string;
    /** A Kubernetes quantity such as `4Gi`, or a number of bytes. */
    readonly memory?: string | number;
    readonly gpu?: number;
}

/** How the image that the steps run in is built. */
export interface ImageBuildSpec {
    readonly build: {
        /**
         * Folder that is sent to the builder.
         * @default .
         */
        readonly context?: string;
        /** Path of the Dockerfile in the context. */
        readonly dockerfile?: string;
        readonly args?: EnvSpec;
        /** Stage of the Dockerfile to build. */
        readonly target?: string;
        /** For example `linux/amd64`. */
        readonly platform?: string;
    };
}
