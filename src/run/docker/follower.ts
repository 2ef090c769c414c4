import { setTimeout as delay } from "node:timers/promises";
import type { Follower, FollowItem, Outcome, RunRef, RunSpec } from "../follower";
import { recordedOutcome } from "../outcome";
import { isFolder } from "./files";
import { connect, type Daemon } from "./client";
import { findContainer, type Found } from "./container";
import { explain, isGone, isUnreachable } from "./errors";
import { imageItem } from "./image";
import { readLogs } from "./logs";
import { readCancelMark, readStartMark, writeCancelMark } from "./mark";
import { containerName, LABEL } from "./names";
import type { DockerFollowerOptions } from "./options";
import { asCancelled, CONTAINER_GONE, endOf, outcomeOfContainer, withCancel, type Finished } from "./outcome";
import { copyOutputsOf } from "./outputs";
import { Position } from "./position";
import { LogReader } from "./reader";
import { startContainer } from "./start";
import { stopContainer } from "./stop";

/** How long a daemon that does not answer is waited for, before the update ends; the run goes on all the same. */
const PATIENCE_MS = 10 * 60_000;
const SHORT_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/** Follows a runner in a container by the container's log. */
class DockerFollower implements Follower {
    private daemon?: Promise<Daemon>;

    constructor(private readonly options: DockerFollowerOptions) {}

    async start(spec: RunSpec, signal: AbortSignal): Promise<void> {
        await startContainer(await this.connected(), spec, this.options, signal);
    }

    async lastOutcome(run: RunRef): Promise<Outcome> {
        const recorded = await recordedOutcome(run);
        if (recorded) {
            return recorded;
        }
        const daemon = await this.connected();
        const found = await findContainer(daemon, run);
        if (!found) {
            return outcomeWithout(daemon, run);
        }
        return withCancel(outcomeOfContainer(found.info.State), await readCancelMark(run));
    }

    async *follow(run: RunRef, signal: AbortSignal, from?: string): AsyncIterable<FollowItem> {
        const position = Position.parse(from);
        let reader: LogReader | undefined;
        let waiting = 0;
        for (let failed = 0; !signal.aborted;) {
            try {
                const daemon = await this.connected();
                const found = await findContainer(daemon, run);
                if (!found) {
                    yield lost(CONTAINER_GONE);
                    return;
                }
                failed = 0;
                if (!reader) {
                    reader = new LogReader(identity(found, run), position);
                    if (from === undefined) {
                        yield await imageItem(daemon, found);
                    }
                }
                if (yield* readOn(found, run, reader, signal)) {
                    return;
                }
                await sleep(SHORT_PAUSE_MS, signal);
            } catch (error) {
                if (signal.aborted) {
                    return;
                }
                // Looked up once more: it will turn out that the container is gone.
                if (!isGone(error) && !isUnreachable(cause(error))) {
                    throw error;
                }
                const now = Date.now();
                waiting = failed === 0 ? now : waiting;
                if (now - waiting > PATIENCE_MS) {
                    throw error;
                }
                yield { type: "status", text: "waiting for the Docker daemon, which does not answer" };
                await sleep(Math.min(LONGEST_PAUSE_MS, SHORT_PAUSE_MS * 2 ** failed++), signal);
            }
        }
    }

    async cancel(run: RunRef, reason: string): Promise<void> {
        const daemon = await this.connected();
        const found = await findContainer(daemon, run);
        if (found && outcomeOfContainer(found.info.State).kind === "Running") {
            await writeCancelMark(run, { reason });
            await stopContainer(daemon, found, reason);
        }
    }

    private connected(): Promise<Daemon> {
        return (this.daemon ??= connect(this.options));
    }
}

/** The options are those of {@link DockerFollowerOptions}. */
export function createFollower(options: DockerFollowerOptions): Follower {
    return new DockerFollower(options);
}

// No container: that it never was, or that it is gone, is told only by what this machine has noted.
async function outcomeWithout({ docker, address }: Daemon, run: RunRef): Promise<Outcome> {
    const mark = await readStartMark(run);
    if (!mark) {
        const message = `the Docker daemon at ${address} has no container ${containerName(run)}, and there is no ${run.runDir}`;
        return (await isFolder(run.runDir)) ? { kind: "NotStarted" } : { kind: "NoRecord", message };
    }
    const doing = `the daemon can't be asked for its id`;
    const { ID } = (await docker
        .info()
        .catch((error) => Promise.reject(explain(error, { doing, address })))) as {
        ID: string;
    };
    if (ID !== mark.daemon) {
        throw new Error(
            `attempt ${run.attempt} was started by another Docker daemon (${mark.address}) than the one at ${address}: name that one in DOCKER_HOST or dockerHost`,
        );
    }
    return CONTAINER_GONE;
}

// Reads the log once from its beginning, without what was had; true if the attempt's end is told.
async function* readOn(
    found: Found,
    run: RunRef,
    reader: LogReader,
    signal: AbortSignal,
): AsyncGenerator<FollowItem, boolean> {
    reader.rewind();
    for await (const piece of readLogs(found, signal)) {
        reader.take(piece);
        if (yield* passOn(found, run, reader)) {
            return true;
        }
    }
    // Only what was read after the container's end is sure to be the whole log.
    const { State } = found.info;
    const ended = outcomeOfContainer(State).kind === "Finished";
    if (ended) {
        reader.end();
        yield* passOn(found, run, reader);
        const outcome = { kind: "Finished", ...endOf(State) } as const;
        yield lost(withCancel(outcome, await readCancelMark(run)) as Finished);
    }
    return ended;
}

// An item that could not be passed on, because the daemon went meanwhile, is the first one of the next time.
async function* passOn(found: Found, run: RunRef, reader: LogReader): AsyncGenerator<FollowItem, boolean> {
    for (let item = reader.next; item; item = reader.next) {
        if (item.type === "event") {
            await copyOutputsOf(item.event, found, run);
        }
        reader.passed();
        if (item.type === "event" && item.event.type === "run.finished") {
            const event = asCancelled(item.event, await readCancelMark(run));
            yield { ...item, event };
            return true;
        }
        yield item;
    }
    return false;
}

function lost({ state, reason, message }: Finished): FollowItem {
    return { type: "lost", state, reason, message };
}

function identity({ info }: Found, { attempt }: RunRef): { nonce: string; attempt: number } {
    return { nonce: info.Config.Labels[LABEL.nonce] ?? "", attempt };
}

function cause(error: unknown): unknown {
    return (error as { cause?: unknown }).cause ?? error;
}

async function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    await delay(milliseconds, undefined, { signal }).catch(() => undefined);
}
