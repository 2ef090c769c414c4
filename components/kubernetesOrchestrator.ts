import { DEFAULT_MAX_RECOVERIES } from "../src/run/followRun";
import type { StoreKind } from "./artifactStore";
import type { KubernetesOrchestratorArgs } from "./kubernetes/args";
import { clusterOf } from "./kubernetes/cluster";
import { Declaration } from "./kubernetes/declaration";
import { readTimes } from "./kubernetes/times";
import { kubernetesMistakes } from "./kubernetes/validate";
import { Orchestrator } from "./orchestrator";
import { imageMistakes, madeImage } from "./pulledImage";
import type * as pulumi from "./sdk";

/** What pods can reach. */
const STORES: readonly StoreKind[] = ["gs"];

/**
 * Runs the pipeline in a Kubernetes cluster: a Job for each attempt, with one pod in which the steps run. The Job makes
 * the pod anew when the platform took it; the run goes on if its finished steps are in an `artifactStore` or its folder is on a
 * PersistentVolumeClaim (`workspace`), and starts over if neither is. Nothing has to be installed in the cluster.
 *
 * @example
 * const train = new KubernetesOrchestrator("train", {
 *     pipeline: "pipeline.yaml",
 *     image: "python:3.12-slim",
 *     namespace: "jobs",
 *     memory: "2Gi",
 *     workspace: { size: "10Gi" },
 * });
 */
export class KubernetesOrchestrator extends Orchestrator {
    constructor(name: string, args: KubernetesOrchestratorArgs, opts?: pulumi.ComponentResourceOptions) {
        const where = `KubernetesOrchestrator "${name}"`;
        super(
            "stackrun:index:KubernetesOrchestrator",
            name,
            args,
            opts,
            (known) => [...kubernetesMistakes(args, where), ...imageMistakes(known, where, "the cluster")],
            { artifactStore: STORES },
        );
        const cluster = clusterOf(this, name, args);
        const times = readTimes(args);
        const maxRecoveries = args.maxRecoveries ?? DEFAULT_MAX_RECOVERIES;
        const store = this.storeUrl;
        this.declareRun({
            follower: {
                module: "kubernetes",
                options: {
                    ...cluster.options,
                    pendingTimeoutSeconds: times.pendingSeconds,
                    maxRecoveries,
                    ...(store ? { store } : {}),
                },
            },
            maxRecoveries,
            image: (image) => madeImage(this, `${name}-image`, image),
            // Elsewhere it is another run: what it has left is not there.
            fingerprint: { namespace: args.namespace, context: args.context, ...(store ? { store } : {}) },
            declare: (run) => new Declaration(this, name, args, cluster, times, run, where).declare(),
        });
    }
}
