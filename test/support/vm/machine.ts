import { LAYOUT, type ArtifactStore } from "../../../src/stores/artifacts/types";
import type { RunRef } from "../../../src/run/follower";

export const NONCE = "n0";

/** One of the runner's records, as a line of its output. */
export function record(type: string, more: object = {}, attempt = 1): string {
    const head = { n: 1, nonce: NONCE, attempt, time: "2026-01-01T00:00:00Z" };
    return `\u001e${JSON.stringify({ ...head, type, ...more })}\n`;
}

export const STARTED = record("run.started", { pid: 1 });
export const SUCCEEDED = record("run.finished", {
    state: "Succeeded",
    reason: "",
    exitCode: 0,
    message: "",
});
export const INTERRUPTED = record("run.finished", {
    state: "Interrupted",
    reason: "Interrupted",
    exitCode: 68,
    message: "",
});

/** Puts into the store what a machine would. */
export class MachineWriter {
    generation = 0;
    private piece = 0;
    private count = 0;

    constructor(
        readonly store: ArtifactStore,
        readonly run: RunRef,
    ) {}

    /** What the component puts there, before there is a machine. */
    async bootFiles(machine?: object): Promise<void> {
        await this.put(
            "boot/plan.sh",
            `cat > plan.new/plan.sh <<'end' &&\nsr_nonce='${NONCE}'\nsr_stream='1'\nend\n`,
        );
        await (machine && this.put("boot/machine.json", JSON.stringify(machine)));
    }

    async boot(): Promise<void> {
        this.generation++;
        this.piece = 0;
        await this.put(
            `machines/${this.g}`,
            `machine=m\nboot=b${this.generation}\ntime=2026-01-01T00:00:00Z\n`,
        );
        await this.beat("running");
    }

    async beat(phase: string, more: Record<string, string> = {}): Promise<void> {
        const fields = { generation: this.g, count: String(++this.count), phase, ...more };
        await this.put("beat", fieldsOf(fields));
    }

    async says(...text: string[]): Promise<void> {
        await this.put(`stream/${this.g}-${String(++this.piece).padStart(8, "0")}`, text.join(""));
    }

    async left(why: "preempted" | "stopped"): Promise<void> {
        await this.put(`machines/${this.g}.left`, `why=${why}\n`);
    }

    async end(exitCode: number, reason = "", message = ""): Promise<void> {
        await this.put("end", fieldsOf({ exitCode: String(exitCode), reason, message }));
    }

    async put(name: string, text: string): Promise<void> {
        const key = `${LAYOUT.attempt(this.run.runId, this.run.attempt)}/${name}`;
        await this.store.put(key, { bytes: Buffer.from(text) });
    }

    async read(name: string): Promise<string | undefined> {
        const key = `${LAYOUT.attempt(this.run.runId, this.run.attempt)}/${name}`;
        return (await this.store.read(key))?.toString("utf8");
    }

    private get g(): string {
        return String(this.generation).padStart(6, "0");
    }
}

function fieldsOf(fields: Record<string, string>): string {
    return Object.entries(fields)
        .map(([name, value]) => `${name}=${value}\n`)
        .join("");
}
