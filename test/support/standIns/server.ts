import type * as Grpc from "@grpc/grpc-js";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import type { CheckFailure } from "../../../src/provider/handler";
import { grpc } from "../../../src/provider/sdkModules";
import { ProviderServer, type ProviderOptions } from "../../../src/provider/server";
import { decode, encode, type Decoded, type Properties } from "../../../src/provider/values";

export interface StandInOptions extends ProviderOptions {
    checkConfig(config: Properties): CheckFailure[];
    configure(config: Properties): void;
    /** Functions by their tokens: what `pulumi.runtime.invoke` gets for its arguments. */
    readonly functions?: Readonly<Record<string, (args: Properties) => Promise<object>>>;
    /** Inputs that the plugin adds to those of the program, as engines see them from then on. */
    complete?(type: string, inputs: Decoded): Properties | undefined;
    /** Whether a resource that is replaced by one of these inputs goes before the other is made. @default - it does */
    deletesFirst?(inputs: Properties): boolean;
}

/** Our own gRPC server, and what it does not need for itself: configuration, and a check that adds inputs. */
export class StandInServer extends ProviderServer {
    constructor(private readonly standIn: StandInOptions) {
        super(standIn);
    }

    protected override methods(): Grpc.UntypedServiceImplementation {
        const methods = super.methods();
        const check = methods.check as Grpc.handleUnaryCall<proto.CheckRequest, proto.CheckResponse>;
        const diff = methods.diff as Grpc.handleUnaryCall<proto.DiffRequest, proto.DiffResponse>;
        return {
            ...methods,
            checkConfig: answer((request: proto.CheckRequest) => {
                const response = new proto.CheckResponse();
                response.setInputs(request.getNews());
                const config = parseConfig(decode(request.getNews()).value);
                response.setFailuresList(this.standIn.checkConfig(config).map(failureMessage));
                return response;
            }),
            configure: answer((request: proto.ConfigureRequest) => {
                this.standIn.configure(parseConfig(decode(request.getArgs()).value));
                const response = new proto.ConfigureResponse();
                response.setAcceptsecrets(true);
                response.setSupportspreview(true);
                return response;
            }),
            invoke: (
                { request }: Grpc.ServerUnaryCall<proto.InvokeRequest, proto.InvokeResponse>,
                callback: Grpc.sendUnaryData<proto.InvokeResponse>,
            ) => {
                this.invoke(request).then(
                    (response) => callback(null, response),
                    (error: Error) => callback({ code: grpc.status.UNKNOWN, details: error.message }),
                );
            },
            check: (
                call: Grpc.ServerUnaryCall<proto.CheckRequest, proto.CheckResponse>,
                callback: Grpc.sendUnaryData<proto.CheckResponse>,
            ) =>
                check(call, (error, response) => {
                    if (response && response.getFailuresList().length === 0) {
                        try {
                            this.addInputs(call.request, response);
                        } catch (failed) {
                            callback({ code: grpc.status.UNKNOWN, details: (failed as Error).message });
                            return;
                        }
                    }
                    callback(error, response);
                }),
            diff: (
                call: Grpc.ServerUnaryCall<proto.DiffRequest, proto.DiffResponse>,
                callback: Grpc.sendUnaryData<proto.DiffResponse>,
            ) =>
                diff(call, (error, response) => {
                    const inputs = decode(call.request.getNews()).value;
                    if (response?.getDeletebeforereplace() && this.standIn.deletesFirst?.(inputs) === false) {
                        response.setDeletebeforereplace(false);
                    }
                    callback(error, response);
                }),
        };
    }

    private async invoke(request: proto.InvokeRequest): Promise<proto.InvokeResponse> {
        const called = this.standIn.functions?.[request.getTok()];
        if (!called) {
            throw new Error(`the stand-in knows no function ${request.getTok()}`);
        }
        const response = new proto.InvokeResponse();
        response.setReturn(encode(await called(decode(request.getArgs()).value)));
        return response;
    }

    // Properties one level deep: what is a secret stays one.
    private addInputs(request: proto.CheckRequest, response: proto.CheckResponse): void {
        const type = request.getUrn().split("::")[2]?.split("$").pop() ?? "";
        const added = this.standIn.complete?.(type, decode(request.getNews()));
        if (added) {
            const inputs = request.getNews()?.toJavaScript() ?? {};
            response.setInputs(encode({ ...inputs, ...added }));
        }
    }
}

// A provider's properties that are no strings reach the plugin as JSON.
function parseConfig(config: Properties): Properties {
    const parsed = Object.entries(config).map(([name, value]) => {
        const json = typeof value === "string" && /^([[{]|true$|false$)/.test(value);
        return [name, json ? (JSON.parse(value) as Properties) : value] as const;
    });
    // The engine's own: which version, and where plugins come from.
    const own = new Set(["version", "pluginDownloadURL", "__internal"]);
    return Object.fromEntries(parsed.filter(([name]) => !own.has(name)));
}

function failureMessage({ property, reason }: CheckFailure): proto.CheckFailure {
    const failure = new proto.CheckFailure();
    failure.setProperty(property);
    failure.setReason(reason);
    return failure;
}

function answer<Q, R>(run: (request: Q) => R): Grpc.handleUnaryCall<Q, R> {
    return (call: Grpc.ServerUnaryCall<Q, R>, callback: Grpc.sendUnaryData<R>) => {
        let response: R;
        try {
            response = run(call.request);
        } catch (error) {
            callback({ code: grpc.status.UNKNOWN, details: (error as Error).message });
            return;
        }
        callback(null, response);
    };
}
