import { inspect } from "node:util";
import type { Tried } from "./types";

/** There is no engine, and none could be made: names each remedy tried, why it failed, and what to do. */
export class EngineError extends Error {
    override readonly name = "EngineError";

    constructor(
        message: string,
        readonly tried: readonly Tried[] = [],
    ) {
        super(message);
    }

    /** The message is the whole story: no stack. */
    [inspect.custom](): string {
        return this.message;
    }
}

/** A remedy that does not help; its message becomes part of the `EngineError`. */
export class RemedyFailed extends Error {
    override readonly name = "RemedyFailed";
}

/** The error for all that was tried. */
export function noEngine(tried: readonly Tried[], goNeeded: string): EngineError {
    const lines = [
        "There is no Pulumi engine that stackrun can use, and none could be made:",
        ...tried.map(({ remedy, why }) => `  - ${remedy}: ${why}`),
        "Do one of these, then try again:",
        "  - install Pulumi (https://www.pulumi.com/docs/install/), and put `pulumi` on PATH",
        `  - install Go ${goNeeded} or newer (https://go.dev/dl/): stackrun then builds the engine, once`,
        "  - set STACKRUN_CACHE to a folder that can be written, or that holds an engine made before",
    ];
    return new EngineError(lines.join("\n"), tried);
}

export function messageOf(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}
