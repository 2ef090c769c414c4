import { MAX_SECONDS, parseDuration } from "./duration";
import { DocPath } from "./path";
import { Report } from "./report";
import { asRecord, isRecord } from "./text";
import { ImageBuild, Resources, Retries } from "./types";

export const DEFAULT_RETRIES: Retries = { limit: 0, delaySeconds: 1, factor: 2 };

/** Seconds: more than none (unless `zero` is allowed) and at most a year. */
export function readDuration(
    value: unknown,
    path: DocPath,
    report: Report,
    zero = false,
): number | undefined {
    const seconds = parseDuration(value);
    if (seconds === 0 && !zero) {
        report.mistake(path, "is zero", { allowed: "a duration such as 10s, 30m, 2h, 1d or 1h30m" });
    }
    if (seconds !== undefined && seconds > MAX_SECONDS) {
        report.mistake(path, "is longer than a year", { allowed: "365d at most" });
    }
    return seconds;
}

/** What of `retries` is given: a number is its limit. */
export function readPartialRetries(value: unknown, path: DocPath, report: Report): Partial<Retries> {
    if (typeof value === "number") {
        return { limit: value };
    }
    const raw = asRecord(value);
    const delaySeconds = readDuration(raw.delay, [...path, "delay"], report, true);
    return {
        ...(typeof raw.limit === "number" ? { limit: raw.limit } : {}),
        ...(delaySeconds === undefined ? {} : { delaySeconds }),
        ...(typeof raw.factor === "number" ? { factor: raw.factor } : {}),
    };
}

/** A step's `retries`; what it does not say is the pipeline's. */
export function readRetries(
    value: unknown,
    path: DocPath,
    inherited: Partial<Retries>,
    report: Report,
): Retries {
    const own = readPartialRetries(value, path, report);
    const retries = { ...DEFAULT_RETRIES, ...inherited, ...own };
    if (isRecord(value) && own.limit === undefined && inherited.limit === undefined) {
        report.mistake([...path, "limit"], "is missing", { allowed: "the number of further tries" });
    }
    const longest = retries.delaySeconds * retries.factor ** Math.max(0, retries.limit - 1);
    if (longest > MAX_SECONDS) {
        const message = "the pause before the last try would be longer than a year";
        // A step that says nothing of its own has only inherited the mistake.
        report.mistake(value === undefined ? ["retries"] : path, message, {
            allowed: "a smaller limit, delay or factor",
        });
    }
    return retries;
}

/** `500m` cores are half a core; a number of bytes is a quantity. */
export function readResources(value: unknown): Resources | undefined {
    if (!isRecord(value)) {
        return undefined;
    }
    const { cpu, memory, gpu } = value;
    return {
        ...(cpu === undefined
            ? {}
            : { cpu: typeof cpu === "string" ? parseInt(cpu, 10) / 1000 : Number(cpu) }),
        ...(memory === undefined ? {} : { memory: String(memory) }),
        ...(gpu === undefined ? {} : { gpu: Number(gpu) }),
    };
}

export function readImage(value: unknown): string | ImageBuild | undefined {
    if (!isRecord(value)) {
        return typeof value === "string" ? value : undefined;
    }
    const { context, args, ...rest } = asRecord(value.build);
    const texts = Object.entries(asRecord(args)).map(([name, item]) => [name, String(item)]);
    return {
        build: {
            context: typeof context === "string" ? context : ".",
            ...(rest as Partial<ImageBuild["build"]>),
            ...(args === undefined ? {} : { args: Object.fromEntries(texts) as Record<string, string> }),
        },
    };
}
