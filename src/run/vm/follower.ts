import * as fs from "node:fs/promises";
import * as path from "node:path";
import { openArtifactStore } from "../../stores/artifacts/open";
import { PATIENCE } from "../../stores/artifacts/retry";
import { LAYOUT, type ArtifactStore } from "../../stores/artifacts/types";
import type { Follower, FollowItem, Outcome, RunRef } from "../follower";
import { attemptEvents, recordedOutcome } from "../outcome";
import { prepareRunDir } from "../record";
import { readBookmark } from "./bookmark";
import type { Cloud } from "./cloud";
import { realClock, type Clock } from "./clock";
import { limitsOf } from "./context";
import { cancelledEnd, departureEnd, lost, writtenEnd, type End } from "./endings";
import { Following } from "./following";
import { AttemptObjects, machineName } from "./objects";
import type { VmFollowerOptions } from "./options";

/** While it is away, that is told; so it is not to be waited for in silence. */
const STORE_PATIENCE = { ...PATIENCE, busyMs: 20_000, unreachedMs: 5_000 };

/** Follows an attempt on a machine of a cloud by what it puts into the artifact store, and brings the machine back. */
export class VmFollower implements Follower {
    private opened?: ArtifactStore;

    constructor(
        private readonly options: VmFollowerOptions,
        /** Made for each use: it remembers where it has found the machine. */
        private readonly cloud: () => Cloud,
        private readonly clock: Clock = realClock,
    ) {}

    async lastOutcome(run: RunRef): Promise<Outcome> {
        const said = await recordedOutcome(run);
        if (said) {
            return said;
        }
        const [known, seen] = [await exists(run.runDir), await wasSeen(run)];
        try {
            const found = await this.lookUp(run, seen);
            if (found) {
                return found;
            }
        } catch (error) {
            // An attempt of which nothing was ever seen: nothing can be declared in such a cloud either, and what a
            // creation that was refused has left can still be destroyed.
            if (!known || seen) {
                throw error;
            }
        }
        return known
            ? { kind: "NotStarted" }
            : { kind: "NoRecord", message: `there is no machine ${machineName(run)}, and no ${run.runDir}` };
    }

    async *follow(run: RunRef, signal: AbortSignal, from?: string): AsyncIterable<FollowItem> {
        const objects = this.objects(run, signal);
        const before = from === undefined ? [] : await attemptEvents(run);
        const following = new Following(
            {
                cloud: this.cloud(),
                objects,
                clock: this.clock,
                limits: limitsOf(this.options),
                name: machineName(run),
                signal,
            },
            {
                nonce: await nonceOf(objects),
                from: readBookmark(from),
                interruptions: before.filter(({ type }) => type === "run.interrupted").length,
                image: before.some(({ type }) => type === "run.image"),
                seen: await wasSeen(run),
                onSeen: () => markSeen(run),
            },
        );
        for await (const item of following.follow()) {
            yield this.withUri(item, run);
        }
    }

    async cancel(run: RunRef, reason: string): Promise<void> {
        const objects = this.objects(run);
        if ((await recordedOutcome(run)) || (await objects.fields("end"))) {
            return;
        }
        await objects.put("cancel", { reason });
        const cloud = this.cloud();
        const name = machineName(run);
        const machine = await cloud.find(name);
        if (machine && machine.state !== "off") {
            await cloud.stop(name, machine);
        }
        await objects.put("end", { exitCode: "67", ...cancelledEnd({ reason }) }, true);
    }

    /** Nothing to do: whoever follows brings the machine back. */
    async recover(): Promise<void> {}

    private async lookUp(run: RunRef, seen: boolean): Promise<Outcome | undefined> {
        const objects = this.objects(run);
        const written = await objects.fields("end");
        if (written) {
            return finished(writtenEnd(written));
        }
        const cloud = this.cloud();
        const name = machineName(run);
        const machine = await cloud.find(name);
        if (machine) {
            await markSeen(run);
        } else if (!seen && !(await objects.booted(1))) {
            return undefined;
        }
        const cancel = await objects.fields("cancel");
        if (cancel && (!machine || machine.state === "off")) {
            return finished(cancelledEnd(cancel));
        }
        if (machine || (await objects.fields("recovery"))) {
            return { kind: "Running" };
        }
        const end = departureEnd(await cloud.departure(name, undefined), "");
        if ("state" in end) {
            return finished(end);
        }
        return this.options.made ? { kind: "Running" } : finished(lost("MachineDeleted", end.interrupted));
    }

    private objects(run: RunRef, signal?: AbortSignal): AttemptObjects {
        this.opened ??= openArtifactStore(this.options.store, { patience: STORE_PATIENCE });
        return new AttemptObjects(this.opened, run, signal);
    }

    /** Where the output of a step is; the runner does not know it. */
    private withUri(item: FollowItem, { runId }: RunRef): FollowItem {
        if (item.type !== "event" || item.event.type !== "artifact") {
            return item;
        }
        const { step, name } = item.event;
        const uri = `${this.options.store}/${LAYOUT.step(runId, step)}/outputs/${name}`;
        return { ...item, event: { ...item.event, uri } };
    }
}

// It is in the plan that the machine gets.
async function nonceOf(objects: AttemptObjects): Promise<string> {
    const plan = await objects.text("boot/plan.sh");
    const nonce = /^sr_nonce='([A-Za-z0-9._-]+)'$/m.exec(plan ?? "")?.[1];
    if (nonce === undefined) {
        throw new Error(
            `the plan of run ${objects.run.runId}, attempt ${objects.run.attempt}, is not in the artifact store ${objects.store.url} (any more): look whether somebody has removed what is there`,
        );
    }
    return nonce;
}

function finished({ state, reason, message }: End): Outcome {
    return { kind: "Finished", state, reason, message };
}

function seenFile(run: RunRef): string {
    return path.join(run.runDir, `machine-${run.attempt}`);
}

// A machine that is gone later on has been there: its attempt is not to be taken for one that was never started.
async function markSeen(run: RunRef): Promise<void> {
    if (!(await wasSeen(run))) {
        await prepareRunDir(run.runDir);
        await fs.writeFile(seenFile(run), `${machineName(run)}\n`, { mode: 0o600 });
    }
}

function wasSeen(run: RunRef): Promise<boolean> {
    return exists(seenFile(run));
}

async function exists(file: string): Promise<boolean> {
    return (await fs.stat(file).catch(() => undefined)) !== undefined;
}
