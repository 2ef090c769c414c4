import { inspect } from "node:util";

/** One thing that is wrong with a pipeline, or with the parameters given to it. */
export interface Mistake {
    /** The pipeline file, or where else the value came from. Absent for pipelines written in TypeScript. */
    readonly file?: string;
    /** From 1. */
    readonly line?: number;
    /** From 1, in UTF-16 code units, as editors count. */
    readonly column?: number;
    /** Place in the document, for example `steps[2].retries.limit`; empty for the document itself. */
    readonly path: string;
    readonly message: string;
    /** What would have been right. */
    readonly allowed?: string;
    /** What was probably meant. */
    readonly suggestion?: string;
}

/** So many mistakes are listed; the rest are only counted. */
export const MAX_MISTAKES = 200;

/** A pipeline, or the parameters given to it, can't be used; lists everything that is wrong. */
export class PipelineError extends Error {
    readonly mistakes: readonly Mistake[];

    /** @param more How many further mistakes were found, but left out of the list. */
    constructor(mistakes: readonly Mistake[], more = 0) {
        const lines = mistakes.map(formatMistake);
        super((more > 0 ? [...lines, `… and ${more} more`] : lines).join("\n"));
        this.name = "PipelineError";
        this.mistakes = mistakes;
        // The mistakes are the author's, not this program's: nobody gains from seeing its stack.
        Object.defineProperty(this, "stack", { value: this.message, configurable: true, writable: true });
        // The mark of Pulumi's RunError: a Pulumi program that ends with this error prints its message alone.
        Object.defineProperty(this, "__pulumiRunError", { value: true });
    }

    [inspect.custom](): string {
        return this.message;
    }
}

/** `file:line:column: path: what is wrong; allowed: …; did you mean "…"?` */
export function formatMistake(mistake: Mistake): string {
    const { file, line, column, path, message, allowed, suggestion } = mistake;
    const position = [file, line, column].filter((part) => part !== undefined && part !== "").join(":");
    const place = [position, path].filter((part) => part !== "").join(": ");
    const text = [
        message,
        ...(allowed === undefined ? [] : [`allowed: ${allowed}`]),
        ...(suggestion === undefined ? [] : [`did you mean ${quoteSuggestion(suggestion)}?`]),
    ].join("; ");
    return place === "" ? text : `${place}: ${text}`;
}

/** Numbers and booleans must not be put in quotes in YAML, so they stand without. */
function quoteSuggestion(text: string): string {
    return /^(true|false|-?\d+(\.\d+)?)$/.test(text) ? text : JSON.stringify(text);
}
