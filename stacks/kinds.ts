import { nearest } from "../src/pipeline/words";

/** The orchestrators that stack configuration and the command can name. A list of its own: it loads no SDK. */
export const ORCHESTRATOR_KINDS = ["local"] as const;

export type OrchestratorKind = (typeof ORCHESTRATOR_KINDS)[number];

export function isOrchestratorKind(kind: string): kind is OrchestratorKind {
    return (ORCHESTRATOR_KINDS as readonly string[]).includes(kind);
}

/** The sentence for a kind of orchestrator that there isn't. */
export function unknownOrchestrator(kind: string): string {
    const near = nearest(kind, ORCHESTRATOR_KINDS);
    const meant = near ? `; did you mean "${near}"?` : "";
    return `orchestrator "${kind}" is not known; allowed: ${ORCHESTRATOR_KINDS.join(", ")}${meant}`;
}
