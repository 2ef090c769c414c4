import type { CheckFailure } from "../../../src/provider/handler";
import { isUnknown, type Value } from "../../../src/provider/values";

/**
 * Object types by their names, and each one's properties. `string`, `number`, `boolean`, `any`, the name of another object
 * type; `T[]` is a list, `{T}` a map from strings, and `T!` has to be there.
 */
export type Types = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Everything about a value that its type does not allow: what a plugin must refuse, and what none may ignore. */
export function strictFailures(types: Types, type: string, value: Value, at = ""): CheckFailure[] {
    if (isUnknown(value)) {
        return [];
    }
    if (type.endsWith("[]")) {
        const items = Array.isArray(value) ? value : undefined;
        return items
            ? items.flatMap((item, index) =>
                  strictFailures(types, type.slice(0, -2), item, `${at}[${index}]`),
              )
            : [wrong(at, "a list", value)];
    }
    if (type.startsWith("{")) {
        return isObject(value)
            ? Object.entries(value).flatMap(([key, item]) =>
                  strictFailures(types, type.slice(1, -1), item, `${at}[${JSON.stringify(key)}]`),
              )
            : [wrong(at, "a map", value)];
    }
    const members = types[type];
    if (!members) {
        return type === "any" || typeof value === type ? [] : [wrong(at, `a ${type}`, value)];
    }
    return isObject(value) ? memberFailures(types, type, value, at) : [wrong(at, `a ${type}`, value)];
}

function memberFailures(
    types: Types,
    type: string,
    value: Record<string, Value>,
    at: string,
): CheckFailure[] {
    const members = types[type] as Readonly<Record<string, string>>;
    const place = (name: string) => (at ? `${at}.${name}` : name);
    const given = Object.entries(value).filter(([, item]) => item !== null);
    const names = new Set(given.map(([name]) => name));
    const missing = Object.keys(members)
        .filter((name) => members[name]?.endsWith("!") && !names.has(name))
        .map((name) => ({ property: place(name), reason: "is required" }));
    return given
        .flatMap(([name, item]) => {
            const member = Object.hasOwn(members, name) ? members[name] : undefined;
            return member === undefined
                ? [{ property: place(name), reason: `${type} has no such property` }]
                : strictFailures(types, member.replace(/!$/, ""), item, place(name));
        })
        .concat(missing);
}

function isObject(value: Value): value is Record<string, Value> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

// Not the value itself: it may be a secret.
function wrong(property: string, expected: string, value: Value): CheckFailure {
    const is = value === null ? "null" : Array.isArray(value) ? "a list" : `a ${typeof value}`;
    return { property, reason: `has to be ${expected}, and is ${is}` };
}
