/** What the runner reports, one JSON object each: in `events.jsonl`, and on its standard output where only that can be read. */
export type RunnerEvent = EventHead & RunnerEventBody;

/** What a runner's event says, without its head. */
export type RunnerEventBody =
    /** `fresh`: the run directory held nothing, so every step will run. */
    | { readonly type: "run.started"; readonly pid: number; readonly fresh?: boolean }
    | { readonly type: "step.started"; readonly step: string; readonly try: number }
    | {
          readonly type: "step.retrying";
          readonly step: string;
          readonly try: number;
          readonly exitCode: number;
          readonly delaySeconds: number;
          readonly reason: StepReason;
      }
    | { readonly type: "step.reused"; readonly step: string }
    | {
          readonly type: "step.skipped";
          readonly step: string;
          readonly reason: "DependencyFailed" | "RunEnding";
      }
    | { readonly type: "metric"; readonly step: string; readonly name: string; readonly value: number }
    | ArtifactMade
    | StepFinished
    | { readonly type: "run.stopping"; readonly reason: string }
    | {
          readonly type: "run.finished";
          readonly state: FinalState | "Interrupted";
          readonly reason: string;
          readonly exitCode: number;
          readonly message: string;
      }
    | FollowerEvent;

/** What a record keeps of what a follower said, where the runner can't know it. */
export type FollowerEvent =
    | { readonly type: "run.interrupted"; readonly message: string }
    | { readonly type: "run.image"; readonly ref: string; readonly digest: string }
    | {
          readonly type: "run.ended";
          readonly state: FinalState;
          readonly reason: string;
          readonly message: string;
      };

/** A declared output of a step that has succeeded. */
export interface ArtifactMade {
    readonly type: "artifact";
    readonly step: string;
    readonly name: string;
    /** Bytes. */
    readonly size: number;
    /** Empty where the image has no tool to tell it. */
    readonly sha256: string;
    /** Where it is, if the follower knows. */
    readonly uri?: string;
}

/** What every event has. */
export interface EventHead {
    /** 1, 2, 3, …: without a gap, and going on over the attempts of a run. */
    readonly n: number;
    readonly nonce: string;
    /** UTC, RFC 3339. */
    readonly time: string;
    readonly attempt: number;
}

export interface StepFinished {
    readonly type: "step.finished";
    readonly step: string;
    readonly state: "Succeeded" | "Failed" | "Cancelled";
    /** The try that ended it: 1 for the first one. */
    readonly try: number;
    readonly exitCode: number;
    readonly reason: StepReason | "";
    readonly durationSeconds: number;
}

export type StepReason =
    | "StepFailed"
    | "StepTimedOut"
    | "OutputMissing"
    | "InputMissing"
    | "OutOfMemory"
    | "Cancelled"
    /** It has ended well, but what it left could not be stored. */
    | "ArtifactStoreFailed";

/** How a run can end. */
export type FinalState = "Succeeded" | "Failed" | "TimedOut" | "Cancelled" | "Lost";
/** The state of a run. */
export type RunState = "Pending" | "Running" | "Recovering" | FinalState;
/** The state of a step. */
export type StepState = "Pending" | "Running" | "Succeeded" | "Failed" | "Cached" | "Skipped" | "Cancelled";

/** The runner's exit codes; part of the contract with what watches it (for example a `podFailurePolicy`). */
export const RUNNER_EXIT = {
    succeeded: 0,
    stepFailed: 1,
    /** The plan can't be read, or the image lacks what the runner needs. */
    unusable: 64,
    /** Something of the run directory could not be written (for example: disk full). */
    recordFailed: 65,
    timedOut: 66,
    /** Asked to stop by whoever owns the run (`cancel` in the run directory). */
    cancelled: 67,
    /** TERM without such a request: the platform takes the machine. */
    interrupted: 68,
    /** What a step has left can't be brought to the artifact store, or from there. */
    storeFailed: 69,
    /** The code can't be fetched from the artifact store. */
    codeMissing: 70,
} as const;
