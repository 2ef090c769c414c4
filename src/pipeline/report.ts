import { MAX_MISTAKES, Mistake, PipelineError } from "./errors";
import { DocPath, formatPath } from "./path";

/** A pipeline as its author wrote it: plain data, and where each part of it stands. */
export interface Source {
    readonly file?: string;
    readonly value: unknown;
    /** Where a value, or its key, stands in the file; the nearest known place around it if it is absent. */
    locate(path: DocPath, part: "key" | "value"): Position | undefined;
    /** Whether a whole number was written with a fraction or an exponent, as in `1.0`. */
    writtenAsFloat(path: DocPath): boolean;
}

export interface Position {
    readonly line: number;
    readonly column: number;
}

export interface MistakeDetails {
    readonly allowed?: string;
    /** Only called if there is still room for a suggestion: looking for near misses takes time. */
    readonly suggestion?: string | (() => string | undefined);
    /** Point at the key instead of the value. */
    readonly part?: "key" | "value";
    /** Report it even if something else is wrong with the same place. */
    readonly also?: boolean;
}

/** Collects the mistakes of one document: one for each place, because what follows from a mistake is noise. */
export class Report {
    private readonly mistakes: Mistake[];
    private readonly places = new Set<string>();
    private more = 0;

    constructor(
        private readonly source: Source,
        found: readonly Mistake[] = [],
    ) {
        this.mistakes = found.slice(0, MAX_MISTAKES);
        this.more = found.length - this.mistakes.length;
        found.filter(({ path }) => path !== "").forEach(({ path }) => this.places.add(path));
    }

    mistake(path: DocPath, message: string, details: MistakeDetails = {}): void {
        const place = formatPath(path);
        const position = this.source.locate(path, details.part ?? "value");
        if (!this.isNew(path, position, message) && !details.also) {
            return;
        }
        if (this.full) {
            this.more += 1;
            return;
        }
        const { allowed, suggestion } = details;
        const meant = typeof suggestion === "function" ? suggestion() : suggestion;
        this.mistakes.push({
            ...(this.source.file === undefined ? {} : { file: this.source.file }),
            ...position,
            path: place,
            message,
            ...(allowed === undefined ? {} : { allowed }),
            ...(meant === undefined ? {} : { suggestion: meant }),
        });
    }

    private isNew(path: DocPath, position: Position | undefined, message: string): boolean {
        const places = [formatPath(path)];
        if (position !== undefined) {
            // What an alias brings stands at one place of the file, but has several paths.
            places.push(`${position.line}:${position.column} ${path.at(-1)} ${message}`);
        }
        const known = places.some((place) => this.places.has(place));
        places.forEach((place) => this.places.add(place));
        return !known;
    }

    /** Whether further mistakes are only counted: their details need not be worked out. */
    get full(): boolean {
        return this.mistakes.length >= MAX_MISTAKES;
    }

    writtenAsFloat(path: DocPath): boolean {
        return this.source.writtenAsFloat(path);
    }

    /** Throws if there is any mistake; they stand in the order of the file. */
    throwIfAny(): void {
        if (this.mistakes.length > 0) {
            const place = ({ line = 0, column = 0 }: Mistake): number => line * 1e6 + column;
            throw new PipelineError(
                [...this.mistakes].sort((a, b) => place(a) - place(b)),
                this.more,
            );
        }
    }
}
