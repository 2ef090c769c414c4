import type { RunnerEvent } from "../events";
import type { FollowItem, LogLine } from "../follower";
import { missingLines, type CountItem, type LogCount } from "../stream";
import { groupsOf, itemOf, lateLines, type Entry, type HeldLines, type Mark } from "./heldItems";
import { piecesOf, StepLines, type StepPosition } from "./stepLines";

/** What the pod itself keeps of what it said, as long as its runner is there. */
export interface PodRecord {
    /** Bytes of a step's log file. */
    log(step: string, start: number, bytes: number): Promise<Buffer>;
    /** All events, as the runner has written them. */
    events(): Promise<readonly RunnerEvent[]>;
    /** Keeps the runner there when the run has ended, for half a minute at most. */
    hold(): Promise<void>;
    release(): Promise<void>;
}

export interface CompleteLogOptions {
    readonly record: PodRecord;
    readonly emit: (item: FollowItem) => Promise<void>;
    /** From this many bytes on the kubelet may begin a new log file, and lose lines while it does. */
    readonly holdFromBytes?: number;
    /** Lines are held back no longer than this, although nobody knows yet whether some are missing before them. */
    readonly holdMs?: number;
    readonly steps?: Readonly<Record<string, StepPosition>>;
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
    private queue: Entry[] = [];
    private bytes = 0;
    private lastEvent?: number;
    private finished = false;
    private holds?: Promise<boolean>;
    private busy: Promise<void> = Promise.resolve();
    private readonly timer: NodeJS.Timeout;
    private failure?: unknown;

    constructor(private readonly options: CompleteLogOptions) {
        for (const [step, position] of Object.entries(options.steps ?? {})) {
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
            const last = this.queue.at(-1);
            if (last && bookmark) {
                const steps = [...this.steps].map(([step, lines]) => [step, lines.position] as const);
                last.mark = { steps: Object.fromEntries(steps), bookmark };
            }
            await this.pass(false);
        });
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
                this.note(item.event);
            }
            this.enqueue(item);
        }
    }

    private takeLines(lines: readonly LogLine[]): void {
        for (const { step, texts } of groupsOf(lines)) {
            const known = this.steps.get(step);
            known?.received(texts);
            this.enqueue({ type: "log", lines: [] }, { step, texts, counted: !known });
        }
    }

    private enqueue(item: FollowItem, lines?: HeldLines): void {
        this.queue.push({ item, since: Date.now(), lines });
    }

    private note(event: RunnerEvent): void {
        this.lastEvent = event.n;
        if (event.type === "step.started") {
            this.steps.set(event.step, new StepLines({ lines: 0, since: 0 }));
        } else if (event.type === "step.finished") {
            this.steps.delete(event.step);
        }
        this.finished ||= event.type === "run.finished";
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
                this.note(lost);
                this.enqueue({ type: "event", event: lost });
            }
        }
    }

    private async counted(count: LogCount): Promise<void> {
        const step = this.steps.get(count.step);
        if (!step) {
            this.steps.set(count.step, new StepLines({ lines: count.lines, bytes: count.bytes, since: 0 }));
            return;
        }
        const held = this.queue.filter(({ lines }) => lines?.step === count.step && !lines.counted);
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
        const texts = held.flatMap(({ lines }) => lines?.texts ?? []);
        const { start, bytes } = step.rangeTo(count);
        const read = await this.options.record.log(count.step, start, bytes).catch(() => undefined);
        const found = read && step.complete(piecesOf(read, count.most), texts);
        if (!found) {
            this.enqueue({ type: "log", lines: [missingLines(count.step, missing)] });
            return;
        }
        const lines = [...lateLines(found.late), ...found.rest];
        const last = held.at(-1);
        if (!last) {
            this.enqueue({ type: "log", lines: lines.map((text) => ({ step: count.step, text })) });
            return;
        }
        for (const entry of held) {
            (entry.lines as HeldLines).texts = entry === last ? lines : [];
        }
        this.moveMarks(last, count);
    }

    // All lines up to the count come with the last of the held ones: who goes on earlier would get some of them twice.
    private moveMarks(last: Entry, { step, lines, bytes }: LogCount): void {
        for (const entry of this.queue.slice(0, this.queue.indexOf(last))) {
            entry.mark = undefined;
        }
        if (last.mark) {
            last.mark.steps[step] = { lines, bytes, since: 0 };
        }
    }

    private async pass(all: boolean): Promise<void> {
        const holding = !all && this.holds !== undefined && (await this.holds);
        const late = Date.now() - this.holdMs;
        const held = ({ lines, since }: Entry) => holding && lines?.counted === false && since > late;
        while (this.queue[0] && !held(this.queue[0])) {
            const entry = this.queue.shift() as Entry;
            if (entry.lines && !entry.lines.counted) {
                this.steps.get(entry.lines.step)?.passed(entry.lines.texts);
            }
            await this.options.emit(itemOf(entry));
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
