import * as pulumi from "@pulumi/pulumi";
import { makeOrchestrator, stackOutputs } from "./orchestrators";
import { readConfig } from "./config";

/** The program of this repository's stacks: one run of one pipeline, as the stack's configuration says. */
const { orchestrator, args, own } = readConfig();
const run = makeOrchestrator(orchestrator, pulumi.getStack(), args, own);

export = stackOutputs(run);
