import { wipeAbandoned } from "./machines/wipe";

/** Each bed is stopped by who started it; this is for those whose test was killed. */
export default function teardown(): void {
    wipeAbandoned();
}
