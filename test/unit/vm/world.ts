import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { FollowItem, RunRef } from "../../../src/run/follower";
import { Recorder } from "../../../src/run/recorder";
import type { Clock } from "../../../src/run/vm/clock";
import {
    CloudError,
    type Cloud,
    type Departure,
    type Machine,
    type Shortage,
} from "../../../src/run/vm/cloud";
import { VmFollower } from "../../../src/run/vm/follower";
import type { VmFollowerOptions } from "../../../src/run/vm/options";
import { openArtifactStore } from "../../../src/stores/artifacts/open";
import { MachineWriter } from "../../support/vm/machine";

/** Time that passes only while somebody sleeps; what was planned for it happens then. */
export class TestClock implements Clock {
    private time = 0;
    private plans: { readonly at: number; readonly work: () => void | Promise<void> }[] = [];

    now(): number {
        return this.time;
    }

    /** `seconds` from the start. */
    at(seconds: number, work: () => void | Promise<void>): void {
        this.plans.push({ at: seconds * 1000, work });
        this.plans.sort((one, other) => one.at - other.at);
    }

    async sleep(ms: number, signal: AbortSignal): Promise<void> {
        if (signal.aborted) {
            return;
        }
        const until = this.time + ms;
        while ((this.plans[0]?.at ?? Infinity) <= until) {
            const plan = this.plans.shift();
            this.time = Math.max(this.time, plan?.at ?? 0);
            await plan?.work();
        }
        this.time = until;
        if (this.time > 48 * 3600_000) {
            throw new Error("nothing has ended the following within two days");
        }
        await new Promise((resolve) => setImmediate(resolve));
    }
}

/** Machines that are only switched on and off. */
export class TestCloud implements Cloud {
    machine?: Machine;
    why: Departure = { kind: "unknown" };
    said = "";
    /** What was asked of it, but for looking. */
    readonly calls: string[] = [];
    looks = 0;
    /** Places without machines. */
    readonly out = new Set<string>();
    /** Each is thrown by the next call of its kind. */
    readonly failures: [string, Error][] = [];
    onStop?: () => Promise<void>;
    private starts = 0;

    constructor(readonly places: readonly string[]) {}

    on(place = this.places[0] as string, spot = true): void {
        this.machine = { place, state: "running", spot, startedAt: String(++this.starts) };
    }

    off(why?: Departure): void {
        this.machine = this.machine && { ...this.machine, state: "off" };
        this.why = why ?? this.why;
    }

    find(): Promise<Machine | undefined> {
        this.looks++;
        return this.does("find", () => this.machine);
    }

    start(_name: string, { place, spot }: Machine): Promise<Shortage | undefined> {
        this.calls.push(`start ${place}`);
        return this.does("start", () => (this.out.has(place) ? shortage(place) : void this.on(place, spot)));
    }

    make(_name: string, place: string, body: string): Promise<Shortage | undefined> {
        if (this.machine) {
            throw new Error("there is a machine of this attempt already");
        }
        const { spot } = JSON.parse(body) as { spot: boolean };
        this.calls.push(`make ${place}${spot ? "" : " standard"}`);
        return this.does("make", () => (this.out.has(place) ? shortage(place) : void this.on(place, spot)));
    }

    async stop(_name: string, { place }: Machine): Promise<void> {
        this.calls.push(`stop ${place}`);
        await this.onStop?.();
        return this.does("stop", () => this.off({ kind: "stopped", by: "follower" }));
    }

    remove(_name: string, { place }: Machine): Promise<void> {
        this.calls.push(`remove ${place}`);
        return this.does("remove", () => void (this.machine = undefined));
    }

    console(): Promise<string> {
        return this.does("console", () => this.said);
    }

    departure(): Promise<Departure> {
        return this.does("departure", () => this.why);
    }

    asStandard(body: string): string {
        return JSON.stringify({ ...(JSON.parse(body) as object), spot: false });
    }

    private async does<T>(kind: string, work: () => T): Promise<T> {
        const index = this.failures.findIndex(([failing]) => failing === kind);
        if (index >= 0) {
            throw this.failures.splice(index, 1)[0]?.[1];
        }
        return Promise.resolve(work());
    }
}

function shortage(place: string): Shortage {
    return { reason: "CapacityExhausted", message: `${place} has none` };
}

export const passing = (message: string) => new CloudError(message, true);

/** An attempt with its store, its machine, and whoever follows it. */
export class World {
    readonly dir = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-vm-"));
    readonly run: RunRef = { runId: "r", attempt: 1, runDir: path.join(this.dir, "runs/r") };
    readonly store = openArtifactStore(path.join(this.dir, "store"));
    readonly machine = new MachineWriter(this.store, this.run);
    readonly clock = new TestClock();
    readonly cloud: TestCloud;
    readonly follower: VmFollower;

    constructor(options: Partial<VmFollowerOptions> = {}, places = ["a"]) {
        this.cloud = new TestCloud(places);
        const all = { store: this.store.url, made: false, ...options };
        this.follower = new VmFollower(all, () => this.cloud, this.clock);
    }

    /** Follows to the end, as a recorder does that keeps all. */
    async follow(from?: string, signal: AbortSignal = new AbortController().signal): Promise<FollowItem[]> {
        const items: FollowItem[] = [];
        for await (const item of this.follower.follow(this.run, signal, from)) {
            items.push(item);
        }
        return items;
    }

    /** Follows, and is killed after some items; what was recorded stays. @returns the items that are in the record */
    async followFor(count: number): Promise<FollowItem[]> {
        const recorder = await Recorder.open(this.run);
        const items: FollowItem[] = [];
        const stop = new AbortController();
        for await (const item of this.follower.follow(this.run, stop.signal, recorder.bookmark)) {
            await recorder.write(item);
            items.push(item);
            if (items.length === count) {
                stop.abort();
                break;
            }
        }
        await recorder.close();
        return items;
    }

    remove(): void {
        fs.rmSync(this.dir, { recursive: true, force: true });
    }
}

/** Items for comparison: what was printed, what happened, and how it ended. */
export function told(items: readonly FollowItem[]): string[] {
    return items.flatMap((item): string[] => {
        switch (item.type) {
            case "log":
                return item.lines.map(({ text }) => text);
            case "event":
                return [
                    item.event.type === "run.finished" ? `finished ${item.event.state}` : item.event.type,
                ];
            case "interrupted":
                return [`interrupted: ${item.message}`];
            case "lost":
                return [`${item.state} ${item.reason}: ${item.message}`];
            case "image":
                return [`image ${item.ref} ${item.digest}`];
            case "status":
                return [];
        }
    });
}

export function statuses(items: readonly FollowItem[]): string[] {
    return items.flatMap((item) => (item.type === "status" ? [item.text] : []));
}
