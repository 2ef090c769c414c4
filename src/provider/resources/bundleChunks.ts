import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { humanSize, type BundleFile, type CodeTree } from "../../bundle";
import { largestOf } from "../../bundle/size";
import { ApiError, Connection, type Api } from "../../run/kubernetes/connection";
import type { ClusterOptions } from "../../run/kubernetes/kubeconfig";
import { LABEL } from "../../run/kubernetes/objects";
import type {
    CheckFailure,
    CheckRequest,
    CreateRequest,
    DeleteRequest,
    Diff,
    DiffRequest,
    ReadRequest,
    ResourceHandler,
    UpdateRequest,
} from "../handler";
import { ProviderError } from "../handler";
import { hasUnknown, isUnknown, unknown, type Properties, type Value } from "../values";
import { withBundle, type CodeInput } from "./withBundle";

/** A ConfigMap holds 1 MiB in all; its own description needs some of that. */
const CHUNK_BYTES = 900 * 1024;
const HASH_ANNOTATION = "stackrun.dev/sha256";
const COMPONENT = "code";

interface ConfigMap {
    readonly metadata: {
        readonly name: string;
        readonly labels?: Record<string, string>;
        readonly annotations?: Record<string, string>;
    };
}

interface Input extends CodeInput {
    readonly cluster: ClusterOptions;
    readonly runId: string;
    readonly maxBytes: number;
    readonly labels: Record<string, string>;
}

/**
 * The code of a run in immutable ConfigMaps, where no bucket holds it. Its bytes go from the code folder to the cluster,
 * and never into the state.
 */
export const bundleChunksHandler = (
    connect: (options: ClusterOptions) => Promise<Api> = (options) => Connection.open(options),
): ResourceHandler => ({
    check: (_request: CheckRequest): CheckFailure[] => [],

    diff({ inputs, oldInputs }: DiffRequest): Promise<Diff> {
        const place = (from: Properties) => (from.cluster as Properties | undefined)?.namespace;
        const changes = ["runId", "codeHash"].filter(
            (key) => inputs[key] !== oldInputs[key] || isUnknown(inputs[key]),
        );
        if (place(inputs) !== place(oldInputs)) {
            changes.push("cluster.namespace");
        }
        return Promise.resolve({ changes, replace: changes.length > 0 });
    },

    async create({ inputs, preview, log }: CreateRequest) {
        const input = inputOf(inputs.value);
        return withBundle(input, async (tree, bundle, file) => {
            refuseTooLarge(input, tree, bundle);
            const count = Math.max(1, Math.ceil(bundle.size / CHUNK_BYTES));
            const what = `${humanSize(bundle.size)} in ${count === 1 ? "1 ConfigMap" : `${count} ConfigMaps`}`;
            if (preview) {
                log.info(`the code would go up: ${what}`);
                return { id: "", outputs: { names: unknown, size: bundle.size, sha256: bundle.sha256 } };
            }
            const names = Array.from({ length: count }, (_, index) => `${input.runId}-code-${index}`);
            await upload(await open(connect, input.cluster), input, file, names);
            log.info(`the code went up: ${what}`);
            return { id: input.runId, outputs: { names, size: bundle.size, sha256: bundle.sha256 } };
        });
    },

    // Only how the cluster is reached, or a limit, has changed.
    update: ({ oldOutputs }: UpdateRequest) => Promise.resolve({ outputs: oldOutputs }),

    async read({ inputs, outputs }: ReadRequest) {
        const input = inputOf(inputs.value);
        const api = await open(connect, input.cluster);
        const there = new Set((await ownMaps(api, input.runId)).map(({ metadata }) => metadata.name));
        const names = (outputs.names ?? []) as Value[];
        return names.every((name) => there.has(String(name))) ? { outputs } : undefined;
    },

    async delete({ oldInputs }: DeleteRequest) {
        const input = inputOf(oldInputs.value);
        const api = await open(connect, input.cluster);
        for (const { metadata } of await ownMaps(api, input.runId)) {
            await remove(api, metadata.name);
        }
    },
});

function inputOf(value: Properties): Input {
    const cluster = (value.cluster ?? {}) as Record<string, Value>;
    return {
        cluster: hasUnknown(cluster) ? {} : (cluster as ClusterOptions),
        runId: String(value.runId),
        codeDir: String(value.codeDir),
        codeHash: String(value.codeHash),
        stateDir: String(value.stateDir),
        maxBytes: Number(value.maxBytes),
        labels: (value.labels ?? {}) as Record<string, string>,
    };
}

function refuseTooLarge({ maxBytes }: Input, { entries }: CodeTree, { size }: BundleFile): void {
    if (size <= maxBytes) {
        return;
    }
    const files = entries.flatMap((entry) => (entry.type === "file" ? [entry] : []));
    throw new ProviderError(
        `the code has ${humanSize(size)} compressed, over the limit of ${humanSize(maxBytes)} for ConfigMaps. ` +
            "Leave out what the run does not need, with lines in .stackrunignore; give an `artifactStore`, which has no limit; or put the code into the image, and say where: " +
            `codeInImage: "/app". The largest files and folders:${largestOf(files).lines}`,
    );
}

// One piece after the other; a piece that is there already, from a creation that was killed, is not sent again.
async function upload(api: Api, input: Input, file: string, names: readonly string[]): Promise<void> {
    const handle = await fs.open(file);
    try {
        for (const [index, name] of names.entries()) {
            const { buffer, bytesRead } = await handle.read(
                Buffer.alloc(CHUNK_BYTES),
                0,
                CHUNK_BYTES,
                index * CHUNK_BYTES,
            );
            await put(api, input, name, index, buffer.subarray(0, bytesRead));
        }
    } finally {
        await handle.close();
    }
}

async function put(api: Api, input: Input, name: string, index: number, bytes: Buffer): Promise<void> {
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const body = {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: {
            name,
            labels: { ...input.labels, [LABEL.runId]: input.runId, [LABEL.component]: COMPONENT },
            annotations: { [HASH_ANNOTATION]: sha256 },
        },
        immutable: true,
        binaryData: { [`code-${String(index).padStart(5, "0")}`]: bytes.toString("base64") },
    };
    const create = () => api.json({ method: "POST", path: mapsPath(api), body });
    try {
        await create();
    } catch (error) {
        if (!(error instanceof ApiError && error.status === 409)) {
            throw explained(error, api);
        }
        const there = await api.json<ConfigMap>({ path: `${mapsPath(api)}/${name}` });
        if (there.metadata.labels?.[LABEL.runId] !== input.runId) {
            throw new ProviderError(
                `a ConfigMap ${name} that is not this run's is in the namespace ${api.namespace}: remove it`,
            );
        }
        if (there.metadata.annotations?.[HASH_ANNOTATION] !== sha256) {
            await remove(api, name);
            await create();
        }
    }
}

async function ownMaps(api: Api, runId: string): Promise<readonly ConfigMap[]> {
    const query = { labelSelector: `${LABEL.runId}=${runId},${LABEL.component}=${COMPONENT}` };
    try {
        return (await api.json<{ items: ConfigMap[] }>({ path: mapsPath(api), query })).items;
    } catch (error) {
        throw explained(error, api);
    }
}

async function remove(api: Api, name: string): Promise<void> {
    try {
        await api.json({ method: "DELETE", path: `${mapsPath(api)}/${name}` });
    } catch (error) {
        if (!(error instanceof ApiError && error.status === 404)) {
            throw explained(error, api);
        }
    }
}

async function open(
    connect: (options: ClusterOptions) => Promise<Api>,
    cluster: ClusterOptions,
): Promise<Api> {
    try {
        return await connect(cluster);
    } catch (error) {
        throw new ProviderError((error as Error).message, { cause: error });
    }
}

function mapsPath(api: Api): string {
    return `/api/v1/namespaces/${api.namespace}/configmaps`;
}

function explained(error: unknown, api: Api): unknown {
    if (!(error instanceof ApiError)) {
        return error;
    }
    const remedies: Record<number, string> = {
        404: `Is there a namespace ${api.namespace}? Create it, or name another one in \`namespace\`.`,
        403: "Have the right to list, get, create and delete ConfigMaps granted, or the quota raised that is named.",
        401: "Log in to the cluster again.",
        413: "The cluster takes smaller objects only: put the code into the image (`codeInImage`).",
    };
    return new ProviderError(
        `the code can't be kept in the namespace ${api.namespace}: ${error.message}. ${remedies[error.status] ?? ""}`.trim(),
    );
}
