import type { Project } from "./project";

type Outputs = Awaited<ReturnType<Project["outputs"]>>;

/** What has to be the same of a run wherever it took place. */
export function outcomeFacts(outputs: Outputs) {
    return {
        status: outputs.status,
        steps: outputs.steps.map(({ name, state }: { name: string; state: string }) => [name, state]),
        metrics: outputs.metrics,
        artifacts: Object.fromEntries(
            Object.entries(outputs.artifacts as Record<string, { size: number; sha256: string }>).map(
                ([name, { size, sha256 }]) => [name, { size, sha256 }],
            ),
        ),
    };
}
