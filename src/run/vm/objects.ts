import { LAYOUT, type ArtifactStore } from "../../stores/artifacts/types";
import type { RunRef } from "../follower";

/** `stackrun-<runId>-<attempt>`: the machine of an attempt, wherever it is. */
export function machineName({ runId, attempt }: RunRef): string {
    return `stackrun-${runId}-${attempt}`;
}

/** A text object: lines `key=value`. */
export type Fields = Readonly<Record<string, string | undefined>>;

export function parseFields(text: string): Fields {
    const fields: Record<string, string> = Object.create(null) as Record<string, string>;
    for (const line of text.split("\n")) {
        const at = line.indexOf("=");
        if (at > 0) {
            fields[line.slice(0, at)] = line.slice(at + 1);
        }
    }
    return fields;
}

export function writeFields(fields: Fields): string {
    const lines = Object.entries(fields).map(([name, value]) => `${name}=${oneLine(value ?? "")}\n`);
    return lines.join("");
}

/** What an attempt's machine and its followers have put into the store for each other. */
export class AttemptObjects {
    private readonly base: string;

    constructor(
        readonly store: ArtifactStore,
        readonly run: RunRef,
        private readonly signal?: AbortSignal,
    ) {
        this.base = LAYOUT.attempt(run.runId, run.attempt);
    }

    /** A piece of the stream; `undefined`: it is not there yet. */
    piece(generation: number, piece: number): Promise<Buffer | undefined> {
        return this.read(`stream/${digits(generation, 6)}-${digits(piece, 8)}`);
    }

    async booted(generation: number): Promise<boolean> {
        const { signal } = this;
        return (
            (await this.store.stat(this.key(`machines/${digits(generation, 6)}`), { signal })) !== undefined
        );
    }

    /** Why the machine went, as it said itself. */
    async left(generation: number): Promise<string | undefined> {
        return (await this.fields(`machines/${digits(generation, 6)}.left`))?.why;
    }

    async fields(
        name: "beat" | "end" | "cancel" | "recovery" | `machines/${string}`,
    ): Promise<Fields | undefined> {
        const bytes = await this.read(name);
        return bytes && parseFields(bytes.toString("utf8"));
    }

    async text(name: string): Promise<string | undefined> {
        return (await this.read(name))?.toString("utf8");
    }

    async put(name: "end" | "cancel" | "recovery", fields: Fields, ifAbsent = false): Promise<void> {
        const bytes = Buffer.from(writeFields(fields));
        await this.store.put(this.key(name), { bytes }, { ifAbsent });
    }

    remove(name: "recovery"): Promise<void> {
        return this.store.remove(this.key(name));
    }

    private read(name: string): Promise<Buffer | undefined> {
        return this.store.read(this.key(name), { signal: this.signal });
    }

    private key(name: string): string {
        return `${this.base}/${name}`;
    }
}

function digits(value: number, width: number): string {
    return String(value).padStart(width, "0");
}

function oneLine(text: string): string {
    return text.replace(/[\r\n]+/g, " ").trim();
}
