/** A word of POSIX sh that stands for exactly this text, whatever it holds. NUL can't be: no program could receive it. */
export function shQuote(text: string): string {
    if (text.includes("\0")) {
        throw new Error(`a text with a NUL character can't be handed to a program: ${JSON.stringify(text)}`);
    }
    return `'${text.replaceAll("'", `'\\''`)}'`;
}
