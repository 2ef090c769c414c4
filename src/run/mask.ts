import type { FollowItem } from "./follower";

/** Shorter lines of a secret are no secret by themselves, and would blank half of a log. */
const SHORTEST_LINE = 4;

/** Replaces secret values by `***`: whole ones, and the lines of those that have several. */
export function masker(secrets: readonly string[]): (text: string) => string {
    const lines = secrets.flatMap((secret) =>
        secret
            .split("\n")
            .map((line) => line.trim())
            .filter((line) => line.length >= SHORTEST_LINE),
    );
    // Longest first: a secret may hold another one.
    const values = [...new Set([...secrets, ...lines])].filter(Boolean).sort((a, b) => b.length - a.length);
    return (text) => values.reduce((masked, value) => masked.replaceAll(value, "***"), text);
}

/** The same for what a follower sees: log lines, and what its messages say. */
export function maskItem(secrets: readonly string[]): (item: FollowItem) => FollowItem {
    if (secrets.length === 0) {
        return (item) => item;
    }
    const mask = masker(secrets);
    return (item) => {
        switch (item.type) {
            case "log":
                return { ...item, lines: item.lines.map(({ step, text }) => ({ step, text: mask(text) })) };
            case "status":
                return { ...item, text: mask(item.text) };
            case "event":
                return item.event.type === "run.finished"
                    ? { ...item, event: { ...item.event, message: mask(item.event.message) } }
                    : item;
            case "image":
                return item;
            default:
                return { ...item, message: mask(item.message) };
        }
    };
}
