import type { ResourceLog } from "../../../../src/provider/engineLog";
import { hasUnknown, type Decoded, type Properties } from "../../../../src/provider/values";
import { ApiError, type KubernetesApi, type KubeObject } from "./api";
import {
    awaitsDeletion,
    DEFAULT_TIMEOUT_MS,
    NotReady,
    untilGone,
    untilReady,
    type Waiting,
} from "./awaiting";
import type { ProviderConfig } from "./config";
import { newFieldManager, typeOf } from "./naming";
import {
    driftedInputs,
    hasAnnotation,
    idOf,
    inputsOfImported,
    liveOf,
    markSecrets,
    metadataOf,
    parseId,
    stateOf,
} from "./objects";

export interface Operation {
    readonly urn: string;
    readonly preview: boolean;
    /** 0: the default. */
    readonly timeoutSeconds: number;
    readonly log: ResourceLog;
}

/** A resource that was made, but failed to become ready. */
export class HalfMade extends Error {
    override readonly name = "HalfMade";
    constructor(
        message: string,
        readonly id: string,
        readonly state: Properties,
    ) {
        super(message);
    }
}

/** What becomes of one resource in a cluster that answers. */
export class Lifecycle {
    constructor(
        private readonly api: KubernetesApi,
        private readonly config: ProviderConfig,
        private readonly signal: AbortSignal,
    ) {}

    /** What the API server would make of it, as far as it can be asked. */
    async preview(
        object: KubeObject,
        secrets: ReadonlySet<string>,
        fieldManager: string,
        urn: string,
    ): Promise<Properties> {
        if (hasUnknown(object)) {
            return markSecrets(object, secrets) as Properties;
        }
        try {
            const live = await this.apply(await this.pathOf(object), object, fieldManager, true);
            delete live.status;
            return stateOf(object, live, secrets, fieldManager);
        } catch (error) {
            if (isUnsure(error)) {
                return markSecrets(object, secrets) as Properties;
            }
            throw notCreated(urn, error);
        }
    }

    async create(inputs: Decoded, operation: Operation): Promise<{ id: string; state: Properties }> {
        const object = inputs.value;
        const path = await this.pathOf(object);
        if (!this.config.upsertExistingObjects && (await this.find(path))) {
            throw notCreated(operation.urn, new Error(`${object.kind} "${idOf(object)}" already exists`));
        }
        const fieldManager = newFieldManager();
        const made = await this.apply(path, object, fieldManager, false).catch((error: unknown) => {
            throw notCreated(operation.urn, error);
        });
        return { id: idOf(made), state: await this.ready(path, made, inputs, fieldManager, operation) };
    }

    async update(inputs: Decoded, fieldManager: string, operation: Operation): Promise<Properties> {
        const path = await this.pathOf(inputs.value);
        const made = await this.apply(path, inputs.value, fieldManager, false).catch((error: unknown) => {
            throw new Error(`update of resource "${operation.urn}" failed: ${messageOf(error)}`, {
                cause: error,
            });
        });
        return this.ready(path, made, inputs, fieldManager, operation);
    }

    /** `undefined`: it is gone. */
    async read(
        id: string,
        state: Properties,
        inputs: Decoded,
        urn: string,
    ): Promise<{ state: Properties; inputs: Properties } | undefined> {
        const live = await this.find(await this.pathOfId(urn, id));
        if (!live) {
            return undefined;
        }
        const imported = Object.keys(inputs.value).length === 0;
        const found = imported
            ? inputsOfImported(live)
            : (driftedInputs(inputs.value, liveOf(state), live) as KubeObject);
        const fieldManager = String(state.__fieldManager ?? newFieldManager());
        return {
            state: stateOf(found, live, inputs.secrets, fieldManager),
            inputs: markSecrets(found, inputs.secrets) as Properties,
        };
    }

    async delete(id: string, state: Properties, operation: Operation): Promise<void> {
        const inputs = (state.__inputs ?? {}) as KubeObject;
        const path = await this.pathOfId(operation.urn, id);
        const policy =
            metadataOf(inputs).annotations?.["pulumi.com/deletionPropagationPolicy"] ?? "foreground";
        const propagationPolicy = policy[0].toUpperCase() + policy.slice(1);
        try {
            await this.api.request("DELETE", path, { body: { propagationPolicy } });
        } catch (error) {
            if (isNotFound(error)) {
                return;
            }
            throw error;
        }
        if (awaitsDeletion(inputs)) {
            await untilGone(this.api, path, this.waiting(operation));
        }
    }

    private apply(
        path: string,
        object: KubeObject,
        fieldManager: string,
        dryRun: boolean,
    ): Promise<KubeObject> {
        const force = dryRun || this.config.enablePatchForce || hasAnnotation(object, "patchForce");
        return this.api.request("PATCH", path, {
            body: object,
            contentType: "application/apply-patch+yaml",
            query: {
                fieldManager,
                force: String(force),
                fieldValidation: "Strict",
                dryRun: dryRun ? "All" : undefined,
            },
        });
    }

    private async ready(
        path: string,
        made: KubeObject,
        { value, secrets }: Decoded,
        fieldManager: string,
        operation: Operation,
    ): Promise<Properties> {
        try {
            const ready = await untilReady(this.api, path, made, this.waiting(operation));
            return stateOf(value, (await this.find(path)) ?? ready, secrets, fieldManager);
        } catch (error) {
            if (!(error instanceof NotReady)) {
                throw error;
            }
            const message =
                `resource "${operation.urn}" was successfully created, but the Kubernetes API server ` +
                `reported that it failed to fully initialize or become live: ${error.message}`;
            throw new HalfMade(message, idOf(made), stateOf(value, error.live, secrets, fieldManager));
        }
    }

    private waiting({ timeoutSeconds, log }: Operation): Waiting {
        return {
            timeoutMs: timeoutSeconds ? timeoutSeconds * 1000 : DEFAULT_TIMEOUT_MS,
            signal: this.signal,
            status: (message) => log.status(message),
        };
    }

    private async find(path: string): Promise<KubeObject | undefined> {
        try {
            return await this.api.request("GET", path);
        } catch (error) {
            if (isNotFound(error)) {
                return undefined;
            }
            throw error;
        }
    }

    private pathOf(object: KubeObject): Promise<string> {
        const { namespace, name } = metadataOf(object);
        return this.api.pathOf(String(object.apiVersion), String(object.kind), namespace, String(name));
    }

    private pathOfId(urn: string, id: string): Promise<string> {
        const [apiVersion, kind] = typeOf(urn);
        const { namespace, name } = parseId(id);
        return this.api.pathOf(apiVersion, kind, namespace, name);
    }
}

function isNotFound(error: unknown): boolean {
    return error instanceof ApiError && error.status === 404;
}

/** A preview that the API server refuses for what may be otherwise by then: rights, a namespace, an object to be replaced. */
function isUnsure(error: unknown): boolean {
    return (
        error instanceof ApiError &&
        (error.status === 403 || /namespaces ".*" not found|field is immutable/.test(error.message))
    );
}

function notCreated(urn: string, why: unknown): Error {
    const message = `resource "${urn}" was not successfully created by the Kubernetes API server: ${messageOf(why)}`;
    return new Error(message, { cause: why });
}

function messageOf(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}
