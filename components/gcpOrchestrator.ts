import { DEFAULT_MAX_RECOVERIES } from "../src/run/followRun";
import type { GcpFollowerOptions } from "../src/run/gcp/options";
import type { StoreKind } from "./artifactStore";
import type { GcpOrchestratorArgs } from "./gcp/args";
import { imagePath } from "./gcp/bootImage";
import { ownBucket } from "./gcp/bucket";
import { declareAttempt } from "./gcp/declaration";
import { ownIdentity } from "./gcp/identity";
import { BOOT_IMAGE, MACHINE_TYPE } from "./gcp/instance";
import { placeOf } from "./gcp/place";
import { GcpCheck } from "./gcp/resources";
import { gcpMistakes } from "./gcp/validate";
import { isToBuild, type ImageSource } from "./image";
import { Orchestrator } from "./orchestrator";
import { withoutUndefined } from "./plain";
import { imageMistakes, madeImage } from "./pulledImage";
import * as pulumi from "./sdk";

/** What machines on Google Cloud reach as themselves. */
const STORES: readonly StoreKind[] = ["gs"];

/**
 * Runs the pipeline on a machine of Compute Engine, a Spot machine unless said otherwise. Code, finished steps and the log are in a bucket:
 * when Google takes the machine, the run goes on from its last finished step on the next one, and the machine goes off by itself
 * at the end, whoever watches.
 *
 * @example
 * const train = new GcpOrchestrator("train", {
 *     pipeline: "pipeline.yaml",
 *     image: "python:3.12-slim",
 *     zones: ["us-central1-a", "us-central1-b"],
 *     machineType: "e2-standard-4",
 * });
 */
export class GcpOrchestrator extends Orchestrator {
    /**
     * @throws BadInputError with all mistakes in the pipeline and the arguments, before anything is declared.
     */
    constructor(name: string, args: GcpOrchestratorArgs, opts?: pulumi.ComponentResourceOptions) {
        const where = `GcpOrchestrator "${name}"`;
        super(
            "stackrun:index:GcpOrchestrator",
            name,
            args,
            opts,
            (known) => [...gcpMistakes(args, where), ...imageMistakes(known, where, "the machine")],
            { artifactStore: STORES },
        );
        const place = placeOf(args);
        const { project, zones, computeEndpoint } = place;
        const check = new GcpCheck(
            `${name}-check`,
            {
                // Before the store, and so before there is an attempt that could be named.
                attempt: "",
                project,
                zones: [...zones],
                machineType: args.machineType ?? MACHINE_TYPE,
                image: pulumi.output(args.bootImage ?? BOOT_IMAGE).apply(imagePath),
                computeEndpoint,
                gpuType: args.gpu?.type,
            },
            { parent: this },
        );
        const first = { parent: this, dependsOn: [check] };
        const bucket = this.storeUrl ? undefined : ownBucket(name, args, place, first);
        const store = this.storeUrl ?? (bucket?.url as pulumi.Output<string>);
        const maxRecoveries = args.maxRecoveries ?? DEFAULT_MAX_RECOVERIES;
        const fallback = args.whenExhausted === "standard" ? "standard" : undefined;
        const made = zones.length > 1 || fallback !== undefined;
        const options: pulumi.Inputs & Record<keyof GcpFollowerOptions, unknown> = withoutUndefined({
            project,
            zones: [...zones],
            made,
            store,
            computeEndpoint,
            maxRecoveries,
            fallback,
        }) as never;
        let image: unknown;
        this.declareRun({
            follower: { module: "gcp", options },
            // The one on a standard machine is beyond the follower's own.
            maxRecoveries: maxRecoveries + (fallback ? 1 : 0),
            store,
            image: (source) => {
                image = nameOf(source);
                return madeImage(this, `${name}-image`, source);
            },
            // Elsewhere it is another run: what it has left is not there.
            fingerprint: { project, store },
            declare: (run) => {
                const parts = { project, store, ownBucket: bucket !== undefined, image };
                const identity =
                    args.serviceAccount === undefined
                        ? ownIdentity(name, parts, first)
                        : { email: args.serviceAccount, resources: [] };
                const needs = bucket ? [check, bucket] : [check];
                return declareAttempt(this, name, args, run, {
                    place,
                    identity,
                    store,
                    made,
                    first: needs,
                    where,
                });
            },
        });
    }
}

// As far as it is known before anything is built.
function nameOf(image: ImageSource): unknown {
    return isToBuild(image) ? image.registry?.repository : image;
}
