import { parseDuration } from "../../src/pipeline/duration";

/** For the boot, the image, the code, and what is shipped at the end. */
const MARGIN_SECONDS = 15 * 60;
const DEFAULT_SECONDS = 7 * 24 * 3600;
/** What Google allows. */
export const RUN_DURATION = { least: 30, most: 120 * 24 * 3600 } as const;

/** How long the machine may be on, whoever watches. The argument has been checked before. */
export function runDurationSeconds(given: string | number | undefined, timeoutSeconds?: number): number {
    const seconds =
        given === undefined
            ? timeoutSeconds === undefined
                ? DEFAULT_SECONDS
                : Math.min(timeoutSeconds + MARGIN_SECONDS, RUN_DURATION.most)
            : (parseDuration(given) ?? DEFAULT_SECONDS);
    return Math.ceil(seconds);
}
