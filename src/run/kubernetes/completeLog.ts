import type { RunnerEvent } from "../events";
import type { FollowItem, LogLine } from "../follower";
import { missingLines, perhapsMissing, type CountItem, type LogCount } from "../stream";
import {
    groupsOf,
    HeldQueue,
    itemOf,
    lateLines,
    textsOf,
    type Entry,
    type HeldLines,
    type LogState,
    type Mark,
} from "./heldItems";
import type { PodRecord } from "./podRecord";
import { behind, mostOf, piecesOf, StepLines } from "./stepLines";

export interface CompleteLogOptions {
    readonly record: PodRecord;
    readonly emit: (item: FollowItem) => Promise<void>;
    /** From this many bytes on the kubelet may begin a new log file, and lose lines while it does. */
    readonly holdFromBytes?: number;
    /** Lines are held back no longer than this, although nobody knows yet whether some are missing before them. */
    readonly holdMs?: number;
    /** Of the bookmark from which the log is read on. */
    readonly from?: LogState;
}

const HOLD_FROM_BYTES = 4 << 20;
const HOLD_MS = 1_000;

/**
 * Makes a pod's log whole. The kubelet loses lines that are written while it begins a new file of a log that is followed
 * (pkg/kubelet of Kubernetes: it goes over to the new file without reading the old one to its end). The runner counts its
 * lines, and what is missing is read from its own files in the pod. A log that is long enough for that is passed on when it
 * was counted; a shorter one at once.
 */
export class CompleteLog {
    private readonly steps = new Map<string, StepLines>();
    private readonly queue = new HeldQueue();
    private fresh: boolean;
    private bytes: number;
    private lastEvent?: number;
    private finished = false;
    private holds?: Promise<boolean>;
    private busy: Promise<void> = Promise.resolve();
    private readonly timer: NodeJS.Timeout;
    private failure?: unknown;

    constructor(private readonly options: CompleteLogOptions) {
        const { from } = options;
        this.bytes = from?.bytes ?? 0;
        this.lastEvent = from?.event;
        this.fresh = from?.fresh ?? false;
        for (const [step, position] of Object.entries(from?.steps ?? {})) {
            this.steps.set(step, new StepLines(position));
        }
        const every = Math.max(10, this.holdMs / 2);
        this.timer = setInterval(
            () => void this.serially(() => this.pass(false)).catch(() => undefined),
            every,
        );
        this.timer.unref();
    }

    /**
     * What was read, with the number of bytes that it had in the log. `bookmark` makes the one for the place behind all of
     * it, of where each step stands.
     */
    take(
        items: readonly (FollowItem | CountItem)[],
        bytes: number,
        bookmark?: Mark["bookmark"],
    ): Promise<void> {
        return this.serially(async () => {
            this.bytes += bytes;
            if (this.bytes >= (this.options.holdFromBytes ?? HOLD_FROM_BYTES)) {
                this.holds ??= this.options.record.hold().then(
                    () => true,
                    () => false,
                );
            }
            for (const item of items) {
                await this.takeOne(item);
            }
            const { last } = this.queue;
            if (last && bookmark) {
                last.mark = { state: this.state(), bookmark };
            }
            await this.pass(false);
        });
    }

    private state(): LogState {
        const steps = [...this.steps].map(([step, lines]) => [step, lines.position] as const);
        const { bytes, lastEvent: event, fresh } = this;
        return { steps: Object.fromEntries(steps), bytes, event, fresh };
    }

    /** Nothing more will be read. */
    async end(): Promise<void> {
        clearInterval(this.timer);
        await this.serially(() => this.pass(true));
        if (await this.holds) {
            const released = this.options.record.release().catch(() => undefined);
            // The run may go on without us.
            await (this.finished ? released : undefined);
        }
    }

    private async takeOne(item: FollowItem | CountItem): Promise<void> {
        if (item.type === "count") {
            await this.counted(item.count);
        } else if (item.type === "log") {
            this.takeLines(item.lines);
        } else {
            if (item.type === "event") {
                await this.takeEventsBefore(item.event);
                await this.note(item.event);
            }
            this.queue.add(item);
        }
    }

    private takeLines(lines: readonly LogLine[]): void {
        for (const { step, texts } of groupsOf(lines)) {
            const known = this.steps.get(step) ?? this.unheardOf(step);
            known?.received(texts);
            this.queue.add({ type: "log", lines: [] }, { step, texts, counted: !known });
        }
    }

    // Where events were seen already, that of its beginning was lost.
    private unheardOf(step: string): StepLines | undefined {
        if (step === "" || this.lastEvent === undefined) {
            return undefined;
        }
        return this.begin(step, 1);
    }

    private async note(event: RunnerEvent, lost = false): Promise<void> {
        this.lastEvent = event.n;
        if (event.type === "step.started") {
            // One that was lost: the lines behind it may have been taken already.
            if (!lost || !this.steps.has(event.step)) {
                this.begin(event.step, event.try);
            }
        } else if (event.type === "run.started") {
            this.fresh = event.fresh === true;
        } else if (event.type === "step.finished" || event.type === "step.retrying") {
            await this.close(event.step);
        }
        this.finished ||= event.type === "run.finished";
    }

    // Where nothing was there before, the log file of a step begins with its first try.
    private begin(step: string, number: number): StepLines {
        const at = this.fresh && number === 1 ? 0 : undefined;
        const lines = new StepLines({ lines: 0, since: 0, at });
        this.steps.set(step, lines);
        return lines;
    }

    // The last count of a try may be lost, with the lines before it.
    private async close(name: string): Promise<void> {
        const step = this.steps.get(name);
        this.steps.delete(name);
        if (!step || step.closed) {
            return;
        }
        const held = this.queue.heldOf(name);
        const read =
            step.rest === undefined
                ? undefined
                : await this.options.record.log(name, step.rest).catch(() => undefined);
        const found = read && step.complete(piecesOf(read, mostOf(name)), textsOf(held));
        if (found) {
            this.queue.putInPlace(name, held, [...lateLines(found.late), ...found.rest]);
        } else {
            this.queue.add({ type: "log", lines: [perhapsMissing(name)] });
        }
        for (const { lines } of held) {
            (lines as HeldLines).counted = true;
        }
    }

    // An event can be lost as a line can.
    private async takeEventsBefore(event: RunnerEvent): Promise<void> {
        const { lastEvent } = this;
        if (lastEvent === undefined || event.n <= lastEvent + 1) {
            return;
        }
        const all = await this.options.record.events().catch(() => []);
        for (const lost of all) {
            if (lost.n > lastEvent && lost.n < event.n && lost.nonce === event.nonce) {
                await this.note(lost, true);
                this.queue.add({ type: "event", event: lost });
            }
        }
    }

    private async counted(count: LogCount): Promise<void> {
        const step = this.steps.get(count.step) ?? this.unheardOf(count.step);
        if (!step) {
            this.steps.set(count.step, new StepLines(behind(count)));
            return;
        }
        const held = this.queue.heldOf(count.step);
        const missing = step.missing(count);
        if (missing > 0) {
            await this.repair(step, count, held, missing);
        }
        for (const { lines } of held) {
            (lines as HeldLines).counted = true;
        }
        step.countedTo(count);
    }

    private async repair(
        step: StepLines,
        count: LogCount,
        held: readonly Entry[],
        missing: number,
    ): Promise<void> {
        const { start, bytes } = step.rangeTo(count);
        const read = await this.options.record.log(count.step, start, bytes).catch(() => undefined);
        const found = read && step.complete(piecesOf(read, count.most), textsOf(held));
        if (!found) {
            this.queue.add({ type: "log", lines: [missingLines(count.step, missing)] });
            return;
        }
        const all = [...lateLines(found.late), ...found.rest];
        this.queue.putInPlace(count.step, held, all, behind(count));
    }

    private async pass(all: boolean): Promise<void> {
        const holding = !all && this.holds !== undefined && (await this.holds);
        const late = Date.now() - this.holdMs;
        const held = ({ lines, since }: Entry) => holding && lines?.counted === false && since > late;
        for (let entry = this.queue.first; entry && !held(entry); entry = this.queue.first) {
            this.queue.shift();
            if (entry.lines && !entry.lines.counted) {
                this.steps.get(entry.lines.step)?.passed(entry.lines.texts);
            }
            this.markUnsure(entry.mark);
            await this.options.emit(itemOf(entry));
        }
    }

    private markUnsure(mark: Mark | undefined): void {
        for (const [step, position] of Object.entries(mark?.state.steps ?? {})) {
            if (mark && this.steps.get(step)?.unsureFrom(position)) {
                mark.state.steps[step] = { ...position, unsure: true };
            }
        }
    }

    private get holdMs(): number {
        return this.options.holdMs ?? HOLD_MS;
    }

    // The timer and the reader take turns; what failed for the one fails for the other.
    private serially(work: () => Promise<void>): Promise<void> {
        this.busy = this.busy.then(async () => {
            if (this.failure === undefined) {
                await work().catch((error: unknown) => (this.failure = error));
            }
        });
        return this.busy.then(() => {
            if (this.failure !== undefined) {
                clearInterval(this.timer);
                throw this.failure as Error;
            }
        });
    }
}
