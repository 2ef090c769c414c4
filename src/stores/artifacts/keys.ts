import type { StoredObject } from "./types";

/** @throws Error for what can't be a key: names between single slashes, none of them `.` or `..`. */
export function checkKey(key: string): string {
    // eslint-disable-next-line no-control-regex
    if (!key.split("/").every(isName) || /[\x00-\x1f\x7f]/.test(key)) {
        throw new Error(`${JSON.stringify(key)} is no key of an artifact store`);
    }
    return key;
}

/** @throws Error for what can't be the beginning of keys: nothing, or a key and a slash. */
export function checkPrefix(prefix: string): string {
    if (prefix !== "" && !prefix.endsWith("/")) {
        throw new Error(`${JSON.stringify(prefix)} is no prefix of keys: it has to end with a slash`);
    }
    checkKey(prefix === "" ? "any" : prefix.slice(0, -1));
    return prefix;
}

export function byKey(one: StoredObject, other: StoredObject): number {
    return one.key < other.key ? -1 : one.key > other.key ? 1 : 0;
}

function isName(part: string): boolean {
    return part !== "" && part !== "." && part !== "..";
}
