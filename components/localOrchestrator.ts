import type * as pulumi from "./sdk";
import { Orchestrator, type OrchestratorArgs } from "./orchestrator";

/** A local run takes what every orchestrator takes. */
export type LocalOrchestratorArgs = OrchestratorArgs;

/**
 * Runs the pipeline on this machine, in the environment and in the code folder of whoever runs `pulumi up`, one step
 * after the other unless `parallelism` says otherwise. The process is detached and keeps its own record: if `pulumi`
 * is killed, the run goes on, and the next `up` follows it to its end.
 *
 * @example
 * const weather = new LocalOrchestrator("weather", { pipeline: "pipeline.yaml", params: { horizon: 3 } });
 * export const { status, metrics } = weather;
 */
export class LocalOrchestrator extends Orchestrator {
    constructor(name: string, args: LocalOrchestratorArgs, opts?: pulumi.ComponentResourceOptions) {
        super("stackrun:index:LocalOrchestrator", name, args, opts);
        this.declareRun({ follower: { module: "local" }, inPlace: true });
    }
}
