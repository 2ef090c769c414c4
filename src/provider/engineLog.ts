import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";
import { grpc } from "./sdkModules";

/** Shows lines under one resource while an operation on it still runs. */
export interface ResourceLog {
    /** A line that stays, under Diagnostics too. */
    info(message: string): void;
    warn(message: string): void;
    /** The text in the resource's row; replaced by the next one. */
    status(message: string): void;
    /** Resolves when everything logged so far has reached the engine. */
    flush(): Promise<void>;
}

/**
 * The engine's log service: one connection for the whole plugin, lines in the order in which they were logged. It is made
 * for the first line: an update that changes nothing logs none, and waits for the plugin's start.
 */
export class EngineLog {
    private client?: EngineClient;
    private closed = false;
    private queue: Promise<void> = Promise.resolve();

    constructor(private readonly address: string) {}

    for(urn: string): ResourceLog {
        return {
            info: (message) => this.send(urn, LogSeverity.INFO, message, false),
            warn: (message) => this.send(urn, LogSeverity.WARNING, message, false),
            status: (message) => this.send(urn, LogSeverity.INFO, message, true),
            flush: () => this.queue,
        };
    }

    close(): void {
        this.closed = true;
        this.client?.close();
    }

    private connect(): EngineClient {
        this.client ??= new EngineClient(this.address, grpc.credentials.createInsecure());
        return this.client;
    }

    private send(urn: string, severity: LogSeverity, message: string, ephemeral: boolean): void {
        const request = new LogRequest();
        request.setUrn(urn);
        request.setSeverity(severity);
        request.setMessage(message);
        request.setEphemeral(ephemeral);
        // One call at a time keeps the order. An engine that is gone must not fail the operation: the run goes on.
        this.queue = this.queue.then(
            () =>
                new Promise((resolve) =>
                    this.closed
                        ? resolve()
                        : this.connect().log(
                              request,
                              new grpc.Metadata(),
                              { deadline: Date.now() + 10_000 },
                              () => resolve(),
                          ),
                ),
        );
    }
}

export const silentLog: ResourceLog = {
    info: () => undefined,
    warn: () => undefined,
    status: () => undefined,
    flush: () => Promise.resolve(),
};
