import { readMark, type RunFile } from "../run/record";
import { isFinal } from "../run/snapshot";
import { CommandError, EXIT } from "./exit";
import { allRuns, current, findRun, followerOf, refOf } from "./store";
import type { Terminal } from "./terminal";

/** `stackrun cancel`: ends a run of this machine in order, and waits for that. */
export async function cancel(id: string | undefined, terminal: Terminal): Promise<number> {
    const run = await (id === undefined ? theRunningOne(terminal) : findRun(id));
    if (run) {
        await cancelRun(run, "cancelled with `stackrun cancel`", terminal);
    }
    return EXIT.succeeded;
}

/** Cancels a run if it is running; says what it does, and how the run has ended. */
export async function cancelRun(run: RunFile, reason: string, terminal: Terminal): Promise<void> {
    const { runId } = run;
    if (isFinal(run.status)) {
        terminal.line(`run ${runId} has ended already: ${run.status}`);
        return;
    }
    const follower = await followerOf(run);
    if (!follower) {
        throw new CommandError(
            `run ${runId} does not run on this machine: cancel it with Ctrl-C where it is followed, or with \`pulumi destroy\``,
            EXIT.notReady,
        );
    }
    const ref = refOf(run);
    const { kind } = await follower.lastOutcome(ref);
    if (kind === "Running") {
        const grace = (await readMark(ref))?.graceSeconds ?? 0;
        terminal.line(`cancelling run ${runId}: its steps are told to end, and have ${grace} s for that …`);
        await follower.cancel(ref, reason);
    } else if (kind === "NotStarted") {
        terminal.line(`attempt ${run.attempt} of run ${runId} has not started: there is nothing to cancel`);
        return;
    }
    const { status } = await current(run);
    terminal.line(
        kind === "Running" ? `run ${runId}: ${status}` : `run ${runId} has ended already: ${status}`,
    );
}

/** The runs that run now, on this machine. */
export async function runningRuns(): Promise<RunFile[]> {
    const { runs } = await allRuns();
    const running = await Promise.all(
        runs.map(async (run) => {
            const follower = isFinal(run.status) ? undefined : await followerOf(run);
            const outcome = await follower?.lastOutcome(refOf(run)).catch(() => undefined);
            return outcome?.kind === "Running";
        }),
    );
    return runs.filter((_, index) => running[index]);
}

// Not the newest of several: which one is meant can't be guessed.
async function theRunningOne(terminal: Terminal): Promise<RunFile | undefined> {
    const running = await runningRuns();
    if (running.length > 1) {
        const ids = running.map(({ runId }) => `  stackrun cancel ${runId}`).sort();
        throw new CommandError(
            `${running.length} runs are running; name one:\n${ids.join("\n")}`,
            EXIT.badInput,
        );
    }
    if (running.length === 0) {
        const last = await findRun(undefined);
        terminal.line(`no run is running; the newest is ${last.runId}: ${(await current(last)).status}`);
    }
    return running[0];
}
