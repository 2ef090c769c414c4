import * as pulumi from "./sdk";
import { RUN_ID_TYPE, RUN_OUTPUTS, RUN_TYPE, STORED_BUNDLE_TYPE } from "../src/provider/tokens";
import { version } from "../src/version";
import type { Artifact } from "../src/run/record";
import type { RunState } from "../src/run/events";
import type { StepSnapshot } from "../src/run/snapshot";

/** Names a run, and tells whether there is a new one. */
export class RunId extends pulumi.CustomResource {
    declare readonly runId: pulumi.Output<string>;
    declare readonly attempt: pulumi.Output<number>;
    /** Random text of the attempt, which the events of its runner carry. */
    declare readonly nonce: pulumi.Output<string>;
    /** What the target is declared with, as it was when the attempt began. */
    declare readonly config: pulumi.Output<unknown>;

    constructor(name: string, args: pulumi.Inputs, opts: pulumi.CustomResourceOptions) {
        const outputs = { runId: undefined, attempt: undefined, nonce: undefined };
        super(RUN_ID_TYPE, name, { ...args, ...outputs }, { version, ...opts });
    }
}

/** One attempt of a run, followed to its end. */
export class Run extends pulumi.CustomResource {
    declare readonly runId: pulumi.Output<string>;
    declare readonly attempt: pulumi.Output<number>;
    declare readonly status: pulumi.Output<RunState>;
    declare readonly reason: pulumi.Output<string>;
    declare readonly message: pulumi.Output<string>;
    declare readonly steps: pulumi.Output<StepSnapshot[]>;
    declare readonly startedAt: pulumi.Output<string | undefined>;
    declare readonly finishedAt: pulumi.Output<string | undefined>;
    declare readonly durationSeconds: pulumi.Output<number | undefined>;
    declare readonly interruptions: pulumi.Output<number>;
    declare readonly exitCode: pulumi.Output<number | undefined>;
    declare readonly logs: pulumi.Output<string>;
    declare readonly logUrl: pulumi.Output<string>;
    declare readonly artifacts: pulumi.Output<Record<string, Artifact>>;
    declare readonly metrics: pulumi.Output<Record<string, Record<string, number>>>;

    constructor(name: string, args: pulumi.Inputs, opts: pulumi.CustomResourceOptions) {
        const outputs = Object.fromEntries(RUN_OUTPUTS.map((output) => [output, undefined]));
        super(RUN_TYPE, name, { ...args, ...outputs }, { version, ...opts });
    }
}

/** What a {@link StoredBundle} is made of. */
export interface StoredBundleArgs {
    /** The complete URL of the artifact store. */
    store: pulumi.Input<string>;
    codeDir: pulumi.Input<string>;
    codeHash: pulumi.Input<string>;
    stateDir: pulumi.Input<string>;
    /** The attempt that needs it: before each, it is looked whether the code is still there. */
    attempt: pulumi.Input<string>;
}

/** The code in an artifact store, under the hash of its content: it is uploaded once, and stays when this is deleted. */
export class StoredBundle extends pulumi.CustomResource {
    /** Where it is below the store's URL. */
    declare readonly key: pulumi.Output<string>;
    declare readonly url: pulumi.Output<string>;
    /** Of the archive, in bytes. */
    declare readonly size: pulumi.Output<number>;
    /** Of the archive; its name is the hash of the code itself. */
    declare readonly sha256: pulumi.Output<string>;

    constructor(name: string, args: StoredBundleArgs, opts: pulumi.CustomResourceOptions) {
        const outputs = { key: undefined, url: undefined, size: undefined, sha256: undefined };
        super(STORED_BUNDLE_TYPE, name, { ...args, ...outputs }, { version, ...opts });
    }
}
