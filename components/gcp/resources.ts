import * as pulumi from "../sdk";
import { GCP_CHECK_TYPE, MADE_MACHINE_TYPE } from "../../src/provider/tokens";
import { version } from "../../src/version";

export interface GcpCheckArgs {
    attempt: pulumi.Input<string>;
    project: pulumi.Input<string>;
    zones: pulumi.Input<string>[];
    machineType: pulumi.Input<string>;
    /** The path of the boot image, or of its family. */
    image: pulumi.Input<string>;
    computeEndpoint?: pulumi.Input<string>;
    gpuType?: pulumi.Input<string>;
}

/** Looks up all that the machine's arguments name, before anything is made. */
export class GcpCheck extends pulumi.CustomResource {
    constructor(name: string, args: GcpCheckArgs, opts: pulumi.CustomResourceOptions) {
        super(GCP_CHECK_TYPE, name, { ...args }, { version, ...opts });
    }
}

export interface MadeMachineArgs {
    project: pulumi.Input<string>;
    zones: pulumi.Input<pulumi.Input<string>[]>;
    name: pulumi.Input<string>;
    computeEndpoint?: pulumi.Input<string>;
    /** Of `instances.insert`, with `{zone}` where a zone's name stands. */
    body: pulumi.Input<object>;
}

/** A machine that what follows the run makes, in the first zone that has room; it goes with this resource. */
export class MadeMachine extends pulumi.CustomResource {
    constructor(name: string, args: MadeMachineArgs, opts: pulumi.CustomResourceOptions) {
        super(MADE_MACHINE_TYPE, name, { ...args }, { version, ...opts });
    }
}
