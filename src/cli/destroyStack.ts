import * as fs from "node:fs/promises";
import { StackNotFoundError, type Stack } from "@pulumi/pulumi/automation";
import { createProvider } from "../provider/plugin";
import { RUN_ID_TYPE } from "../provider/tokens";
import { isOwnBackend } from "./backend";
import { cancelRun, runningRuns } from "./cancel";
import { noSuchStack, type DestroyInput } from "./destroy";
import { CommandError, EXIT } from "./exit";
import { Interrupts } from "./interrupts";
import { allRuns, runDir } from "./store";
import type { Terminal } from "./terminal";
import { engineError, Update } from "./update";
import { forgetStack, openStack, projectFolder } from "./workspace";

/** Destroys and removes a stack of `stackrun run`; returns the exit code. */
export async function destroyStack(input: DestroyInput, terminal: Terminal): Promise<number> {
    const provider = createProvider();
    const say = (line: string) => terminal.line(line);
    const interrupts = new Interrupts(provider, say, () => terminal.setStatus(""));
    const { signal } = interrupts;
    const update = new Update({ provider, say, signal, ownBackend: isOwnBackend() });
    try {
        const stack = await openStack({
            input,
            program: () => Promise.resolve(),
            providerPort: await provider.listen(),
            log: say,
            signal,
            missing: "throw",
        });
        await cancelRuns(stack, terminal);
        signal.throwIfAborted();
        await update.destroy(stack);
        await stack.workspace.removeStack(input.stack);
        await forgetStack(input);
        terminal.line(`stack ${input.stack} of pipeline ${input.pipeline} is destroyed`);
        await clean(input, stack, terminal);
        return EXIT.succeeded;
    } catch (error) {
        if (error instanceof StackNotFoundError) {
            throw noSuchStack(input);
        }
        if (interrupts.interrupted) {
            throw new CommandError("cancelled; the same command goes on with what is left", EXIT.cancelled);
        }
        throw engineError(error, input.stack);
    } finally {
        interrupts.dispose();
        provider.close();
    }
}

// Before the engine is asked: whoever follows the run has the stack locked until it has ended, and a run whose
// command was killed is not in the state yet.
async function cancelRuns(stack: Stack, terminal: Terminal): Promise<void> {
    const { deployment } = await stack.exportStack();
    const resources = ((deployment as { resources?: Resource[] } | undefined)?.resources ?? []) as Resource[];
    const ids = resources.filter(({ type }) => type === RUN_ID_TYPE).map(({ outputs }) => outputs?.runId);
    for (const run of (await runningRuns()).filter(({ runId }) => ids.includes(runId))) {
        await cancelRun(run, "its stack was destroyed", terminal);
    }
}

interface Resource {
    readonly type: string;
    readonly outputs?: { readonly runId?: unknown };
}

async function clean(input: DestroyInput, stack: Stack, terminal: Terminal): Promise<void> {
    const { pipeline } = input;
    const others = (await stack.workspace.listStacks()).map(({ name }) => name);
    if (others.length > 0) {
        // Their last runs are among the records.
        const kept = input.records ? "; the records are kept, because they are theirs, too" : "";
        terminal.line(`pipeline ${pipeline} has other stacks: ${others.join(", ")}${kept}`);
        return;
    }
    await fs.rm(projectFolder(input), { recursive: true, force: true });
    const runs = (await allRuns()).runs.filter((run) => run.pipeline === pipeline);
    if (runs.length === 0) {
        return;
    }
    if (!input.records) {
        terminal.line(
            `the records of its runs are kept: stackrun runs --pipeline ${JSON.stringify(pipeline)}`,
        );
        return;
    }
    const running = (await runningRuns()).map(({ runId }) => runId);
    for (const { runId } of runs.filter((run) => !running.includes(run.runId))) {
        await fs.rm(runDir(runId), { recursive: true, force: true });
    }
    running
        .filter((id) => runs.some(({ runId }) => runId === id))
        .forEach((id) => terminal.line(`the record of run ${id} is kept: it runs, for somebody else`));
    terminal.line(`the records of pipeline ${pipeline} are removed`);
}
