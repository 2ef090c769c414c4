import type { FollowItem } from "../follower";
import type { Position } from "./bookmark";
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
import { Reader } from "./reader";
import { Recovery } from "./recovery";
import { Signs } from "./signs";
import { statusOf, Telling } from "./telling";
import { Trouble } from "./trouble";

/** How often it is looked for what the machine has written. */
const POLL_MS = 1_500;
/** How often the machine itself is looked at. */
const LOOK_MS = 5_000;

/** What is known of the attempt before it is followed from here. */
export interface Known {
    readonly nonce: string;
    readonly from: Position;
    readonly interruptions: number;
    /** What the image's name stands for was told. */
    readonly image: boolean;
    /** A machine of it was there. */
    readonly seen: boolean;
    /** One is there: that is to be remembered. */
    onSeen(): Promise<void>;
}

/** The runner itself has said how it ended. */
const SAID = "said";
type Verdict = typeof SAID | End | undefined;
type Items = AsyncGenerator<FollowItem, Verdict>;

/** One attempt, followed from boot to boot of its machine: what it waits for, its log, and its end. */
export class Following {
    private readonly reader: Reader;
    private readonly signs: Signs;
    private readonly telling: Telling;
    private readonly recovery: Recovery;
    private interruptions: number;
    private seen: boolean;
    private nextLook = 0;
    /** That it was interrupted has been told, and its machine is not back yet. */
    private bringing: boolean;

    constructor(
        private readonly context: Context,
        private readonly known: Known,
    ) {
        const { nonce, from } = known;
        this.interruptions = known.interruptions;
        this.seen = known.seen;
        this.bringing = from.generation > 1 && from.piece === 0;
        this.signs = new Signs(context);
        this.telling = new Telling(known.image);
        this.recovery = new Recovery(context);
        this.reader = new Reader(context, nonce, from, () => this.signs.heard());
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
                // That nothing was heard meanwhile says nothing of the machine.
                this.signs.anew();
                yield* this.telling.status(`waiting: ${(error as Error).message}`);
            }
            await clock.sleep(pause, signal);
        }
    }

    private async *round(): Items {
        if (yield* this.reader.read(false)) {
            return SAID;
        }
        const now = this.context.clock.now();
        if (now < this.nextLook) {
            return undefined;
        }
        const verdict = yield* this.look();
        this.nextLook = Math.max(this.nextLook, now + LOOK_MS);
        return verdict;
    }

    // The machine is looked at first: what it has put into the store before it went is there when the store is looked at.
    private async *look(): Items {
        const { cloud, objects, name } = this.context;
        const machine = await cloud.find(name);
        if (machine && !this.seen) {
            await this.known.onSeen();
            this.seen = true;
        }
        const [beat, written] = await Promise.all([objects.fields("beat"), objects.fields("end")]);
        yield* this.telling.image(beat);
        const on = machine !== undefined && machine.state !== "off";
        const next = await this.hasNextBoot(beat, written !== undefined || !on);
        if ((next || written || !on) && (yield* this.reader.read(true))) {
            return SAID;
        }
        if (next) {
            return yield* this.nextBoot(machine);
        }
        if (written) {
            return writtenEnd(written);
        }
        return on ? yield* this.watch(machine, beat) : yield* this.gone(machine);
    }

    private async hasNextBoot(beat: Fields | undefined, settled: boolean): Promise<boolean> {
        const { generation } = this.reader;
        return (
            bootOf(beat) > generation ||
            ((settled || this.signs.waiting) && (await this.context.objects.booted(generation + 1)))
        );
    }

    private async *nextBoot(machine: Machine | undefined): Items {
        const { cloud, objects, name } = this.context;
        const why = await objects.left(this.reader.generation);
        let message =
            why === "preempted" ? "the platform took the machine" : "the machine was told to go off";
        if (why === undefined) {
            const departure = machine?.state === "running" ? await cloud.departure(name, machine) : undefined;
            message = departure?.kind === "taken" ? departure.message : "the machine went without notice";
        }
        this.nextLook = 0;
        this.bringing = false;
        return yield* this.interrupted(`${message}, and has booted again`, machine, true);
    }

    // It is off, or not there.
    private async *gone(machine: Machine | undefined): Items {
        const { cloud, objects, limits, name } = this.context;
        const { generation } = this.reader;
        const cancel = await objects.fields("cancel");
        if (cancel) {
            return this.conclude(cancelledEnd(cancel));
        }
        const booted = await objects.booted(generation);
        const isFirst = limits.made && !machine && !this.seen && generation === 1 && !booted;
        if (isFirst || (this.bringing && !booted)) {
            return yield* this.bring("the machine was not made");
        }
        const recovery = await objects.fields("recovery");
        if (recovery) {
            return yield* this.comeBack(recovery.why ?? "", machine, booted);
        }
        const console = machine ? await this.console(machine) : "";
        const reported = consoleEnd(console, this.known.nonce);
        if (reported) {
            return this.conclude(reported);
        }
        const departure = await cloud.departure(name, machine);
        if (departure.kind === "itself" && !booted && generation === 1) {
            const message = "the machine has switched itself off before it was heard of";
            return this.conclude(failed("MachineUnusable", `${message}. ${lastWords(console)}`));
        }
        const end = departureEnd(departure, machine?.place ?? "");
        return "state" in end ? this.conclude(end) : yield* this.comeBack(end.interrupted, machine, booted);
    }

    private async *watch(machine: Machine, beat: Fields | undefined): Items {
        const { objects, limits } = this.context;
        const { generation } = this.reader;
        const { place, state } = machine;
        this.bringing = false;
        if (state !== "running") {
            this.signs.anew();
            yield* this.telling.status(
                `the machine ${state === "starting" ? "starts" : "goes off"} in ${place}`,
            );
            return undefined;
        }
        if (this.signs.waiting && (bootOf(beat) >= generation || (await objects.booted(generation)))) {
            this.signs.heard();
        }
        this.signs.beat(beat);
        if (this.signs.waiting) {
            return yield* this.watchBoot(machine);
        }
        yield* this.telling.status(statusOf(beat));
        const seconds = Math.round(limits.silenceMs / 1000);
        return this.signs.hang
            ? yield* this.hung(machine, `no sign of life of the machine in ${place} for ${seconds} s`)
            : undefined;
    }

    private async *watchBoot(machine: Machine): Items {
        const { place } = machine;
        yield* this.telling.status(`the machine boots in ${place}`);
        const { hang } = this.signs;
        const console = hang || this.signs.consoleIsDue ? await this.console(machine) : "";
        const reported = consoleEnd(console, this.known.nonce);
        if (reported) {
            return this.conclude(reported, machine);
        }
        if (!hang) {
            return undefined;
        }
        const seconds = Math.round(this.context.limits.bootMs / 1000);
        const message = `the machine in ${place} was not heard of within ${seconds} s of its start`;
        return this.reader.generation > 1
            ? yield* this.hung(machine, message)
            : this.conclude(failed("MachineUnusable", `${message}. ${lastWords(console)}`), machine);
    }

    private async *hung(machine: Machine, why: string): Items {
        const { cloud, objects, name } = this.context;
        // For whoever follows if this process ends now: nobody else has stopped it.
        await objects.put("recovery", { why });
        yield* this.telling.status(`${why}: it is switched off`);
        await cloud.stop(name, machine);
        if (yield* this.reader.read(true)) {
            return SAID;
        }
        const written = await objects.fields("end");
        if (written) {
            return writtenEnd(written);
        }
        const booted = await objects.booted(this.reader.generation);
        return yield* this.comeBack(why, { ...machine, state: "off" }, booted);
    }

    private async *comeBack(why: string, machine: Machine | undefined, booted: boolean): Items {
        this.bringing = true;
        return (yield* this.interrupted(why, machine, booted)) ?? (yield* this.bring(why));
    }

    private async *interrupted(message: string, machine: Machine | undefined, booted: boolean): Items {
        const { limits } = this.context;
        const most = limits.maxRecoveries + (limits.standardInTheEnd ? 1 : 0);
        const over = ++this.interruptions > most;
        if (over) {
            // Before it is told: whoever hears of it looks no further.
            await this.conclude(PREEMPTION_LIMIT, machine);
        }
        if (booted) {
            this.reader.advance();
        }
        this.signs.reboot();
        this.telling.forget();
        yield { type: "interrupted", message, bookmark: this.reader.bookmark };
        return over ? PREEMPTION_LIMIT : undefined;
    }

    private async *bring(why: string): Items {
        const { limits, objects } = this.context;
        await objects.put("recovery", { why });
        const bringing = this.recovery.bring(this.interruptions > limits.maxRecoveries);
        for (;;) {
            const { done, value } = await bringing.next();
            if (done) {
                this.nextLook = 0;
                return value && this.conclude(value);
            }
            yield* this.telling.status(value);
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
    private console(machine: Machine): Promise<string> {
        const { cloud, name } = this.context;
        return cloud.console(name, machine).catch((error: unknown) => {
            if (error instanceof CloudError && !error.passing) {
                return "";
            }
            throw error;
        });
    }
}

function bootOf(beat: Fields | undefined): number {
    return Number(beat?.generation ?? 0);
}
