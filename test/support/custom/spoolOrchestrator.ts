import * as pulumi from "@pulumi/pulumi";
import { Orchestrator, type OrchestratorArgs } from "stackrun";
import type { SpoolOptions } from "./spoolFollower";

export interface SpoolOrchestratorArgs extends OrchestratorArgs {
    /** Folder of the queue from which the worker takes its jobs. */
    queue: string;
}

/** An orchestrator from outside the package: it knows what is public, and nothing else. */
export class SpoolOrchestrator extends Orchestrator {
    constructor(name: string, args: SpoolOrchestratorArgs, opts?: pulumi.ComponentResourceOptions) {
        super("acme:spool:SpoolOrchestrator", name, args, opts);
        const options: SpoolOptions = { queue: args.queue };
        this.declareRun({
            follower: { module: require.resolve("./spoolFollower"), options: { ...options } },
            fingerprint: { queue: args.queue },
            declare: ({ attemptName }) => [new Ticket(`${name}-ticket`, attemptName, { parent: this })],
        });
    }
}

/** Stands for what a real target would declare: a Job, a machine, an entry of a queue. */
class Ticket extends pulumi.ComponentResource {
    constructor(name: string, job: pulumi.Output<string>, opts: pulumi.ComponentResourceOptions) {
        super("acme:spool:Ticket", name, {}, opts);
        this.registerOutputs({ job });
    }
}
