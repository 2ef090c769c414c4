/** All that the runner has to know of one attempt of a run; written below `plan/` in a form that sh reads. */
export interface RunPlan {
    readonly runId: string;
    /** 1 for the first attempt of a run. */
    readonly attempt: number;
    /** Random text that every event of this attempt carries, so that a step's output can't forge one. */
    readonly nonce: string;
    readonly pipeline: string;
    /** `files`: events only go to `events.jsonl`; `stdout`: also to standard output, as RFC 7464 records. */
    readonly stream: "files" | "stdout";
    readonly parallelism: number;
    readonly timeoutSeconds?: number;
    /** How long a step has between TERM and KILL. */
    readonly graceSeconds: number;
    /** Absolute path of the steps' working directory; by default `code/` in the run directory. */
    readonly codeDir?: string;
    /**
     * A step that has ended well counts only when ship.sh has stored it. Set to how long ship.sh may give no sign of life
     * before the run has failed for that.
     */
    readonly shipSilenceSeconds?: number;
    readonly env: Readonly<Record<string, string>>;
    /** Names of environment variables that hold secret values: masked in every line of output. */
    readonly secrets: readonly string[];
    readonly steps: readonly PlanStep[];
}

export interface PlanStep {
    readonly name: string;
    readonly argv: readonly string[];
    readonly after: readonly string[];
    readonly inputs: Readonly<Record<string, { readonly step: string; readonly output: string }>>;
    readonly outputs: readonly string[];
    readonly env: Readonly<Record<string, string>>;
    readonly retries: { readonly limit: number; readonly delaySeconds: number; readonly factor: number };
    readonly timeoutSeconds?: number;
}
