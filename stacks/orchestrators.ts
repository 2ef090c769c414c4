import * as pulumi from "@pulumi/pulumi";
import { RUN_OUTPUTS } from "../src/provider/tokens";
import { BadInputError } from "../components/errors";
import { LocalOrchestrator } from "../components/localOrchestrator";
import type { Orchestrator, OrchestratorArgs } from "../components/orchestrator";
import { isOrchestratorKind, unknownOrchestrator, type OrchestratorKind } from "./kinds";

type Make = (name: string, args: OrchestratorArgs) => Orchestrator;

const MAKE: Readonly<Record<OrchestratorKind, Make>> = {
    local: (name, args) => new LocalOrchestrator(name, args),
};

/** Declares an orchestrator by its kind, as stack configuration and the command name it. */
export function makeOrchestrator(kind: string, name: string, args: OrchestratorArgs): Orchestrator {
    if (!isOrchestratorKind(kind)) {
        throw new BadInputError([unknownOrchestrator(kind)]);
    }
    return MAKE[kind](name, args);
}

/** What a stack with one orchestrator shows as its outputs. What is not known before the end is null until then. */
export function stackOutputs(run: Orchestrator) {
    const shown = RUN_OUTPUTS.map((name) => [name, orNull(run[name] as pulumi.Output<unknown>)] as const);
    return { runId: run.runId, attempt: run.attempt, ...Object.fromEntries(shown) };
}

// Pulumi warns of outputs that are undefined.
function orNull(output: pulumi.Output<unknown>): pulumi.Output<unknown> {
    return output.apply((value) => value ?? null);
}
