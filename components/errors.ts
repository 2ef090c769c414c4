import * as util from "node:util";
import * as pulumi from "./sdk";
import type { RunState } from "../src/run/events";

/**
 * A mistake in what was given to a component: shown without a stack, all mistakes at once, before anything is created.
 */
export class BadInputError extends pulumi.RunError {
    constructor(readonly mistakes: readonly string[]) {
        super(mistakes.join("\n"));
        hideStack(this);
    }

    /** The SDK's run shim would walk everything that hangs on the error. */
    [util.inspect.custom](): string {
        return this.message;
    }
}

/** A run that has ended, and not with success. It fails the update after the outputs were recorded. */
export class RunFailedError extends pulumi.ResourceError {
    constructor(
        message: string,
        resource: pulumi.Resource,
        readonly status: RunState,
        readonly reason: string,
    ) {
        super(message, resource, true);
        hideStack(this);
    }

    /** Without this, the SDK's run shim spends a minute inspecting the resource that hangs on the error. */
    [util.inspect.custom](): string {
        return this.message;
    }
}

// Once the program's module has been loaded, the run shim prints an error's `stack`, whatever the error asks for.
function hideStack(error: Error): void {
    Object.defineProperty(error, "stack", { value: error.message, configurable: true });
}
