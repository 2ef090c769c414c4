import type { RunnerEvent } from "../events";
import type { FollowItem } from "../follower";
import { writeBookmark, type Position } from "./bookmark";
import { CloudError, type Machine } from "./cloud";
import type { Context } from "./context";
import {
    cancelledEnd,
    consoleEnd,
    departureEnd,
    failed,
    lastWords,
    PREEMPTION_LIMIT,
    writtenEnd,
    type End,
} from "./endings";
import type { Fields } from "./objects";
import { Pieces } from "./pieces";
import { Recovery } from "./recovery";
import { Signs } from "./signs";
import { Trouble } from "./trouble";

/** How often it is looked for what the machine has written. */
export const POLL_MS = 1_500;
/** How often the machine itself is looked at. */
export const LOOK_MS = 5_000;

export interface Known {
    readonly nonce: string;
    readonly from: Position;
    /** How often the attempt was interrupted before it is followed from here. */
    readonly interruptions: number;
    /** What the image's name stands for was told. */
    readonly image: boolean;
    /** A machine of the attempt was there before. */
    readonly seen: boolean;
    /** One is there: that is to be remembered. */
    onSeen(): Promise<void>;
}

/** The runner itself has said how it ended. */
const SAID = "said";
type Verdict = typeof SAID | End | undefined;

/** One attempt, followed from boot to boot of its machine: what it waits for, its log, and its end. */
export class Following {
    private position: Position;
    private pieces: Pieces;
    private readonly signs: Signs;
    private readonly recovery: Recovery;
    private interruptions: number;
    private seen: boolean;
    private shown = "";
    private nextLook = 0;
    private imageTold: boolean;
    /** That it was interrupted has been told, and no machine is there yet. */
    private bringing = false;

    constructor(
        private readonly context: Context,
        private readonly known: Known,
    ) {
        this.position = known.from;
        this.pieces = this.piecesFrom(known.from);
        this.interruptions = known.interruptions;
        this.imageTold = known.image;
        this.seen = known.seen;
        this.signs = new Signs(context);
        this.recovery = new Recovery(context);
    }

    /** Ends with the attempt, or when the signal is aborted. */
    async *follow(): AsyncGenerator<FollowItem> {
        const { clock, signal } = this.context;
        const trouble = new Trouble(clock);
        while (!signal.aborted) {
            let pause = POLL_MS;
            try {
                const verdict = yield* this.round();
                trouble.over();
                if (verdict === SAID || signal.aborted) {
                    return;
                }
                if (verdict) {
                    const { state, reason, message } = verdict;
                    yield { type: "lost", state, reason, message };
                    return;
                }
            } catch (error) {
                if (signal.aborted) {
                    return;
                }
                pause = trouble.pauseAfter(error);
                // Of nobody heard: that says nothing of the machine.
                this.signs.anew();
                yield* this.show(`waiting: ${(error as Error).message}`);
            }
            await clock.sleep(pause, signal);
        }
    }

    private async *round(): AsyncGenerator<FollowItem, Verdict> {
        if (yield* this.readOn(false)) {
            return SAID;
        }
        const now = this.context.clock.now();
        if (now < this.nextLook) {
            return undefined;
        }
        this.nextLook = now + LOOK_MS;
        return yield* this.look();
    }

    // The machine is looked at first: what it has put into the store before it went is there when the store is looked at.
    private async *look(): AsyncGenerator<FollowItem, Verdict> {
        const { cloud, objects, name } = this.context;
        const machine = await cloud.find(name);
        if (machine && !this.seen) {
            await this.known.onSeen();
            this.seen = true;
        }
        const [beat, written] = await Promise.all([objects.fields("beat"), objects.fields("end")]);
        yield* this.tellImage(beat);
        const on = machine !== undefined && machine.state !== "off";
        if (await this.isOver(beat, written !== undefined || !on)) {
            return (yield* this.readOn(true)) ? SAID : yield* this.nextBoot(machine);
        }
        if (written) {
            return (yield* this.readOn(true)) ? SAID : writtenEnd(written);
        }
        if (!on) {
            return (yield* this.readOn(true)) ? SAID : yield* this.gone(machine);
        }
        return yield* this.watch(machine, beat);
    }

    /** Passes on what there is. `last`: nothing more will come. @returns whether the runner has said how it ended */
    private async *readOn(last: boolean): AsyncGenerator<FollowItem, boolean> {
        let fresh = last;
        for (;;) {
            const read = await this.pieces.read(fresh);
            fresh = false;
            if (read) {
                this.signs.heard();
                this.bringing = false;
            }
            for (const { item, position } of read ?? (last ? this.pieces.end() : [])) {
                this.position = position;
                const passed = await this.passed(item);
                if (passed) {
                    yield { ...passed, bookmark: writeBookmark(position) };
                }
                if (passed?.type === "event" && passed.event.type === "run.finished") {
                    return true;
                }
            }
            if (!read || this.context.signal.aborted) {
                return false;
            }
        }
    }

    // That the runner was told to end is the attempt's end only where somebody has cancelled it.
    private async passed(item: FollowItem): Promise<FollowItem | undefined> {
        if (
            item.type !== "event" ||
            item.event.type !== "run.finished" ||
            item.event.state !== "Interrupted"
        ) {
            return item;
        }
        const cancel = await this.context.objects.fields("cancel");
        const { state, reason, message } = cancelledEnd(cancel ?? {});
        return cancel && { ...item, event: { ...item.event, state, reason, message } as RunnerEvent };
    }

    // The machine has booted again since.
    private async isOver(beat: Fields | undefined, settled: boolean): Promise<boolean> {
        const { generation } = this.position;
        if (Number(beat?.generation ?? 0) > generation) {
            return true;
        }
        return (settled || this.signs.waiting) && this.context.objects.booted(generation + 1);
    }

    private async *nextBoot(machine: Machine | undefined): AsyncGenerator<FollowItem, Verdict> {
        const { cloud, objects, name } = this.context;
        const why = await objects.left(this.position.generation);
        const said = why === "preempted" ? "the platform took the machine" : "the machine was told to go off";
        const departure =
            why === undefined && machine?.state === "running"
                ? await cloud.departure(name, machine)
                : ({ kind: "unknown" } as const);
        const found = departure.kind === "taken" ? departure.message : "the machine went without notice";
        this.nextLook = 0;
        return yield* this.interrupted(`${why === undefined ? found : said}, and has booted again`, machine);
    }

    // It is off, or gone.
    private async *gone(machine: Machine | undefined): AsyncGenerator<FollowItem, Verdict> {
        const { cloud, objects, limits, name } = this.context;
        const { generation } = this.position;
        const cancel = await objects.fields("cancel");
        if (cancel) {
            return this.conclude(cancelledEnd(cancel));
        }
        const booted = await objects.booted(generation);
        const isNew = !machine && !this.seen && generation === 1 && !booted;
        if (this.bringing || (isNew && limits.made) || this.isTold(booted)) {
            return yield* this.bring();
        }
        const recovery = await objects.fields("recovery");
        if (recovery) {
            return yield* this.comeBack(recovery.why ?? "", machine);
        }
        const said = machine && (await this.console(machine));
        const reported = said === undefined ? undefined : consoleEnd(said, this.known.nonce);
        if (reported) {
            return this.conclude(reported);
        }
        const departure = await cloud.departure(name, machine);
        if (departure.kind === "itself" && !booted && generation === 1) {
            const message = `the machine has switched itself off before it was heard of. ${lastWords(said ?? "")}`;
            return this.conclude(failed("MachineUnusable", message));
        }
        const end = departureEnd(departure, machine?.place ?? "");
        return "state" in end ? this.conclude(end) : yield* this.comeBack(end.interrupted, machine);
    }

    // Where following begins behind an interruption, it is for the machine to come back.
    private isTold(booted: boolean): boolean {
        const { generation, piece } = this.position;
        return generation > 1 && piece === 0 && !booted && this.position === this.known.from;
    }

    private async *watch(machine: Machine, beat: Fields | undefined): AsyncGenerator<FollowItem, Verdict> {
        const { objects, limits } = this.context;
        const { generation } = this.position;
        this.bringing = false;
        if (machine.state !== "running") {
            this.signs.anew();
            const doing = machine.state === "starting" ? "starts" : "goes off";
            yield* this.show(`the machine ${doing} in ${machine.place}`);
            return undefined;
        }
        if (
            this.signs.waiting &&
            (Number(beat?.generation ?? 0) >= generation || (await objects.booted(generation)))
        ) {
            this.signs.heard();
        }
        this.signs.beat(beat);
        yield* this.show(this.signs.waiting ? `the machine boots in ${machine.place}` : statusOf(beat));
        const silent = this.signs.silentSeconds;
        if (!this.signs.waiting) {
            const why = `no sign of life of the machine in ${machine.place} for ${Math.round(limits.silenceMs / 1000)} s`;
            return this.signs.hangs ? yield* this.hung(machine, why) : undefined;
        }
        const said = this.signs.consoleIsDue ? await this.console(machine) : "";
        const reported = consoleEnd(said, this.known.nonce);
        if (reported) {
            return this.conclude(reported, machine);
        }
        if (!this.signs.hangs) {
            return undefined;
        }
        const why = `the machine in ${machine.place} was not heard of within ${silent} s of its start`;
        return generation > 1
            ? yield* this.hung(machine, why)
            : this.conclude(
                  failed("MachineUnusable", `${why}. ${lastWords(await this.console(machine))}`),
                  machine,
              );
    }

    private async *hung(machine: Machine, why: string): AsyncGenerator<FollowItem, Verdict> {
        const { cloud, objects, name } = this.context;
        await objects.put("recovery", { why });
        yield* this.show(`${why}: it is switched off`);
        await cloud.stop(name, machine);
        if (yield* this.readOn(true)) {
            return SAID;
        }
        const written = await objects.fields("end");
        return written ? writtenEnd(written) : yield* this.comeBack(why, { ...machine, state: "off" });
    }

    private async *comeBack(why: string, machine: Machine | undefined): AsyncGenerator<FollowItem, Verdict> {
        this.bringing = true;
        const over = yield* this.interrupted(why, machine);
        return over ?? (yield* this.bring());
    }

    // Before it is told: whoever hears of it looks no further.
    private async *interrupted(
        message: string,
        machine: Machine | undefined,
    ): AsyncGenerator<FollowItem, Verdict> {
        const { limits, objects } = this.context;
        const { generation } = this.position;
        const most = limits.maxRecoveries + (limits.standardInTheEnd ? 1 : 0);
        const over = ++this.interruptions > most;
        if (over) {
            await this.conclude(PREEMPTION_LIMIT, machine);
        }
        if (await objects.booted(generation)) {
            this.position = { generation: generation + 1, piece: 0, index: 0 };
            this.pieces = this.piecesFrom(this.position);
        }
        this.signs.reboot();
        this.shown = "";
        yield { type: "interrupted", message, bookmark: writeBookmark(this.position) };
        return over ? PREEMPTION_LIMIT : undefined;
    }

    private async *bring(): AsyncGenerator<FollowItem, Verdict> {
        const { limits, objects } = this.context;
        this.bringing = true;
        await objects.put("recovery", { why: "the machine is brought back" });
        const brought = this.recovery.bring(this.interruptions > limits.maxRecoveries);
        for (;;) {
            const { done, value } = await brought.next();
            if (done) {
                this.nextLook = 0;
                return value && this.conclude(value);
            }
            yield* this.show(value);
        }
    }

    // Written down, so that nobody takes the attempt for one that goes on, and a machine that boots goes off.
    private async conclude(end: End, machine?: Machine): Promise<End> {
        const { cloud, objects, name } = this.context;
        await objects.put("end", { ...end }, true);
        if (machine && machine.state !== "off") {
            await cloud.stop(name, machine);
        }
        return end;
    }

    // Not everyone may read it: then less is known, and that is all.
    private async console(machine: Machine): Promise<string> {
        const { cloud, name } = this.context;
        return cloud.console(name, machine).catch((error: unknown) => {
            if (error instanceof CloudError && !error.passing) {
                return "";
            }
            throw error;
        });
    }

    private async *tellImage(beat: Fields | undefined): AsyncGenerator<FollowItem> {
        const { image } = beat ?? {};
        if (image && !this.imageTold) {
            this.imageTold = true;
            const digest = /sha256:[0-9a-f]{64}/.exec(image)?.[0] ?? image;
            yield { type: "image", ref: image.split("@")[0] as string, digest };
        }
    }

    private *show(text: string): Generator<FollowItem> {
        if (text !== "" && text !== this.shown) {
            yield { type: "status", text };
        }
        this.shown = text;
    }

    private piecesFrom(from: Position): Pieces {
        const { attempt } = this.context.objects.run;
        return new Pieces(this.context.objects, { nonce: this.known.nonce, attempt }, from);
    }
}

function statusOf(beat: Fields | undefined): string {
    const { phase, text } = beat ?? {};
    return phase === undefined || phase === "running" ? "" : text || phase;
}
