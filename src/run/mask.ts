/** Shorter lines of a secret are no secret by themselves, and would blank half of a log. */
const SHORTEST_LINE = 4;

/** Replaces secret values by `***`: whole ones, and the lines of those that have several. */
export function masker(secrets: readonly string[]): (text: string) => string {
    const lines = secrets.flatMap((secret) =>
        secret.split("\n").filter((line) => line.length >= SHORTEST_LINE),
    );
    // Longest first: a secret may hold another one.
    const values = [...new Set([...secrets, ...lines])].filter(Boolean).sort((a, b) => b.length - a.length);
    return (text) => values.reduce((masked, value) => masked.replaceAll(value, "***"), text);
}
