import type { ResourceLog } from "./engineLog";
import type { Decoded, Properties } from "./values";
import type { Views } from "./views";

/** What one resource type does; the server translates gRPC to it, so that it can be tested without an engine. */
export interface ResourceHandler {
    check(request: CheckRequest): CheckFailure[];
    diff(request: DiffRequest): Promise<Diff>;
    create(request: CreateRequest): Promise<{ id: string; outputs: object }>;
    update(request: UpdateRequest): Promise<{ outputs: object }>;
    /** `undefined`: the resource is gone. */
    read(request: ReadRequest): Promise<{ outputs: object } | undefined>;
    delete(request: DeleteRequest): Promise<void>;
}

export interface CheckRequest {
    readonly urn: string;
    readonly inputs: Decoded;
}

export interface CheckFailure {
    readonly property: string;
    readonly reason: string;
}

export interface DiffRequest {
    readonly id: string;
    readonly urn: string;
    readonly inputs: Properties;
    readonly oldInputs: Properties;
    readonly oldOutputs: Properties;
}

export interface Diff {
    /** Paths of the inputs that differ, as preview shows them. */
    readonly changes: readonly string[];
    /** Whether the changes replace the resource (deleting the old one first). */
    readonly replace?: boolean;
    /** Changed although no input differs. */
    readonly force?: boolean;
}

interface Operation {
    readonly urn: string;
    readonly preview: boolean;
    readonly log: ResourceLog;
    readonly views: Views;
    /** Aborted when the user cancels the update. */
    readonly signal: AbortSignal;
    /** Aborted when the engine has gone: nobody waits for the operation any more. */
    readonly closed: AbortSignal;
}

export interface CreateRequest extends Operation {
    readonly inputs: Decoded;
}

export interface UpdateRequest extends Operation {
    readonly id: string;
    readonly inputs: Decoded;
    readonly oldInputs: Properties;
    readonly oldOutputs: Properties;
}

export interface ReadRequest extends Operation {
    readonly id: string;
    readonly inputs: Decoded;
    readonly outputs: Properties;
}

export interface DeleteRequest extends Operation {
    readonly id: string;
    readonly oldInputs: Decoded;
    readonly outputs: Properties;
}

/** An error whose text is all that a user needs: it is shown without a stack. */
export class ProviderError extends Error {
    override readonly name = "ProviderError";
}
