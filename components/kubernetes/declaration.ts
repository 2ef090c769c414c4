import { ConfigMap, PersistentVolumeClaim, Secret, ServiceAccount } from "@pulumi/kubernetes/core/v1";
import { Job } from "@pulumi/kubernetes/batch/v1";
import {
    ANNOTATION,
    CHECK_CONTAINER,
    FETCH_CONTAINER,
    LABEL,
    RUN_CONTAINER,
} from "../../src/run/kubernetes/objects";
import { DEFAULT_MAX_RECOVERIES } from "../../src/run/followRun";
import { launcherScript } from "../../src/runner/launcher";
import { runnerScript } from "../../src/runner/script";
import { shipScript } from "../../src/runner/ship";
import type { DeclaredRun } from "../orchestrator";
import { AttemptSpec, type StoredBundle } from "../resources";
import * as pulumi from "../sdk";
import type { KubernetesOrchestratorArgs } from "./args";
import type { Cluster } from "./cluster";
import { jobSpec } from "./jobSpec";
import { CHECK_IMAGE, checkContainer, readStoreUrl, secretKey, STORE_VARIABLE } from "./metadataCheck";
import { podSpec } from "./podSpec";
import { BundleChunks } from "./resources";
import type { Times } from "./times";
import { transferData } from "./transfer";

const DEFAULT_MAX_CODE_BYTES = 8 << 20;

/** What one attempt needs in the cluster. */
export class Declaration {
    private readonly labels: Record<string, pulumi.Input<string>>;
    private readonly options: pulumi.CustomResourceOptions;

    constructor(
        private readonly parent: pulumi.Resource,
        private readonly name: string,
        private readonly args: KubernetesOrchestratorArgs,
        private readonly cluster: Cluster,
        private readonly times: Times,
        private readonly run: DeclaredRun,
        private readonly where: string,
    ) {
        this.labels = {
            ...args.labels,
            [LABEL.runId]: run.runId,
            [LABEL.attempt]: pulumi.interpolate`${run.attempt}`,
            [LABEL.pipeline]: labelValue(run.pipeline.name),
        };
        this.options = { parent, provider: cluster.provider, deleteBeforeReplace: true };
    }

    declare(): pulumi.Resource[] {
        const { args, run, name } = this;
        const { chunks, bundle } = this.code();
        const secret = this.secret();
        const account = args.serviceAccount === undefined ? this.account() : undefined;
        const claim = this.claim();
        const spec = new AttemptSpec(
            `${name}-spec`,
            { attempt: run.attemptName, value: this.attempt(chunks, claim) },
            { parent: this.parent },
        );
        const kept = (part: string) => spec.kept.apply((value) => value?.[part]);
        const files = new ConfigMap(
            `${name}-files`,
            { metadata: kept("filesMetadata"), data: kept("files") },
            this.options,
        );
        const needed = [files, secret, account, claim, chunks, bundle].filter((one) => one !== undefined);
        const job = new Job(
            `${name}-job`,
            { metadata: kept("metadata"), spec: kept("spec") },
            { ...this.options, dependsOn: needed },
        );
        return [...needed, job];
    }

    /** Nothing, where the image holds the code; in the store, if there is one; else in the cluster. */
    private code(): { chunks?: BundleChunks; bundle?: StoredBundle } {
        const { args, run, name, parent } = this;
        if (args.codeInImage !== undefined) {
            return {};
        }
        if (run.store) {
            return { bundle: run.store.bundle(`${name}-code`, { parent }) };
        }
        const chunks = new BundleChunks(
            `${name}-code`,
            {
                cluster: this.cluster.options,
                runId: run.runId,
                codeDir: run.codeDir,
                codeHash: run.codeHash,
                stateDir: run.stateDir,
                maxBytes: args.maxCodeBytes ?? DEFAULT_MAX_CODE_BYTES,
                labels: args.labels,
            },
            { parent, deleteBeforeReplace: true },
        );
        return { chunks };
    }

    private secret(): Secret | undefined {
        const { args, run, name } = this;
        const store = this.exposedUrl;
        const transferEnv = args.transfer?.env ?? {};
        if (run.pipeline.secrets.length === 0 && !store && Object.keys(transferEnv).length === 0) {
            return undefined;
        }
        const stringData = pulumi
            .all([run.secrets, store, pulumi.secret(transferEnv)])
            .apply(([secrets, url, transfer]) => ({
                ...secrets,
                ...(url === undefined ? {} : storeData(url, this.where)),
                ...transferData(transfer, this.where),
            }));
        return new Secret(
            `${name}-secret`,
            { metadata: this.metadata(run.attemptName), stringData },
            this.options,
        );
    }

    /** Of the metadata store, if the steps get it. */
    private get exposedUrl(): pulumi.Output<string> | undefined {
        const { metadataStore } = this.args;
        return metadataStore?.expose ? pulumi.secret(metadataStore.url) : undefined;
    }

    private account(): ServiceAccount {
        const metadata = this.metadata(this.run.attemptName);
        return new ServiceAccount(
            `${this.name}-account`,
            { metadata, automountServiceAccountToken: false },
            this.options,
        );
    }

    private claim(): PersistentVolumeClaim | undefined {
        const { workspace } = this.args;
        if (!workspace || !("size" in workspace)) {
            return undefined;
        }
        const { runId, pipeline } = this.run;
        return new PersistentVolumeClaim(
            `${this.name}-work`,
            {
                metadata: {
                    name: pulumi.interpolate`${runId}-work`,
                    namespace: this.args.namespace,
                    // It is bound when the first pod needs it: waiting for that here would never end.
                    annotations: { "pulumi.com/skipAwait": "true" },
                    labels: {
                        ...this.args.labels,
                        [LABEL.runId]: runId,
                        [LABEL.pipeline]: labelValue(pipeline.name),
                    },
                },
                spec: {
                    accessModes: [workspace.accessMode ?? "ReadWriteOnce"],
                    resources: { requests: { storage: workspace.size } },
                    storageClassName: workspace.storageClass,
                },
            },
            this.options,
        );
    }

    /** What stays as it is as long as the attempt does. */
    private attempt(
        chunks: BundleChunks | undefined,
        claim: PersistentVolumeClaim | undefined,
    ): pulumi.Inputs {
        const { args, run, labels, times } = this;
        const annotations = { ...args.annotations, [ANNOTATION.nonce]: run.nonce };
        const store = this.exposedUrl;
        const check = store?.apply((url) => {
            const access = readStoreUrl(url, this.where);
            return { kind: access.kind, names: Object.keys(access.env) };
        });
        const workspace = args.workspace;
        const pod = podSpec(args, {
            attemptName: run.attemptName,
            runId: run.runId,
            image: run.image as pulumi.Output<string>,
            codeChunks: chunks?.names,
            codeHash: run.codeHash,
            secretNames: run.pipeline.secrets,
            serviceAccount: args.serviceAccount ?? run.attemptName,
            graceSeconds: times.terminationSeconds,
            claim: claim
                ? pulumi.interpolate`${run.runId}-work`
                : workspace && "claim" in workspace
                  ? workspace.claim
                  : undefined,
            // Which client and which variables it gets is no secret; what is in them is.
            check:
                check &&
                pulumi
                    .all([pulumi.unsecret(check), run.attemptName, args.metadataStore?.checkImage])
                    .apply(([{ kind, names }, attemptName, image]) =>
                        checkContainer(kind, names, attemptName, image ?? CHECK_IMAGE[kind]),
                    ),
            metadataUrlKey: store ? secretKey(STORE_VARIABLE) : undefined,
            transfer:
                run.store &&
                pulumi
                    .all([run.store.rclone, run.runId, run.codeHash])
                    .apply(([rclone, runId, codeHash]) => ({
                        rclone,
                        runId,
                        codeHash: args.codeInImage === undefined ? codeHash : undefined,
                    })),
        });
        const deciding = [RUN_CONTAINER, FETCH_CONTAINER, ...(check ? [CHECK_CONTAINER] : [])];
        return {
            filesMetadata: this.metadata(run.attemptName),
            files: {
                "launcher.sh": launcherScript(),
                "runner.sh": runnerScript(),
                ...(run.store ? { "ship.sh": shipScript() } : {}),
                "plan.sh": run.plan({
                    codeDir: args.codeInImage,
                    masked: store ? [STORE_VARIABLE] : [],
                    ships: run.store !== undefined,
                }),
            },
            metadata: {
                ...this.metadata(run.attemptName),
                annotations: {
                    ...annotations,
                    // The provider's own waiting knows no log, and not every way in which a Job can fail.
                    "pulumi.com/skipAwait": "true",
                    "pulumi.com/deletionPropagationPolicy": "foreground",
                },
            },
            spec: jobSpec({
                labels,
                annotations,
                maxRecoveries: args.maxRecoveries ?? DEFAULT_MAX_RECOVERIES,
                deadlineSeconds: times.deadlineSeconds(run.timeoutSeconds),
                pod,
                // What stores the steps is killed when it takes longer than the pod may: that is no failure of the run.
                deciding: run.store && deciding,
            }),
        };
    }

    private metadata(name: pulumi.Input<string>) {
        const { namespace } = this.args;
        return { name, ...(namespace === undefined ? {} : { namespace }), labels: this.labels };
    }
}

function storeData(url: string, where: string): Record<string, string> {
    const { env } = readStoreUrl(url, where);
    return Object.fromEntries(Object.entries(env).map(([name, value]) => [secretKey(name), value]));
}

/** Names of pipelines may hold anything; values of labels may not. */
function labelValue(name: string): string {
    return name
        .replaceAll(/[^A-Za-z0-9_.-]+/g, "-")
        .slice(0, 63)
        .replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, "");
}
