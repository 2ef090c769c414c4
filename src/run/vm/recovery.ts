import type { Machine, Shortage } from "./cloud";
import type { Context } from "./context";
import { cancelledEnd, lost, type End } from "./endings";

const FIRST_PAUSE_MS = 15_000;
const LONGEST_PAUSE_MS = 300_000;
/** Somebody may cancel the run while there is no machine. */
const LOOK_MS = 5_000;

/** Brings the machine of an attempt: the first time, and again whenever it was taken. There are never two of them. */
export class Recovery {
    /** Since when there is none to be had. */
    private since?: number;
    private pause = FIRST_PAUSE_MS;

    constructor(private readonly context: Context) {}

    /** Tells what is done; returns the attempt's end if it can't be brought. `standard`: one that is not taken. */
    async *bring(standard: boolean): AsyncGenerator<string, End | undefined> {
        const { objects, signal } = this.context;
        while (!signal.aborted) {
            const cancelled = await objects.fields("cancel");
            if (cancelled) {
                return cancelledEnd(cancelled);
            }
            const result = yield* this.once(standard);
            if (result === "on") {
                return this.arrived();
            }
            if ("state" in result) {
                return result;
            }
            const over = yield* this.wait(result);
            if (over) {
                return over;
            }
        }
        return undefined;
    }

    private async *once(standard: boolean): AsyncGenerator<string, "on" | Shortage | End> {
        const { cloud, limits, name } = this.context;
        const machine = await this.settled();
        if (machine?.state === "starting" || machine?.state === "running") {
            return "on";
        }
        if (machine && !(standard && machine.spot)) {
            yield `the machine is started again in ${machine.place}`;
            const shortage = await cloud.start(name, machine);
            // It may be elsewhere, where there is an elsewhere.
            if (!shortage || !limits.made || cloud.places.length === 1) {
                return shortage ?? "on";
            }
        }
        if (!limits.made) {
            return lost(
                "MachineDeleted",
                "the platform has taken and deleted the machine, which is not made anew",
            );
        }
        if (machine) {
            await cloud.remove(name, machine);
        }
        return yield* this.make(standard, machine?.place);
    }

    private async *make(
        standard: boolean,
        last: string | undefined,
    ): AsyncGenerator<string, "on" | Shortage> {
        const { cloud, objects, name } = this.context;
        const text = await objects.text("boot/machine.json");
        if (text === undefined) {
            throw new Error(
                `there is no boot/machine.json in ${objects.store.url} for the machine ${name}: type the command again, which puts it there`,
            );
        }
        const body = standard ? cloud.asStandard(text) : text;
        // Where it was just now there is none to be had.
        const places = [...cloud.places].sort((one, other) => Number(one === last) - Number(other === last));
        let shortage: Shortage | undefined;
        for (const place of places) {
            yield `a ${standard ? "standard " : ""}machine is made in ${place}`;
            shortage = await cloud.make(name, place, body);
            if (!shortage) {
                return "on";
            }
        }
        return shortage as Shortage;
    }

    // One that is going can't be started.
    private async settled(): Promise<Machine | undefined> {
        const { cloud, clock, name, signal } = this.context;
        for (;;) {
            const machine = await cloud.find(name);
            if (machine?.state !== "stopping" || signal.aborted) {
                return machine;
            }
            await clock.sleep(LOOK_MS, signal);
        }
    }

    private async *wait({ reason, message }: Shortage): AsyncGenerator<string, End | undefined> {
        const { cloud, clock, limits, objects, signal } = this.context;
        this.since ??= clock.now();
        const places = cloud.places.join(", ");
        if (clock.now() - this.since + this.pause > limits.capacityMs) {
            return lost(
                reason,
                `no machine was to be had in ${places} for ${Math.round(limits.capacityMs / 1000)} s: ${message}`,
            );
        }
        const seconds = Math.round(this.pause / 1000);
        yield `no machine is to be had in ${places}: it is tried again in ${seconds} s (${message})`;
        const until = clock.now() + this.pause;
        this.pause = Math.min(this.pause * 2, LONGEST_PAUSE_MS);
        while (clock.now() < until && !signal.aborted && !(await objects.fields("cancel"))) {
            await clock.sleep(Math.min(LOOK_MS, until - clock.now()), signal);
        }
        return undefined;
    }

    private async arrived(): Promise<End | undefined> {
        const { cloud, objects, name } = this.context;
        this.since = undefined;
        this.pause = FIRST_PAUSE_MS;
        // Cancelled meanwhile: who did that has found no machine to stop.
        const cancelled = await objects.fields("cancel");
        if (cancelled) {
            const machine = await cloud.find(name);
            await (machine && cloud.stop(name, machine));
            return cancelledEnd(cancelled);
        }
        await objects.remove("recovery");
        return undefined;
    }
}
