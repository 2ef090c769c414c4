import type { Pipeline, ParamValue } from "../pipeline/types";
import type { FinalState, RunnerEvent } from "./events";

/** One attempt of a run, and the folder on this machine that keeps its record. */
export interface RunRef {
    readonly runId: string;
    /** 1 for the first attempt. */
    readonly attempt: number;
    /** Absolute path of `.stackrun/runs/<runId>`. */
    readonly runDir: string;
}

/** All that a follower needs in order to start an attempt. */
export interface RunSpec extends RunRef {
    /** Random text that every event of this attempt carries, so that a step's output can't forge one. */
    readonly nonce: string;
    readonly pipeline: Pipeline;
    readonly params: Readonly<Record<string, ParamValue>>;
    /** Environment variables of all steps; the pipeline's own are among them. */
    readonly env: Readonly<Record<string, string>>;
    /** Secret values by the name of their environment variable: never to be written anywhere in the clear. */
    readonly secrets: Readonly<Record<string, string>>;
    /** Absolute path of the user's code. */
    readonly codeDir: string;
    readonly codeHash: string;
    readonly parallelism: number;
    readonly timeoutSeconds?: number;
    readonly graceSeconds: number;
    /** Steps that earlier attempts have finished: their outputs are kept, and they are not to be run again. */
    readonly finishedSteps: readonly string[];
}

/** What is known of an attempt without following it. */
export type Outcome =
    /** Nothing is known of the run: its record is gone, or on another machine. */
    | { readonly kind: "NoRecord"; readonly message: string }
    /** The run is known, and this attempt of it was not started. */
    | { readonly kind: "NotStarted" }
    | { readonly kind: "Running" }
    | {
          readonly kind: "Finished";
          readonly state: FinalState;
          readonly reason: string;
          readonly message: string;
      };

/** One line of the log, and the step that printed it. */
export interface LogLine {
    readonly step: string;
    readonly text: string;
}

/** What a follower sees, in the order in which it happened. A step's lines come before the event that ends it. */
export type FollowItem = Seen & {
    /** Where to go on behind this item, in the follower's own words; it comes back as `from` of {@link Follower.follow}. */
    readonly bookmark?: string;
};

type Seen =
    | { readonly type: "event"; readonly event: RunnerEvent }
    | { readonly type: "log"; readonly lines: readonly LogLine[] }
    /** What the target is waiting for, for people: "pulling the image". */
    | { readonly type: "status"; readonly text: string }
    /** The platform took the machine; the run goes on elsewhere. */
    | { readonly type: "interrupted"; readonly message: string }
    /** The target ended, and its runner didn't say why; `state` is `Lost` unless the target itself told more. */
    | {
          readonly type: "lost";
          readonly reason: string;
          readonly message: string;
          readonly state?: FinalState;
      }
    /** What the image's name stands for, as `name@sha256:…` or an image id. */
    | { readonly type: "image"; readonly ref: string; readonly digest: string };

/**
 * Watches one target. Nothing but what is listed here is used of a follower, built-in or custom.
 * Every method may be called again for the same attempt, by another process too.
 */
export interface Follower {
    /** True if the target itself writes `events.jsonl` and `log` of the run directory; else the plugin does. */
    readonly recordsItself?: boolean;
    /** Starts the attempt, unless declaring its target has started it already. Resolves once it runs. */
    start?(spec: RunSpec, signal: AbortSignal): Promise<void>;
    /** Throws if it can't be looked up: nothing is ever run twice on a guess. */
    lastOutcome(run: RunRef): Promise<Outcome>;
    /**
     * From the attempt's first item, or from right behind the item with the bookmark `from`, to the attempt's end, also
     * if it had ended before. Ends early when `signal` is aborted.
     */
    follow(run: RunRef, signal: AbortSignal, from?: string): AsyncIterable<FollowItem>;
    /** Stops the run in order; resolves once it has ended. Does nothing if it has ended already. */
    cancel(run: RunRef, reason: string): Promise<void>;
    /** Called after `interrupted`: brings the target back. Without it such a run is `Lost`. */
    recover?(run: RunRef, signal: AbortSignal): Promise<void>;
}

/** Which follower watches a run: a built-in one by name, or a module that exports `createFollower`. */
export interface FollowerSpec {
    /** `local`, or the absolute path of a CommonJS module. */
    readonly module: string;
    readonly options?: Readonly<Record<string, unknown>>;
}

/** What the module of a follower exports as `createFollower`: it gets the options of the {@link FollowerSpec}. */
export type CreateFollower = (options: Readonly<Record<string, unknown>>) => Follower;
