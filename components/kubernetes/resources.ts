import * as pulumi from "../sdk";
import { ATTEMPT_SPEC_TYPE, BUNDLE_CHUNKS_TYPE } from "../../src/provider/tokens";
import { version } from "../../src/version";

/** The code in ConfigMaps, in pieces. */
export class BundleChunks extends pulumi.CustomResource {
    /** Names of the ConfigMaps, in the order of the pieces. */
    declare readonly names: pulumi.Output<string[]>;
    declare readonly size: pulumi.Output<number>;

    constructor(name: string, args: pulumi.Inputs, opts: pulumi.CustomResourceOptions) {
        super(
            BUNDLE_CHUNKS_TYPE,
            name,
            { ...args, names: undefined, size: undefined, sha256: undefined },
            { version, ...opts },
        );
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
