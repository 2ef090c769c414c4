import * as fs from "node:fs/promises";
import * as pulumi from "@pulumi/pulumi";
import type { EngineEvent, Stack } from "@pulumi/pulumi/automation";
import type { Orchestrator } from "../../components/orchestrator";
import { stackOutputs } from "../../stacks/orchestrators";
import type { ProviderServer } from "../provider/server";
import { isFinal } from "../run/snapshot";
import { hasEnded, lockHolders, plainMessage, remedyFor } from "./engineErrors";
import { EngineFailure } from "./engineProcess";
import { CommandError, EXIT } from "./exit";
import type { RunOutputs } from "./summary";

const LOCK_RETRY_MS = 500;
/** An engine whose command was left by a second Ctrl-C needs a moment to give its lock back. */
const LOCK_WAIT_MS = 10_000;

export interface UpdateOptions {
    readonly provider: ProviderServer;
    readonly say: (line: string) => void;
    readonly signal: AbortSignal;
    /** The stack's state is in our own folder: its locks are ours to clear away. */
    readonly ownBackend: boolean;
}

/** One operation of the engine on a program of this process; keeps what the program returned or threw. */
export class Update {
    private refused?: unknown;
    private outputs?: RunOutputs;
    private errors: string[] = [];

    constructor(private readonly options: UpdateOptions) {}

    program(declare: () => Orchestrator): pulumi.automation.PulumiFn {
        return async () => {
            try {
                const outputs = stackOutputs(declare());
                // Read here, because asking the stack for them would take seconds.
                pulumi.output(outputs).apply((values) => (this.outputs = values as unknown as RunOutputs));
                return outputs;
            } catch (error) {
                this.refused = error;
                throw error;
            }
        };
    }

    async preview(stack: Stack, onEvent: (event: EngineEvent) => void): Promise<void> {
        await this.engine(stack, () =>
            stack.preview({ onEvent: this.listen(onEvent), signal: this.options.signal }),
        );
    }

    /** The run's outputs, whether it succeeded or not; throws if the update itself failed. */
    async up(stack: Stack, onEvent: (event: EngineEvent) => void): Promise<RunOutputs> {
        try {
            await this.engine(stack, () =>
                stack.up({ onEvent: this.listen(onEvent), signal: this.options.signal }),
            );
        } catch (error) {
            // A run that failed fails the update, after its outputs were recorded.
            if (!this.outputs || !isFinal(this.outputs.status) || this.outputs.status === "Succeeded") {
                throw error;
            }
        }
        if (!this.outputs) {
            throw new CommandError("the update has ended without outputs", EXIT.failed);
        }
        return this.outputs;
    }

    /** Deletes all of the stack's resources. */
    async destroy(stack: Stack): Promise<void> {
        await this.engine(stack, () =>
            stack.destroy({ onEvent: this.listen(() => undefined), signal: this.options.signal }),
        );
    }

    private listen(onEvent: (event: EngineEvent) => void): (event: EngineEvent) => void {
        return (event) => {
            const { diagnosticEvent } = event;
            if (diagnosticEvent?.severity === "error" && !diagnosticEvent.ephemeral) {
                this.errors.push(diagnosticEvent.message);
            }
            onEvent(event);
        };
    }

    private async engine(stack: Stack, operation: () => Promise<unknown>): Promise<void> {
        const deadline = Date.now() + LOCK_WAIT_MS;
        for (;;) {
            this.errors = [];
            try {
                this.options.signal.throwIfAborted();
                await operation();
                return;
            } catch (error) {
                if (!(await this.lockIsGone(error, stack, deadline))) {
                    throw this.explain(error, stack.name);
                }
            }
        }
    }

    // A lock that no living process holds is a killed command's: it says nothing, and is in everybody's way.
    private async lockIsGone(error: unknown, stack: Stack, deadline: number): Promise<boolean> {
        const { ownBackend, signal, say } = this.options;
        const holders = error instanceof EngineFailure ? lockHolders(error.message) : [];
        if (holders.length === 0 || !ownBackend || signal.aborted || Date.now() > deadline) {
            return false;
        }
        if (holders.every(hasEnded)) {
            say(
                `process ${holders.map(({ pid }) => pid).join(", ")} was killed while it had stack ${stack.name} locked: the lock is cleared away`,
            );
            // These files alone: `pulumi cancel` would take away the lock of whoever came first meanwhile.
            await Promise.all(holders.map(({ file }) => fs.rm(file, { force: true })));
            return true;
        }
        await new Promise((resolve) => setTimeout(resolve, LOCK_RETRY_MS));
        return true;
    }

    private explain(error: unknown, stack: string): Error {
        const mistakes = (this.refused as { mistakes?: unknown } | undefined)?.mistakes;
        if (Array.isArray(mistakes)) {
            return new CommandError((this.refused as Error).message, EXIT.badInput);
        }
        return engineError(error, stack, this.errors);
    }
}

/** What the engine complains of, and what helps, as an error of the command. */
export function engineError(error: unknown, stack: string, diagnostics: readonly string[] = []): Error {
    if (!(error instanceof EngineFailure)) {
        return error as Error;
    }
    if (typeof error.code === "string") {
        const text = `the Pulumi engine was ended by ${error.code}; a run that had been started goes on: stackrun status`;
        return new CommandError(text, EXIT.notReady);
    }
    const remedy = remedyFor(`${diagnostics.join("\n")}\n${error.message}`, stack);
    const text =
        plainMessage(diagnostics.join("\n")) ||
        plainMessage(error.message) ||
        `the update of stack ${stack} failed`;
    return remedy
        ? new CommandError(`stack ${stack}: ${text}\n${remedy}`, EXIT.notReady)
        : new CommandError(text, EXIT.failed);
}
