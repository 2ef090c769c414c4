import type { OrchestratorArgs } from "../../components/orchestrator";
import { makeOrchestrator } from "../../stacks/orchestrators";
import { createProvider } from "../provider/plugin";
import { RUN_ID_TYPE } from "../provider/tokens";
import { isOwnBackend } from "./backend";
import { CommandError, EXIT } from "./exit";
import type { RunInput } from "./input";
import { Interrupts } from "./interrupts";
import { Forecaster, showForecast } from "./preview";
import { showSummary } from "./summary";
import type { Terminal } from "./terminal";
import { TerminalSink } from "./terminalSink";
import { engineError, Update } from "./update";
import { keepTrigger, openStack, readTrigger } from "./workspace";

export interface RunMode {
    readonly preview: boolean;
    readonly json: boolean;
}

export interface RunScreens {
    /** For results. */
    readonly terminal: Terminal;
    /** For the log, and for what goes on. */
    readonly shown: Terminal;
}

/** Runs a pipeline as an update of a stack, and returns the exit code. */
export async function run(input: RunInput, mode: RunMode, { terminal, shown }: RunScreens): Promise<number> {
    const sinks: TerminalSink[] = [];
    const end = () => {
        sinks.forEach((sink) => sink.end());
        shown.setStatus("");
    };
    const provider = createProvider(undefined, ({ pipeline, runId, attempt }) => {
        const sink = new TerminalSink(
            shown,
            pipeline.steps.map((step) => step.name),
            `run ${runId}, attempt ${attempt}`,
        );
        sinks.push(sink);
        return sink;
    });
    const say = (line: string) => shown.line(line);
    const interrupts = new Interrupts(provider, say, end);
    const { signal } = interrupts;
    const update = new Update({ provider, say, signal, ownBackend: isOwnBackend() });
    try {
        const trigger = await readTrigger(input);
        const program = update.program(() =>
            makeOrchestrator(
                input.orchestrator,
                componentName(input.stack),
                argsOf({ ...input, trigger }),
                input.own,
            ),
        );
        const stack = await openStack({
            input,
            program,
            providerPort: await provider.listen(),
            log: say,
            signal,
        });
        if (mode.preview) {
            const forecaster = new Forecaster();
            await update.preview(stack, forecaster.onEvent);
            const forecast = await forecaster.forecast(input);
            end();
            if (mode.json) {
                terminal.line(JSON.stringify(forecast, null, 2));
            } else {
                showForecast(forecast, input, terminal);
            }
            return EXIT.succeeded;
        }
        signal.throwIfAborted();
        const outputs = await update.up(stack, ({ resOutputsEvent }) => {
            if (resOutputsEvent?.metadata.type === RUN_ID_TYPE) {
                keepTrigger(input);
            }
        });
        end();
        if (interrupts.interrupted && !mode.json && outputs.status === "Cancelled") {
            throw new CommandError(
                `run ${outputs.runId} was cancelled; the same command goes on from its last finished step`,
                EXIT.cancelled,
            );
        }
        return showSummary(outputs, { terminal, json: mode.json, ran: sinks.length > 0, input });
    } catch (error) {
        if (interrupts.interrupted && !(error instanceof CommandError && error.exitCode === EXIT.cancelled)) {
            throw new CommandError(
                sinks.length > 0
                    ? "cancelled; `stackrun status` tells how the run ended"
                    : "cancelled: nothing was started",
                EXIT.cancelled,
            );
        }
        throw engineError(error, input.stack);
    } finally {
        end();
        interrupts.dispose();
        provider.close();
    }
}

// `organization/project/stack` is no name for a resource.
function componentName(stack: string): string {
    return stack.split("/").pop() ?? stack;
}

const PASSED_ON = [
    ...["pipeline", "code", "params", "secrets", "image", "artifactStore", "trigger"],
    ...["timeout", "parallelism", "wait", "whileRunning", "stateDir"],
] as (keyof RunInput & keyof OrchestratorArgs)[];

function argsOf(input: RunInput): OrchestratorArgs {
    return Object.fromEntries(PASSED_ON.map((name) => [name, input[name]])) as unknown as OrchestratorArgs;
}
