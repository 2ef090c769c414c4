import type { JavaScriptValue } from "google-protobuf/google/protobuf/struct_pb";
import { Struct } from "./sdkModules";

// How the engine marks special values on the wire (pulumi/pulumi: sdk/go/common/resource/properties.go).
const SIGNATURE_KEY = "4dabf18193072939515e22adb298388d";
const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export type Value = null | boolean | number | string | Value[] | { [key: string]: Value };
export type Properties = Record<string, Value>;

/** A value that is not known yet: only in previews. */
export const unknown: Value = UNKNOWN;

/** Property values with their secrets unwrapped; `secrets` holds the paths at which they stood. */
export interface Decoded {
    readonly value: Properties;
    readonly secrets: ReadonlySet<string>;
}

export function decode(struct: Struct | undefined): Decoded {
    const secrets = new Set<string>();
    const walk = (value: Value, path: string): Value => {
        if (Array.isArray(value)) {
            return value.map((item, index) => walk(item, `${path}[${index}]`));
        }
        if (value === null || typeof value !== "object") {
            return value;
        }
        if (value[SIGNATURE_KEY] === SECRET_SIGNATURE) {
            secrets.add(path);
            return walk(value.value ?? null, path);
        }
        return mapValues(value, (item, key) => walk(item, path ? `${path}.${key}` : key));
    };
    return { value: walk((struct?.toJavaScript() ?? {}) as Value, "") as Properties, secrets };
}

/** Marks a value for {@link encode} as a secret, so that the engine encrypts it in the state. */
export function secret(value: Value): Value {
    return { [SIGNATURE_KEY]: SECRET_SIGNATURE, value };
}

/** Leaves out what is `undefined`: a protobuf struct has no such value. */
export function encode(properties: object): Struct {
    return Struct.fromJavaScript(JSON.parse(JSON.stringify(properties)) as Record<string, JavaScriptValue>);
}

export function isUnknown(value: unknown): boolean {
    return value === UNKNOWN;
}

export function hasUnknown(value: unknown): boolean {
    if (value === null || typeof value !== "object") {
        return isUnknown(value);
    }
    return Object.values(value).some(hasUnknown);
}

export function deepEqual(left: unknown, right: unknown): boolean {
    if (left === right) {
        return true;
    }
    if (left === null || right === null || typeof left !== "object" || typeof right !== "object") {
        return left === undefined ? right === null : right === undefined ? left === null : false;
    }
    if (Array.isArray(left) !== Array.isArray(right)) {
        return false;
    }
    const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
    return [...keys].every((key) =>
        deepEqual((left as Record<string, unknown>)[key], (right as Record<string, unknown>)[key]),
    );
}

function mapValues(object: Properties, map: (value: Value, key: string) => Value): Properties {
    // Not Object.fromEntries on a literal: a key named `__proto__` has to stay a key.
    const result = Object.create(null) as Properties;
    for (const [key, value] of Object.entries(object)) {
        result[key] = map(value, key);
    }
    return result;
}
