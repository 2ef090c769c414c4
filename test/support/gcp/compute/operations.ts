import { ApiError, notFound } from "../api/errors";
import type { Faults } from "../api/faults";
import { filterOf } from "../api/filter";
import type { Call, Route } from "../api/router";
import { newId, now, selfLink } from "./links";

/** An operation, as the API shows it. */
export interface Operation {
    readonly id: string;
    readonly name: string;
    readonly operationType: string;
    readonly targetLink: string;
    readonly targetId?: string;
    readonly user: string;
    readonly insertTime: string;
    readonly selfLink: string;
    status: "PENDING" | "RUNNING" | "DONE";
    error?: { readonly errors: readonly { readonly code: string; readonly message: string }[] };
    statusMessage?: string;
    [more: string]: unknown;
}

export interface StartOptions {
    /** `instances.insert`: which faults apply. */
    readonly kind: string;
    /** `insert`, `compute.instances.preempted`. */
    readonly type: string;
    /** The path of what is changed. */
    readonly target: string;
    readonly targetId?: string;
    /** A zone's name, `regions/<region>`, or `global`. */
    readonly place: string;
    readonly requestId?: string | null;
    readonly user?: string;
    readonly message?: string;
    /** An accepted request that fails has to undo what it did. */
    onError?(): void | Promise<void>;
}

/** All operations of the project, zonal and global. */
export class Operations {
    private readonly all = new Map<string, Operation>();
    private readonly byRequest = new Map<string, Operation>();
    private readonly waiting = new Map<string, Promise<void>>();

    constructor(
        private readonly project: string,
        private readonly faults: Faults,
    ) {}

    /** The operation of a request that was made before with the same id: it is not done again. */
    repeated(requestId: string | null): Operation | undefined {
        return requestId === null ? undefined : this.byRequest.get(requestId);
    }

    /** Answers at once; the work goes on, unless a fault was asked for. */
    start(options: StartOptions, work: () => void | Promise<void>): Operation {
        const operation = this.create(options);
        if (options.requestId) {
            this.byRequest.set(options.requestId, operation);
        }
        const fault = this.faults.takeOperation(options.kind, options.place);
        this.waiting.set(operation.name, this.finish(operation, options, fault ? failing(fault) : work));
        return operation;
    }

    /** Resolves when an operation is done. */
    async done({ name }: Operation): Promise<void> {
        await this.waiting.get(name);
    }

    /** Resolves when nothing is under way. */
    async settled(): Promise<void> {
        await Promise.all(this.waiting.values());
    }

    get list(): readonly Operation[] {
        return [...this.all.values()];
    }

    routes(): Route[] {
        return ["zones/{place}", "regions/{place}", "global"].flatMap((where) => this.routesOf(where));
    }

    private routesOf(where: string): Route[] {
        const base = `/compute/v1/projects/{project}/${where}/operations`;
        const prefix =
            where === "global"
                ? "globalOperations"
                : where.startsWith("zones")
                  ? "zoneOperations"
                  : "regionOperations";
        const permission = `compute.${prefix}.get`;
        return [
            {
                kind: `${prefix}.get`,
                method: "GET",
                path: `${base}/{operation}`,
                permission,
                run: (call) => this.get(call),
            },
            {
                kind: `${prefix}.wait`,
                method: "POST",
                path: `${base}/{operation}/wait`,
                permission,
                run: (call) => this.wait(call),
            },
            {
                kind: `${prefix}.list`,
                method: "GET",
                path: base,
                permission: `compute.${prefix}.list`,
                query: ["filter", "maxResults", "orderBy", "pageToken", "returnPartialSuccess"],
                run: ({ query, params }) => this.listOf(where, params, query),
            },
        ];
    }

    private create({ type, target, targetId, place, user, message }: StartOptions): Operation {
        const name = `${nameOf(type, user)}-${Date.now()}-${newId()}`;
        const where = place === "global" || place.startsWith("regions/") ? place : `zones/${place}`;
        const operation: Operation = {
            kind: "compute#operation",
            id: newId(),
            name,
            ...(where.startsWith("zones/") && { zone: selfLink(`projects/${this.project}/${where}`) }),
            ...(where.startsWith("regions/") && { region: selfLink(`projects/${this.project}/${where}`) }),
            operationType: type,
            targetLink: selfLink(target),
            ...(targetId && { targetId }),
            status: "RUNNING",
            user: user ?? "user",
            progress: 0,
            insertTime: now(),
            startTime: now(),
            ...(message && { statusMessage: message }),
            selfLink: selfLink(`projects/${this.project}/${where}/operations/${name}`),
        };
        this.all.set(name, operation);
        return operation;
    }

    private async finish(
        operation: Operation,
        { onError }: StartOptions,
        work: () => void | Promise<void>,
    ): Promise<void> {
        // The answer to the request comes first.
        await new Promise((resolve) => setImmediate(resolve));
        try {
            await work();
        } catch (error) {
            const { code, message } = operationError(error);
            operation.error = { errors: [{ code, message }] };
            operation.httpErrorStatusCode = error instanceof ApiError ? error.code : 400;
            operation.httpErrorMessage = "BAD REQUEST";
            await onError?.();
        }
        operation.progress = 100;
        operation.endTime = now();
        operation.status = "DONE";
    }

    private get({ params }: Call): Operation {
        const { project, place, operation } = params;
        const found = this.all.get(operation ?? "");
        if (!found) {
            const where = place === undefined ? "global" : `zones/${place}`;
            throw notFound(`projects/${project}/${where}/operations/${operation}`);
        }
        return { ...found };
    }

    // Two minutes at most; what is not done by then is answered as it is.
    private async wait(call: Call): Promise<Operation> {
        const { name } = this.get(call);
        let timer: NodeJS.Timeout | undefined;
        const tooLong = new Promise<void>((resolve) => (timer = setTimeout(resolve, 120_000)));
        await Promise.race([this.waiting.get(name), tooLong]);
        clearTimeout(timer);
        return this.get(call);
    }

    private listOf(where: string, { place = "" }: Call["params"], query: URLSearchParams): object {
        const here = where.replace("{place}", place);
        const filter = filterOf(query.get("filter"));
        const items = this.list.filter(
            (one) => one.selfLink.includes(`projects/${this.project}/${here}/operations/`) && filter(one),
        );
        return { kind: "compute#operationList", items: items.reverse() };
    }
}

// What Google does by itself has names of its own.
function nameOf(type: string, user?: string): string {
    const system = type.startsWith("compute.instances.repair.") ? "repair" : "systemevent";
    return user === "system" ? system : "operation";
}

function failing({ code, message }: { code: string; message: string }): () => void {
    return () => {
        throw Object.assign(new Error(message), { code });
    };
}

function operationError(error: unknown): { code: string; message: string } {
    const { code, message } = error as { code?: unknown; message?: string };
    return { code: typeof code === "string" ? code : "INTERNAL_ERROR", message: message ?? String(error) };
}
