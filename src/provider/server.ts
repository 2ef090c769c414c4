import type * as Grpc from "@grpc/grpc-js";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { EngineLog, silentLog } from "./engineLog";
import { ProviderError, type Diff, type ResourceHandler } from "./handler";
import { Empty, grpc } from "./sdkModules";
import { decode, encode, type Properties } from "./values";
import { viewsOf } from "./views";

type Reply<T> = Grpc.sendUnaryData<T>;
type Call<T> = Grpc.ServerUnaryCall<T, unknown>;

export interface ProviderOptions {
    readonly version: string;
    readonly schema: string;
    /** Resource type token -> what it does. */
    readonly handlers: Readonly<Record<string, ResourceHandler>>;
    /** Where the engine listens; an engine that attaches to a running plugin tells it later. */
    readonly engineAddress?: string;
}

/**
 * The gRPC server of the plugin. `pulumi.provider.main` of the SDK knows neither previews, nor old inputs, nor views,
 * nor a cancel for every engine; so this speaks the protocol itself. What is not listed answers UNIMPLEMENTED.
 */
export class ProviderServer {
    private readonly server = new grpc.Server();
    private readonly cancelled = new AbortController();
    private readonly closed = new AbortController();
    private engine?: EngineLog;
    private operations = 0;

    constructor(private readonly options: ProviderOptions) {
        if (options.engineAddress) {
            this.engine = new EngineLog(options.engineAddress);
        }
        this.server.addService(ResourceProviderService, this.methods());
    }

    /** Listens on loopback; resolves to the port. */
    listen(): Promise<number> {
        return new Promise((resolve, reject) =>
            this.server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
                error ? reject(error) : resolve(port),
            ),
        );
    }

    /** True while a create, update, read or delete is under way. */
    get busy(): boolean {
        return this.operations > 0;
    }

    /** What the engine asks for on Ctrl-C: runs that are being followed are cancelled. */
    cancel(): void {
        this.cancelled.abort();
    }

    close(): void {
        this.closed.abort();
        this.engine?.close();
        this.server.forceShutdown();
    }

    /** What the plugin answers, by the names of the protocol. */
    protected methods(): Grpc.UntypedServiceImplementation {
        return {
            handshake: unary(() => {
                const response = new proto.ProviderHandshakeResponse();
                response.setAcceptSecrets(true);
                return response;
            }),
            attach: unary((request: { getAddress(): string }) => {
                this.engine?.close();
                this.engine = new EngineLog(request.getAddress());
                return new Empty();
            }),
            getPluginInfo: unary(() => {
                const info = new PluginInfo();
                info.setVersion(this.options.version);
                return info;
            }),
            getSchema: unary(() => {
                const response = new proto.GetSchemaResponse();
                response.setSchema(this.options.schema);
                return response;
            }),
            checkConfig: unary((request: proto.CheckRequest) => {
                const response = new proto.CheckResponse();
                response.setInputs(request.getNews());
                return response;
            }),
            // The configuration of this provider is read by programs only: a change of it replaces nothing.
            diffConfig: unary(() => diffResponse({ changes: [] })),
            configure: unary(() => {
                const response = new proto.ConfigureResponse();
                response.setAcceptsecrets(true);
                response.setSupportspreview(true);
                return response;
            }),
            cancel: unary(() => {
                this.cancel();
                return new Empty();
            }),
            check: unary((request: proto.CheckRequest) => this.check(request)),
            diff: unary((request: proto.DiffRequest) => this.diff(request)),
            create: this.operation((request: proto.CreateRequest) => this.create(request)),
            update: this.operation((request: proto.UpdateRequest) => this.update(request)),
            read: this.operation((request: proto.ReadRequest) => this.read(request)),
            delete: this.operation((request: proto.DeleteRequest) => this.delete(request)),
        };
    }

    private operation<Q, R>(run: (request: Q) => Promise<R>): Grpc.handleUnaryCall<Q, R> {
        return unary(async (request: Q) => {
            this.operations++;
            try {
                return await run(request);
            } finally {
                this.operations--;
            }
        });
    }

    private check(request: proto.CheckRequest): proto.CheckResponse {
        const urn = request.getUrn();
        const failures = this.handler(urn).check({ urn, inputs: decode(request.getNews()) });
        const response = new proto.CheckResponse();
        response.setInputs(request.getNews());
        for (const { property, reason } of failures) {
            const failure = new proto.CheckFailure();
            failure.setProperty(property);
            failure.setReason(reason);
            response.addFailures(failure);
        }
        return response;
    }

    private async diff(request: proto.DiffRequest): Promise<proto.DiffResponse> {
        const diff = await this.handler(request.getUrn()).diff({
            id: request.getId(),
            urn: request.getUrn(),
            inputs: decode(request.getNews()).value,
            oldInputs: decode(request.getOldInputs()).value,
            oldOutputs: decode(request.getOlds()).value,
        });
        return diffResponse(diff);
    }

    private async create(request: proto.CreateRequest): Promise<proto.CreateResponse> {
        const preview = request.getPreview();
        const result = await this.handler(request.getUrn()).create({
            ...this.common(request, preview, []),
            inputs: decode(request.getProperties()),
        });
        const response = new proto.CreateResponse();
        response.setId(preview ? "" : result.id);
        response.setProperties(encode(result.outputs));
        return response;
    }

    private async update(request: proto.UpdateRequest): Promise<proto.UpdateResponse> {
        const result = await this.handler(request.getUrn()).update({
            ...this.common(request, request.getPreview(), request.getOldViewsList()),
            id: request.getId(),
            inputs: decode(request.getNews()),
            oldInputs: decode(request.getOldInputs()).value,
            oldOutputs: decode(request.getOlds()).value,
        });
        const response = new proto.UpdateResponse();
        response.setProperties(encode(result.outputs));
        return response;
    }

    private async read(request: proto.ReadRequest): Promise<proto.ReadResponse> {
        const result = await this.handler(request.getUrn()).read({
            ...this.common(request, false, request.getOldViewsList()),
            id: request.getId(),
            inputs: decode(request.getInputs()),
            outputs: decode(request.getProperties()).value,
        });
        const response = new proto.ReadResponse();
        if (result) {
            response.setId(request.getId());
            response.setProperties(encode(result.outputs));
            response.setInputs(request.getInputs());
        }
        return response;
    }

    private async delete(request: proto.DeleteRequest): Promise<Empty> {
        const common = this.common(request, false, request.getOldViewsList());
        await this.handler(request.getUrn()).delete({
            ...common,
            id: request.getId(),
            oldInputs: decode(request.getOldInputs()),
            outputs: decode(request.getProperties()).value,
        });
        await common.views.replace([]);
        return new Empty();
    }

    private common(
        request: proto.CreateRequest | proto.UpdateRequest | proto.ReadRequest | proto.DeleteRequest,
        preview: boolean,
        oldViews: proto.View[],
    ) {
        const urn = request.getUrn();
        return {
            urn,
            preview,
            log: this.engine?.for(urn) ?? silentLog,
            views: viewsOf(request.getResourceStatusAddress(), request.getResourceStatusToken(), oldViews),
            signal: this.cancelled.signal,
            closed: this.closed.signal,
        };
    }

    private handler(urn: string): ResourceHandler {
        const type = urn.split("::")[2]?.split("$").pop() ?? "";
        const handler = this.options.handlers[type];
        if (!handler) {
            throw new ProviderError(
                `unknown resource type ${type}; this plugin has ${Object.keys(this.options.handlers).join(", ")}`,
            );
        }
        return handler;
    }
}

function diffResponse(diff: Diff): proto.DiffResponse {
    const response = new proto.DiffResponse();
    const changed = diff.changes.length > 0 || diff.force === true;
    const { DIFF_SOME, DIFF_NONE } = proto.DiffResponse.DiffChanges;
    response.setChanges(changed ? DIFF_SOME : DIFF_NONE);
    // The row of `pulumi up` names whole properties, `--diff` what changed in them.
    const properties = [...new Set(diff.changes.map((path) => path.split(/[.[]/)[0]))];
    response.setDiffsList(properties);
    response.setHasdetaileddiff(true);
    for (const path of diff.changes) {
        const detail = new proto.PropertyDiff();
        const { UPDATE, UPDATE_REPLACE } = proto.PropertyDiff.Kind;
        detail.setKind(diff.replace ? UPDATE_REPLACE : UPDATE);
        detail.setInputdiff(true);
        response.getDetaileddiffMap().set(path, detail);
    }
    if (diff.replace) {
        response.setReplacesList(properties);
        response.setDeletebeforereplace(true);
    }
    return response;
}

function unary<Q, R>(run: (request: Q) => R | Promise<R>): Grpc.handleUnaryCall<Q, R> {
    return (call: Call<Q>, callback: Reply<R>) => {
        Promise.resolve()
            .then(() => run(call.request))
            .then(
                (response) => callback(null, response),
                (error: unknown) => callback({ code: grpc.status.UNKNOWN, details: describe(error) }),
            );
    };
}

// A mistake of ours keeps its stack, for the report that a user files; all other errors speak for themselves.
function describe(error: unknown): string {
    if (error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError) {
        return `${error.stack ?? error.message}\nThis is a defect of stackrun; please report it.`;
    }
    return error instanceof Error ? error.message : String(error);
}

export type { Properties };
