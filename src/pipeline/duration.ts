/** No duration of a pipeline is longer: a year. */
export const MAX_SECONDS = 365 * 24 * 3600;

export const DURATION_PATTERN =
    "^(?=[0-9])(?:[0-9]+(?:\\.[0-9]+)?|(?:[0-9]+(?:\\.[0-9]+)?d)?(?:[0-9]+(?:\\.[0-9]+)?h)?" +
    "(?:[0-9]+(?:\\.[0-9]+)?m)?(?:[0-9]+(?:\\.[0-9]+)?s)?)$";

export const DURATION_ALLOWED = "a duration such as 10s, 30m, 2h, 1d or 1h30m, or a number of seconds";

const SECONDS = { s: 1, m: 60, h: 3600, d: 86400 } as const;

/** Seconds, to the millisecond; undefined if it is no duration. Zero and any length are let through. */
export function parseDuration(value: unknown): number | undefined {
    if (typeof value === "number") {
        return Number.isFinite(value) && value >= 0 ? round(value) : undefined;
    }
    if (typeof value !== "string" || !new RegExp(DURATION_PATTERN).test(value)) {
        return undefined;
    }
    if (!/[a-z]$/.test(value)) {
        return round(Number(value));
    }
    const parts = value.matchAll(/([0-9.]+)([smhd])/g);
    return round(
        [...parts].reduce((sum, [, n, unit]) => sum + Number(n) * SECONDS[unit as keyof typeof SECONDS], 0),
    );
}

/** What was probably meant by `10 minutes`, `1H`, `1h 30min`. */
export function suggestDuration(text: string): string | undefined {
    const short = text
        .toLowerCase()
        .replace(/([0-9])\s*(s|m|h|d)(?:ec(?:ond)?s?|in(?:ute)?s?|(?:ou)?rs?|ays?)?(?![a-z])/g, "$1$2")
        .replace(/\s+/g, "");
    return short !== "" && parseDuration(short) !== undefined ? short : undefined;
}

function round(seconds: number): number {
    return Math.round(seconds * 1000) / 1000;
}
