import * as fs from "node:fs/promises";
import * as path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { compare, type Place } from "../../place";
import type { RunnerEvent } from "../events";
import type { Follower, FollowItem, LogLine, Outcome, RunRef, RunSpec } from "../follower";
import { attemptEvents, outcomeOf } from "../outcome";
import { readMark, RECORD } from "../record";
import { toLogLine } from "../lines";
import { Tail } from "../tail";
import { isAlive, killOrphans, readProcessMark, signal, type ProcessMark } from "./processes";
import { placeFile, startLocal } from "./start";

const POLL_MS = 60;
/** Beyond that, what one poll finds of the log is passed on before the events. */
const MAX_ORDERED_LINES = 5000;
/** How long a cancelled runner has, beyond its own grace, before it is killed. */
const CANCEL_MARGIN_MS = 10_000;

/** Follows a runner of this machine by the record that it keeps itself. */
class LocalFollower implements Follower {
    readonly recordsItself = true;

    async start(spec: RunSpec): Promise<void> {
        await endOrphans(spec);
        await startLocal(spec, async () => (await this.lastOutcome(spec)).kind !== "NotStarted");
    }

    async lastOutcome(run: RunRef): Promise<Outcome> {
        if (!(await isFolder(run.runDir))) {
            return { kind: "NoRecord", message: `there is no ${run.runDir}` };
        }
        const events = await attemptEvents(run);
        const finished = outcomeOf(events, run);
        if (finished) {
            return finished;
        }
        if (await isRunning(run)) {
            return events.length > 0 ? { kind: "Running" } : { kind: "NotStarted" };
        }
        // The runner may have ended between the two looks.
        const again = await attemptEvents(run);
        return (
            outcomeOf(again, run) ??
            (again.length > 0 ? { kind: "Finished", ...LOST } : { kind: "NotStarted" })
        );
    }

    async *follow(run: RunRef, abort: AbortSignal): AsyncIterable<FollowItem> {
        const mark = await readMark(run);
        const events = new Tail(path.join(run.runDir, RECORD.events), 0);
        const log = new Tail(path.join(run.runDir, RECORD.log), mark?.logOffset ?? 0);
        let alive = true;
        while (!abort.aborted) {
            // Events first: all lines that belong to them are in the log by then.
            const seen = parse(await events.next(), run.attempt);
            yield* inOrder(log, seen);
            if (seen.some((event) => event.type === "run.finished")) {
                return;
            }
            if (!alive && seen.length === 0) {
                await endOrphans(run);
                yield { type: "lost", reason: LOST.reason, message: LOST.message };
                return;
            }
            if (seen.length === 0) {
                alive = await isRunning(run);
                await (alive && sleep(POLL_MS, abort));
            }
        }
    }

    async cancel(run: RunRef, reason: string): Promise<void> {
        const runner = await runnerOf(run);
        if (!runner || !(await isAlive(runner))) {
            return;
        }
        await fs.writeFile(path.join(run.runDir, "cancel"), reason);
        signal(runner.pid, "SIGTERM");
        const deadline = Date.now() + ((await readMark(run))?.graceSeconds ?? 0) * 1000 + CANCEL_MARGIN_MS;
        while (await isAlive(runner)) {
            if (Date.now() > deadline) {
                signal(runner.pid, "SIGKILL");
                await killOrphans(path.join(run.runDir, RECORD.steps));
            }
            await sleep(POLL_MS);
        }
    }
}

export function createFollower(): Follower {
    return new LocalFollower();
}

const LOST = {
    state: "Lost",
    reason: "RunnerKilled",
    message: "the runner ended without a word: it was killed, or the machine went down",
} as const;

async function* readLog(log: Tail): AsyncIterable<FollowItem & { type: "log" }> {
    for (let lines = await log.next(); lines.length > 0; lines = await log.next()) {
        yield { type: "log", lines: lines.map(toLogLine) };
    }
}

// The lines of a step before the event that ends it, those of the next one after it: as far as they fit in memory.
async function* inOrder(log: Tail, events: readonly RunnerEvent[]): AsyncIterable<FollowItem> {
    let lines: LogLine[] = [];
    for await (const item of readLog(log)) {
        if (events.length < 2 || lines.length + item.lines.length > MAX_ORDERED_LINES) {
            yield { type: "log", lines: [...lines, ...item.lines] };
            lines = [];
        } else {
            lines = [...lines, ...item.lines];
        }
    }
    for (const event of events) {
        const last =
            event.type === "step.finished" ? lines.findLastIndex(({ step }) => step === event.step) : -1;
        if (last >= 0) {
            yield { type: "log", lines: lines.slice(0, last + 1) };
            lines = lines.slice(last + 1);
        }
        if (event.type === "run.finished" && lines.length > 0) {
            yield { type: "log", lines };
            lines = [];
        }
        yield { type: "event", event };
    }
    if (lines.length > 0) {
        yield { type: "log", lines };
    }
}

function parse(lines: readonly string[], attempt: number): RunnerEvent[] {
    const events: RunnerEvent[] = [];
    for (const line of lines) {
        try {
            const event = JSON.parse(line) as RunnerEvent;
            if (event.attempt === attempt) {
                events.push(event);
            }
        } catch {
            // A torn line of an attempt that was killed.
        }
    }
    return events;
}

async function isRunning(run: RunRef): Promise<boolean> {
    const runner = await runnerOf(run);
    return runner !== undefined && isAlive(runner);
}

// A process id tells nothing in another container or on another machine that sees the same folder.
async function runnerOf(run: RunRef): Promise<ProcessMark | undefined> {
    const started = await startedAt(run);
    switch (started && compare(started)) {
        case "elsewhere":
            throw new Error(
                `it was started on ${started?.host}, in another container or on another machine; from here nobody can ` +
                    `tell whether it still runs (if that is gone for good, remove ${placeFile(run.runDir)})`,
            );
        case "before a reboot":
            return undefined;
        default:
            return readProcessMark(path.join(run.runDir, "runner.pid"));
    }
}

// After a reboot, the numbers that were noted are those of strangers.
async function endOrphans(run: RunRef): Promise<void> {
    const started = await startedAt(run);
    if (!started || compare(started) === "here") {
        await killOrphans(path.join(run.runDir, RECORD.steps));
    }
}

async function startedAt(run: RunRef): Promise<Place | undefined> {
    const text = await fs.readFile(placeFile(run.runDir), "utf8").catch(() => "");
    return text ? (JSON.parse(text) as Place) : undefined;
}

async function isFolder(folder: string): Promise<boolean> {
    return (await fs.stat(folder).catch(() => undefined))?.isDirectory() ?? false;
}

async function sleep(milliseconds: number, abort?: AbortSignal): Promise<void> {
    await delay(milliseconds, undefined, { signal: abort }).catch(() => undefined);
}
