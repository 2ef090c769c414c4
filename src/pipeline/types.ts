/**
 * A validated, normalized pipeline: what `loadPipeline` and `definePipeline` return.
 * Durations are in seconds, names are resolved, and steps stand in the order in which they may start.
 */
export interface Pipeline {
    readonly name: string;
    readonly description?: string;
    readonly image?: string | ImageBuild;
    readonly params: Readonly<Record<string, Param>>;
    readonly env: Readonly<Record<string, string>>;
    /** Names of the environment variables whose values come from Pulumi secrets. */
    readonly secrets: readonly string[];
    readonly timeoutSeconds?: number;
    /** How many steps may run side by side; 1 is sequential. */
    readonly parallelism: number;
    readonly steps: readonly Step[];
}

export interface ImageBuild {
    readonly build: {
        readonly context: string;
        readonly dockerfile?: string;
        readonly args?: Readonly<Record<string, string>>;
        readonly target?: string;
        readonly platform?: string;
    };
}

/** What values a parameter can have. */
export type ParamType = "string" | "integer" | "number" | "boolean";
/** The value of a parameter. */
export type ParamValue = string | number | boolean;

/** A parameter of a pipeline, as it was declared. */
export interface Param {
    readonly type: ParamType;
    readonly default?: ParamValue;
    readonly description?: string;
    readonly enum?: readonly ParamValue[];
    readonly minimum?: number;
    readonly maximum?: number;
    readonly pattern?: string;
}

/** A step of a pipeline, with its defaults filled in. */
export interface Step {
    readonly name: string;
    /** A string is run by `sh -c`, a list is executed as it is. */
    readonly run: string | readonly string[];
    /** Steps that must have succeeded before; inputs' steps included, in the pipeline's order. */
    readonly after: readonly string[];
    /** Input name -> where it comes from. */
    readonly inputs: Readonly<Record<string, StepOutputRef>>;
    /** Relative paths below the step's output folder. */
    readonly outputs: readonly string[];
    readonly env: Readonly<Record<string, string>>;
    readonly retries: Retries;
    readonly timeoutSeconds?: number;
    readonly cache: boolean;
    readonly resources?: Resources;
    /** Name of the processing backend that runs this step, if not the orchestrator itself. */
    readonly processing?: string;
}

export interface StepOutputRef {
    readonly step: string;
    readonly output: string;
}

export interface Retries {
    /** Further tries after the first one. */
    readonly limit: number;
    readonly delaySeconds: number;
    /** Each further delay is this many times the one before it. */
    readonly factor: number;
}

export interface Resources {
    readonly cpu?: number;
    /** A Kubernetes quantity, for example `4Gi`. */
    readonly memory?: string;
    readonly gpu?: number;
}
