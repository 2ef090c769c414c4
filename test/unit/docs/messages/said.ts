/**
 * Documented message -> what makes the code say it. What was said is what is returned, or the message of the error that
 * is thrown. Each gets an empty folder of its own.
 */
export type Producers = Readonly<Record<string, (folder: string) => unknown>>;

/** What the code says. */
export async function said(produce: (folder: string) => unknown, folder: string): Promise<string> {
    try {
        const text = await produce(folder);
        return typeof text === "string" ? text : `nothing was refused: ${JSON.stringify(text)}`;
    } catch (error) {
        return (error as Error).message;
    }
}

/** Whether a text, or one of its lines, begins with a documented message, in which `…` stands for something. */
export function says(text: string, phrase: string): boolean {
    const pattern = new RegExp(`^${patternOf(phrase, ".+?")}(?![\\w-])`);
    return [text, ...text.split("\n")].some((part) => pattern.test(squeezed(part)));
}

/** The messages of the sources that are in none of these texts; `…` stands for anything. */
export function unsaid<T extends { readonly text: string }>(
    messages: readonly T[],
    texts: readonly string[],
): T[] {
    const all = texts.map(squeezed);
    return messages.filter(({ text }) => {
        const pattern = new RegExp(patternOf(text, ".*?"));
        return !all.some((one) => pattern.test(one));
    });
}

function patternOf(phrase: string, filledIn: string): string {
    const fixed = phrase.split("…").map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
    return fixed.join(filledIn);
}

function squeezed(text: string): string {
    return text.replaceAll(/\s+/g, " ").trim();
}
