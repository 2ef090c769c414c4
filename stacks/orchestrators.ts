import type { Orchestrator, OrchestratorArgs } from "../components/orchestrator";
import { LocalOrchestrator } from "../components/localOrchestrator";
import { BadInputError } from "../components/errors";
import { nearest } from "../src/pipeline/words";

type Make = (name: string, args: OrchestratorArgs) => Orchestrator;

/** The orchestrators that stack configuration and the command can name. */
const ORCHESTRATORS: Readonly<Record<string, Make>> = {
    local: (name, args) => new LocalOrchestrator(name, args),
};

export function makeOrchestrator(kind: string, name: string, args: OrchestratorArgs): Orchestrator {
    const make = ORCHESTRATORS[kind];
    if (!make) {
        const known = Object.keys(ORCHESTRATORS);
        const near = nearest(kind, known);
        throw new BadInputError([`orchestrator "${kind}" is not known${near ? `; did you mean "${near}"?` : ""}; allowed: ${known.join(", ")}`]);
    }
    return make(name, args);
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
