import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { Stack } from "@pulumi/pulumi/automation";
import { BadInputError } from "../../components/errors";
import type { OrchestratorArgs } from "../../components/orchestrator";
import type { Orchestrator } from "../../components/orchestrator";
import { makeOrchestrator, stackOutputs } from "../../stacks/orchestrators";
import { PipelineError } from "../pipeline/errors";
import { loadPipelineFile } from "../pipeline/load";
import type { Pipeline } from "../pipeline/types";
import { createProvider } from "../provider/plugin";
import type { ProviderServer } from "../provider/server";
import { isFinal } from "../run/snapshot";
import { CommandError, EXIT } from "./exit";
import { showSummary, type RunOutputs } from "./summary";
import { Terminal, TerminalSink } from "./terminal";
import { openStack, STATE_DIR } from "./workspace";

export interface RunOptions {
    readonly orchestrator: string;
    readonly stack: string;
    readonly param: readonly string[];
    readonly code?: string;
    readonly trigger?: string;
    readonly again?: boolean;
    readonly timeout?: string;
    readonly parallelism?: string;
    readonly wait: boolean;
    readonly preview?: boolean;
    readonly json?: boolean;
}

/** Runs a pipeline as an update of a stack, and returns the exit code. */
export async function run(file: string, options: RunOptions, terminal = new Terminal()): Promise<number> {
    const pipeline = loadPipelineFile(file);
    const folder = process.cwd();
    const args = orchestratorArgs(file, pipeline, options, folder);
    const say = (line: string) => (options.json ? terminal.error(line) : terminal.line(line));
    const sinks: TerminalSink[] = [];
    const provider = createProvider(undefined, (run) => {
        const shown = options.json ? new Terminal(process.stderr as NodeJS.WriteStream) : terminal;
        const sink = new TerminalSink(shown, run.pipeline.steps.map((step) => step.name));
        sinks.push(sink);
        return sink;
    });
    const update = new Update(provider, say);
    try {
        const stack = await openStack({
            folder,
            project: projectName(pipeline.name),
            stack: options.stack,
            program: update.program(() => makeOrchestrator(options.orchestrator, options.stack, args)),
            providerPort: await provider.listen(),
            log: say,
        });
        if (options.preview) {
            await update.preview(stack, terminal);
            return EXIT.succeeded;
        }
        const outputs = await update.up(stack);
        sinks.forEach((sink) => sink.end());
        return showSummary(outputs, { terminal, json: options.json === true, folder, ran: sinks.length > 0, file });
    } finally {
        sinks.forEach((sink) => sink.end());
        update.close();
    }
}

/** One update of a stack by a program of this process: keeps what the program threw, and passes Ctrl-C on to the run. */
class Update {
    private refused?: Error;
    private outputs?: RunOutputs;
    private interrupted = false;
    private readonly abort = new AbortController();
    private readonly onSignal = () => this.interrupt();

    constructor(
        private readonly provider: ProviderServer,
        private readonly say: (line: string) => void,
    ) {
        process.on("SIGINT", this.onSignal);
        process.on("SIGTERM", this.onSignal);
    }

    program(declare: () => Orchestrator): pulumi.automation.PulumiFn {
        return async () => {
            try {
                const outputs = stackOutputs(declare());
                // Read here, because asking the stack for them would take seconds.
                pulumi.output(outputs).apply((values) => (this.outputs = values as unknown as RunOutputs));
                return outputs;
            } catch (error) {
                this.refused = error as Error;
                throw error;
            }
        };
    }

    async preview(stack: Stack, terminal: Terminal): Promise<void> {
        try {
            await stack.preview({ onOutput: (text) => terminal.line(text.trimEnd()), color: terminal.isTerminal ? "always" : "never" });
        } catch (error) {
            throw this.explain(error);
        }
    }

    async up(stack: Stack): Promise<RunOutputs> {
        const errors: string[] = [];
        try {
            await stack.up({
                signal: this.abort.signal,
                onEvent: ({ diagnosticEvent }) => {
                    if (diagnosticEvent?.severity === "error" && !diagnosticEvent.ephemeral) {
                        errors.push(diagnosticEvent.message.trim());
                    }
                },
            });
        } catch (error) {
            const { outputs } = this;
            if (this.interrupted) {
                throw new CommandError(cancelMessage(outputs), EXIT.cancelled);
            }
            if (outputs && isFinal(outputs.status) && outputs.status !== "Succeeded") {
                return outputs;
            }
            throw this.explain(error, errors);
        }
        if (!this.outputs) {
            throw new CommandError("the update has ended without outputs", EXIT.failed);
        }
        return this.outputs;
    }

    close(): void {
        process.off("SIGINT", this.onSignal);
        process.off("SIGTERM", this.onSignal);
        this.provider.close();
    }

    // A terminal's Ctrl-C reaches the engine by itself; it must not get it twice, or it stops without recording anything.
    private interrupt(): void {
        if (this.interrupted) {
            return;
        }
        this.interrupted = true;
        this.say("cancelling: the running steps are told to end …");
        if (this.provider.busy) {
            this.provider.cancel();
        } else if (!process.stdin.isTTY) {
            this.abort.abort();
        }
    }

    private explain(error: unknown, errors: readonly string[] = []): Error {
        const refused = this.refused;
        if (refused instanceof BadInputError || refused instanceof PipelineError) {
            return new CommandError(refused.message, EXIT.badInput);
        }
        const text = errors.length > 0 ? errors.join("\n") : (error as Error).message;
        return new CommandError(text, EXIT.failed);
    }
}

function orchestratorArgs(file: string, pipeline: Pipeline, options: RunOptions, folder: string): OrchestratorArgs {
    return {
        pipeline,
        code: path.resolve(options.code ?? path.dirname(file)),
        params: keyValues(options.param),
        secrets: secretsFromEnv(pipeline),
        trigger: options.again ? new Date().toISOString() : options.trigger,
        timeout: options.timeout,
        parallelism: options.parallelism === undefined ? undefined : Number(options.parallelism),
        wait: options.wait,
        stateDir: path.join(folder, STATE_DIR),
    };
}

function keyValues(pairs: readonly string[]): Record<string, string> {
    const wrong = pairs.filter((pair) => pair.indexOf("=") < 1);
    if (wrong.length > 0) {
        throw new BadInputError(wrong.map((pair) => `--param ${JSON.stringify(pair)}: allowed: NAME=VALUE, for example --param horizon=7`));
    }
    return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
}

// Never from the command line: any user of the machine can read that.
function secretsFromEnv(pipeline: Pipeline): Record<string, string> {
    const missing = pipeline.secrets.filter((name) => process.env[name] === undefined);
    if (missing.length > 0) {
        throw new BadInputError(missing.map((name) => `secret ${name} is not set: export it as an environment variable of this name`));
    }
    return Object.fromEntries(pipeline.secrets.map((name) => [name, process.env[name] as string]));
}

// Pulumi allows letters, digits, `-`, `_` and `.` in the name of a project, at most 100 of them.
function projectName(pipeline: string): string {
    const name = pipeline.normalize("NFKD").replaceAll(/\p{M}/gu, "").replaceAll(/[^A-Za-z0-9._-]+/g, "-").replaceAll(/^[-.]+|[-.]+$/g, "");
    return (name || "pipeline").slice(0, 100);
}

function cancelMessage(outputs: RunOutputs | undefined): string {
    return outputs?.status === "Cancelled"
        ? `run ${outputs.runId} was cancelled; run the same command again to go on from its last finished step`
        : "cancelled";
}
