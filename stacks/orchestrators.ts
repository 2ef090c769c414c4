import * as pulumi from "@pulumi/pulumi";
import { RUN_OUTPUTS } from "../src/provider/tokens";
import { BadInputError } from "../components/errors";
import { LocalOrchestrator } from "../components/localOrchestrator";
import type { Orchestrator, OrchestratorArgs } from "../components/orchestrator";
import { requirePeer } from "../src/run/peer";
import { isOrchestratorKind, unknownArguments, unknownOrchestrator, type OrchestratorKind } from "./kinds";

type Make = (name: string, args: OrchestratorArgs) => Orchestrator;

/* eslint-disable @typescript-eslint/no-require-imports -- a cloud's SDK is loaded only where it is used, and now */
const MAKE: Readonly<Record<OrchestratorKind, Make>> = {
    local: (name, args) => new LocalOrchestrator(name, args),
    docker: (name, args) => {
        const load = () => require("../components/docker") as typeof import("../components/docker");
        return new (requirePeer("@pulumi/docker", load, "Docker").DockerOrchestrator)(name, args);
    },
    kubernetes: (name, args) => {
        const load = () => require("../components/kubernetes") as typeof import("../components/kubernetes");
        return new (requirePeer("@pulumi/kubernetes", load, "Kubernetes").KubernetesOrchestrator)(name, args);
    },
    gcp: (name, args) => {
        const load = () => require("../components/gcp") as typeof import("../components/gcp");
        return new (requirePeer("@pulumi/gcp", load, "Google Cloud").GcpOrchestrator)(name, args);
    },
};
/* eslint-enable @typescript-eslint/no-require-imports */

/**
 * Declares an orchestrator by its kind, as stack configuration and the command name it. `own` are arguments that only
 * this kind takes: their names are checked here, their values by the orchestrator.
 */
export function makeOrchestrator(
    kind: string,
    name: string,
    args: OrchestratorArgs,
    own: Readonly<Record<string, unknown>> = {},
): Orchestrator {
    const mistakes = isOrchestratorKind(kind)
        ? unknownArguments(kind, Object.keys(own))
        : [unknownOrchestrator(kind)];
    if (mistakes.length > 0) {
        throw new BadInputError(mistakes);
    }
    return MAKE[kind as OrchestratorKind](name, { ...args, ...own });
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
