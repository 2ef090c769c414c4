import * as pulumi from "../sdk";
import { BUNDLE_CHUNKS_TYPE } from "../../src/provider/tokens";
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
