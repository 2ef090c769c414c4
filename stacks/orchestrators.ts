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

/** What a stack with one orchestrator shows as its outputs. */
export function stackOutputs(run: Orchestrator) {
    const { runId, attempt, status, reason, message, steps, startedAt, finishedAt, durationSeconds } = run;
    const { interruptions, exitCode, logs, logUrl, artifacts, metrics } = run;
    return {
        ...{ runId, attempt, status, reason, message, steps, startedAt, finishedAt, durationSeconds },
        ...{ interruptions, exitCode, logs, logUrl, artifacts, metrics },
    };
}
