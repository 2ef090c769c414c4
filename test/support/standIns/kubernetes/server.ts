import type * as Grpc from "@grpc/grpc-js";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { EngineLog, silentLog, type ResourceLog } from "../../../../src/provider/engineLog";
import { Empty, grpc } from "../../../../src/provider/sdkModules";
import { decode, encode } from "../../../../src/provider/values";
import { HalfMade } from "./lifecycle";
import type { KubernetesPlugin } from "./plugin";

/** As the version of the SDK that the tests use. */
const VERSION = "4.34.2";

/** Serves the plugin by gRPC on loopback. (src/provider/server.ts knows neither a provider's arguments nor half-made resources.) */
export async function serve(
    plugin: KubernetesPlugin,
    engineAddress?: string,
): Promise<{ port: number; close: () => void; busy: () => boolean }> {
    let engine = engineAddress ? new EngineLog(engineAddress) : undefined;
    const log = (urn: string): ResourceLog => engine?.for(urn) ?? silentLog;
    const server = new grpc.Server();
    server.addService(ResourceProviderService, {
        handshake: unary(() => {
            const response = new proto.ProviderHandshakeResponse();
            response.setAcceptSecrets(true);
            return response;
        }),
        attach: unary((request: { getAddress(): string }) => {
            engine = new EngineLog(request.getAddress());
            return new Empty();
        }),
        getPluginInfo: unary(() => {
            const info = new PluginInfo();
            info.setVersion(VERSION);
            return info;
        }),
        getSchema: unary(() => {
            const response = new proto.GetSchemaResponse();
            response.setSchema(JSON.stringify({ name: "kubernetes", version: VERSION }));
            return response;
        }),
        cancel: unary(() => {
            plugin.cancel();
            return new Empty();
        }),
        ...configMethods(plugin),
        ...resourceMethods(plugin, log),
    });
    const port = await new Promise<number>((resolve, reject) =>
        server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
            error ? reject(error) : resolve(bound),
        ),
    );
    return { port, close: () => server.forceShutdown(), busy: () => underWay > 0 };
}

function configMethods(plugin: KubernetesPlugin): Grpc.UntypedServiceImplementation {
    return {
        checkConfig: unary((request: proto.CheckRequest) => {
            const response = new proto.CheckResponse();
            response.setInputs(request.getNews());
            response.setFailuresList(plugin.checkConfig(decode(request.getNews()).value).map(failureOf));
            return response;
        }),
        diffConfig: unary((request: proto.DiffRequest) => {
            const { changes, replaces } = plugin.diffConfig(
                decode(request.getOlds()).value,
                decode(request.getNews()).value,
            );
            const response = new proto.DiffResponse();
            const { DIFF_SOME, DIFF_NONE } = proto.DiffResponse.DiffChanges;
            response.setChanges(changes.length > 0 ? DIFF_SOME : DIFF_NONE);
            response.setDiffsList(changes);
            response.setReplacesList(replaces);
            return response;
        }),
        configure: unary(async (request: proto.ConfigureRequest) => {
            await plugin.configure(decode(request.getArgs()).value);
            const response = new proto.ConfigureResponse();
            response.setAcceptsecrets(true);
            response.setSupportspreview(true);
            return response;
        }),
    };
}

function resourceMethods(
    plugin: KubernetesPlugin,
    log: (urn: string) => ResourceLog,
): Grpc.UntypedServiceImplementation {
    return {
        check: unary(async (request: proto.CheckRequest) => {
            const urn = request.getUrn();
            const [olds, news] = [decode(request.getOlds()).value, decode(request.getNews())];
            const { inputs, failures } = await plugin.check(urn, olds, news, request.getRandomseed_asU8());
            const response = new proto.CheckResponse();
            response.setInputs(encode(inputs));
            response.setFailuresList(failures.map(failureOf));
            return response;
        }),
        diff: unary((request: proto.DiffRequest) => {
            const olds = decode(request.getOlds()).value;
            return diffResponse(
                plugin.diff(olds, decode(request.getNews()).value, request.getIgnorechangesList()),
            );
        }),
        create: unary(async (request: proto.CreateRequest) => {
            const operation = operationOf(request, request.getPreview(), log);
            const { id, state } = await plugin.create(decode(request.getProperties()), operation);
            const response = new proto.CreateResponse();
            response.setId(id);
            response.setProperties(encode(state));
            return response;
        }),
        update: unary(async (request: proto.UpdateRequest) => {
            const operation = operationOf(request, request.getPreview(), log);
            const olds = decode(request.getOlds()).value;
            const response = new proto.UpdateResponse();
            response.setProperties(encode(await plugin.update(olds, decode(request.getNews()), operation)));
            return response;
        }),
        read: unary(async (request: proto.ReadRequest) => {
            const operation = operationOf(request, false, log);
            const [state, inputs] = [decode(request.getProperties()).value, decode(request.getInputs())];
            const read = await plugin.read(request.getId(), state, inputs, operation);
            const response = new proto.ReadResponse();
            if (read) {
                response.setId(request.getId());
                response.setProperties(encode(read.state));
                response.setInputs(encode(read.inputs));
            }
            return response;
        }),
        delete: unary(async (request: proto.DeleteRequest) => {
            const operation = operationOf(request, false, log);
            await plugin.delete(request.getId(), decode(request.getProperties()).value, operation);
            return new Empty();
        }),
    };
}

function operationOf(
    request: { getUrn(): string; getTimeout?(): number },
    preview: boolean,
    log: (urn: string) => ResourceLog,
) {
    const urn = request.getUrn();
    return { urn, preview, timeoutSeconds: request.getTimeout?.() ?? 0, log: log(urn) };
}

function failureOf({ property, reason }: { property: string; reason: string }): proto.CheckFailure {
    const failure = new proto.CheckFailure();
    failure.setProperty(property);
    failure.setReason(reason);
    return failure;
}

function diffResponse(diff: ReturnType<KubernetesPlugin["diff"]>): proto.DiffResponse {
    const response = new proto.DiffResponse();
    const { Kind } = proto.PropertyDiff;
    const kinds = {
        add: [Kind.ADD, Kind.ADD_REPLACE],
        delete: [Kind.DELETE, Kind.DELETE_REPLACE],
        update: [Kind.UPDATE, Kind.UPDATE_REPLACE],
    } as const;
    for (const { path, kind, replaces } of diff.changes) {
        const detail = new proto.PropertyDiff();
        detail.setKind(kinds[kind][replaces ? 1 : 0]);
        detail.setInputdiff(true);
        response.getDetaileddiffMap().set(path, detail);
    }
    const { DIFF_SOME, DIFF_NONE } = proto.DiffResponse.DiffChanges;
    response.setChanges(diff.changes.length > 0 ? DIFF_SOME : DIFF_NONE);
    response.setDiffsList([...new Set(diff.changes.map(({ path }) => path.split(/[.[]/)[0]))]);
    response.setReplacesList(diff.changes.filter(({ replaces }) => replaces).map(({ path }) => path));
    response.setHasdetaileddiff(true);
    response.setDeletebeforereplace(diff.deleteBeforeReplace);
    return response;
}

/** Calls that are not answered yet. */
let underWay = 0;

function unary<Q, R>(run: (request: Q) => R | Promise<R>): Grpc.handleUnaryCall<Q, R> {
    return (call, callback) => {
        underWay++;
        Promise.resolve()
            .then(() => run(call.request))
            .finally(() => underWay--)
            .then(
                (response) => callback(null, response),
                (error: unknown) => callback(statusOf(error)),
            );
    };
}

function statusOf(error: unknown): Partial<Grpc.StatusObject> {
    const details = error instanceof Error ? error.message : String(error);
    const metadata = new grpc.Metadata();
    if (error instanceof HalfMade) {
        const failed = new proto.ErrorResourceInitFailed();
        failed.setId(error.id);
        failed.setProperties(encode(error.state));
        failed.setReasonsList([details]);
        const any = new Any();
        any.pack(failed.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
        const status = new Status();
        status.setCode(grpc.status.UNKNOWN);
        status.setMessage(details);
        status.addDetails(any);
        metadata.add("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
    }
    return { code: grpc.status.UNKNOWN, details, metadata };
}
