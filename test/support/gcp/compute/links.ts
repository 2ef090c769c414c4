import { randomInt } from "node:crypto";

/** As Google writes self-links, whatever address the API is called by. */
export const BASE = "https://www.googleapis.com/compute/v1";

export function selfLink(path: string): string {
    return `${BASE}/${path}`;
}

/** The path `projects/...` (or `zones/...`) of what is given as a full link, without a scheme, or as a path. */
export function pathOf(link: string): string {
    return link
        .replace(/^https?:\/\/[^/]+\//, "")
        .replace(/^(compute\/)?(v1|beta)\//, "")
        .replace(/^\/+/, "");
}

export function lastPart(link: string): string {
    return link.slice(link.lastIndexOf("/") + 1);
}

/** A number like those of Google's resources: 19 digits, more than a JavaScript number can hold. */
export function newId(): string {
    return `${randomInt(1, 9)}${String(randomInt(1e9)).padStart(9, "0")}${String(randomInt(1e9)).padStart(9, "0")}`;
}

export function newFingerprint(): string {
    return Buffer.from(Array.from({ length: 8 }, () => randomInt(256))).toString("base64");
}

/** With the offset of Google's own zone, as Compute Engine writes times. */
export function now(): string {
    return new Date(Date.now() - 8 * 3600_000).toISOString().replace("Z", "-08:00");
}
