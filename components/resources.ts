import * as pulumi from "./sdk";
import {
    ATTEMPT_SPEC_TYPE,
    RUN_ID_TYPE,
    RUN_OUTPUTS,
    RUN_TYPE,
    STORED_BUNDLE_TYPE,
    STORED_FILES_TYPE,
} from "../src/provider/tokens";
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

/** What an attempt was declared with: it stays as it is until there is another attempt. */
export class AttemptSpec extends pulumi.CustomResource {
    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    declare readonly kept: pulumi.Output<any>;

    constructor(
        name: string,
        args: { attempt: pulumi.Input<string>; value: pulumi.Input<unknown> },
        opts: pulumi.CustomResourceOptions,
    ) {
        super(ATTEMPT_SPEC_TYPE, name, { ...args, kept: undefined }, { version, ...opts });
    }
}

/** What {@link StoredFiles} are made of. */
export interface StoredFilesArgs {
    /** The complete URL of the artifact store. */
    store: pulumi.Input<string>;
    /** What the names stand below. */
    prefix: pulumi.Input<string>;
    /** Name to content. */
    files: pulumi.Input<Record<string, pulumi.Input<string>>>;
    attempt: pulumi.Input<string>;
}

/** Small files of an attempt in an artifact store. They go with it. */
export class StoredFiles extends pulumi.CustomResource {
    declare readonly url: pulumi.Output<string>;

    constructor(name: string, args: StoredFilesArgs, opts: pulumi.CustomResourceOptions) {
        super(STORED_FILES_TYPE, name, { ...args, url: undefined }, { version, ...opts });
    }
}
