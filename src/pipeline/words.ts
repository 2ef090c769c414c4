/** Small helpers for messages: how values, lists and near misses are written. */

const LONGEST_SHOWN = 60;
const LONGEST_COMPARED = 100;

/** What was found, for a message: `"abc"`, `5`, `nothing`, `a list`, `a mapping`. */
export function describe(value: unknown): string {
    if (value === null || value === undefined) {
        return "nothing";
    }
    if (Array.isArray(value)) {
        return value.length === 0 ? "an empty list" : "a list";
    }
    if (typeof value === "object") {
        return Object.keys(value).length === 0 ? "an empty mapping" : "a mapping";
    }
    return typeof value === "string" ? quote(value) : String(value);
}

/** In double quotes, on one line, and not too long. */
export function quote(text: string): string {
    const shown = text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN - 1)}…` : text;
    return JSON.stringify(shown);
}

/** `"a", "b", "c"`, cut off after ten. */
export function quoteList(words: readonly string[]): string {
    return listOf(words, quote);
}

/** `1, 2, 3`, cut off after ten. */
export function listOf<T>(words: readonly T[], write: (word: T) => string): string {
    const shown = words.slice(0, 10).map(write).join(", ");
    return words.length > 10 ? `${shown}, … (${words.length} in all)` : shown;
}

/** The candidate that was probably meant, if one is near enough. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
    if (word.length > LONGEST_COMPARED) {
        return undefined;
    }
    const wanted = word.toLowerCase();
    let best: string | undefined;
    let bestDistance = Math.min(3, Math.max(1, Math.floor(wanted.length / 3))) + 1;
    for (const candidate of candidates) {
        const distance = editDistance(wanted, candidate.toLowerCase(), bestDistance);
        if (distance < bestDistance) {
            [best, bestDistance] = [candidate, distance];
        }
    }
    return best;
}

/** Insertions, deletions, replacements and swaps of neighbours; `limit` if there are that many or more. */
function editDistance(a: string, b: string, limit: number): number {
    if (Math.abs(a.length - b.length) >= limit) {
        return limit;
    }
    let before: number[] = [];
    let last = Array.from({ length: b.length + 1 }, (_, j) => j);
    for (let i = 1; i <= a.length; i++) {
        const row = [i];
        for (let j = 1; j <= b.length; j++) {
            const replaced = last[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
            row[j] = Math.min(replaced, last[j] + 1, row[j - 1] + 1);
            if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
                row[j] = Math.min(row[j], before[j - 2] + 1);
            }
        }
        if (Math.min(...row) >= limit) {
            return limit;
        }
        [before, last] = [last, row];
    }
    return last[b.length];
}
