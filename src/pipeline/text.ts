/** What no text of a pipeline may contain: it could be neither an argument nor a file. */
export function textFault(text: string): string | undefined {
    if (text.includes("\0")) {
        return "contains a NUL character";
    }
    return /\p{Surrogate}/u.test(text)
        ? "contains half of a surrogate pair, which is not a character"
        : undefined;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value if it is a mapping, else an empty one: what is wrong with it has been reported by the schema. */
export function asRecord(value: unknown): Record<string, unknown> {
    return isRecord(value) ? value : {};
}

/** The texts of a list with their places in it. */
export function asTexts(value: unknown): { text: string; index: number }[] {
    const list: unknown[] = Array.isArray(value) ? value : [];
    return list.flatMap((text, index) => (typeof text === "string" ? [{ text, index }] : []));
}
