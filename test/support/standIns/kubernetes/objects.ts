import {
    deepEqual,
    hasUnknown,
    isUnknown,
    secret,
    type Properties,
    type Value,
} from "../../../../src/provider/values";
import type { KubeObject } from "./api";

export interface Metadata {
    name?: string;
    namespace?: string;
    generateName?: string;
    annotations?: Record<string, string>;
    labels?: Record<string, string>;
    [key: string]: unknown;
}

const OWN_KEYS = ["__inputs", "__fieldManager", "__initialApiVersion"];

export function metadataOf(object: KubeObject): Metadata {
    return (object.metadata ?? {}) as Metadata;
}

export function hasAnnotation(object: KubeObject, name: string): boolean {
    return metadataOf(object).annotations?.[`pulumi.com/${name}`] === "true";
}

/** `namespace/name`, or the name alone. */
export function idOf(object: KubeObject): string {
    const { namespace, name } = metadataOf(object);
    return namespace ? `${namespace}/${name}` : `${name}`;
}

export function parseId(id: string): { namespace?: string; name: string } {
    const [first, second] = id.split("/");
    return second === undefined ? { name: first } : { namespace: first, name: second };
}

/** The object as it was last seen in the cluster, out of a resource's state. */
export function liveOf(state: Properties): KubeObject {
    return Object.fromEntries(Object.entries(state).filter(([key]) => !OWN_KEYS.includes(key)));
}

/** What is kept in the state: the object as it is in the cluster, beside the inputs that made it. */
export function stateOf(
    inputs: KubeObject,
    live: KubeObject,
    secrets: ReadonlySet<string>,
    fieldManager: string,
): Properties {
    const state = markSecrets(live, secrets) as Properties;
    if (live.kind === "Secret") {
        for (const key of ["data", "stringData"].filter((key) => key in live)) {
            state[key] = secret(live[key]);
        }
    }
    state.__inputs = markSecrets(inputs, secrets);
    state.__initialApiVersion = inputs.apiVersion;
    state.__fieldManager = fieldManager;
    return state;
}

/** The reverse of `decode`: wraps what stands at these paths. */
export function markSecrets(value: Value, secrets: ReadonlySet<string>, path = ""): Value {
    const inner = markInner(value, secrets, path);
    return path && secrets.has(path) ? secret(inner) : inner;
}

function markInner(value: Value, secrets: ReadonlySet<string>, path: string): Value {
    if (Array.isArray(value)) {
        return value.map((item, index) => markSecrets(item, secrets, `${path}[${index}]`));
    }
    if (value === null || typeof value !== "object") {
        return value;
    }
    return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [
            key,
            markSecrets(item, secrets, path ? `${path}.${key}` : key),
        ]),
    );
}

/**
 * Inputs after a refresh: as they were, except where the object in the cluster is not what it was when it was last seen.
 * (The API server writes many a value in another way than the program: "1024Mi" as "1Gi".)
 */
export function driftedInputs(
    inputs: Value,
    before: Value | undefined,
    live: Value | undefined,
): Value | undefined {
    if (deepEqual(before, live)) {
        return inputs;
    }
    if (isPlain(inputs) && isPlain(live)) {
        const last = isPlain(before) ? before : {};
        const entries = Object.entries(inputs).map(([key, value]) => [
            key,
            driftedInputs(value, last[key], live[key]),
        ]);
        return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as Value;
    }
    if (Array.isArray(inputs) && Array.isArray(live) && inputs.length === live.length) {
        const last = Array.isArray(before) ? before : [];
        return inputs.map((value, index) => driftedInputs(value, last[index], live[index]) ?? null);
    }
    return live;
}

/** Inputs of an object that was not made by a program: all but what only the cluster writes. */
export function inputsOfImported(live: KubeObject): KubeObject {
    const written = ["creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"];
    const metadata = Object.entries(metadataOf(live)).filter(([key]) => !written.includes(key));
    const rest = Object.entries(live).filter(([key]) => key !== "status");
    return Object.fromEntries([...rest, ["metadata", Object.fromEntries(metadata)]]) as KubeObject;
}

export type ChangeKind = "add" | "delete" | "update";

/** The paths at which two sets of inputs differ; a list of another length differs as a whole. */
export function changesOf(
    before: Value | undefined,
    after: Value | undefined,
    path = "",
): Map<string, ChangeKind> {
    const changes = new Map<string, ChangeKind>();
    if (before === undefined || before === null) {
        return after === undefined || after === null ? changes : changes.set(path, "add");
    }
    if (after === undefined || after === null) {
        return changes.set(path, "delete");
    }
    const nested: [string, Value | undefined, Value | undefined][] = [];
    if (isPlain(before) && isPlain(after)) {
        for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
            nested.push([joined(path, key), before[key], after[key]]);
        }
    } else if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
        before.forEach((value, index) => nested.push([`${path}[${index}]`, value, after[index]]));
    } else if (isUnknown(after) || hasUnknown(after) || !deepEqual(before, after)) {
        changes.set(path, "update");
    }
    for (const [at, left, right] of nested) {
        changesOf(left, right, at).forEach((kind, found) => changes.set(found, kind));
    }
    return changes;
}

/** As Pulumi writes property paths: a key that is no plain word stands in brackets. */
function joined(path: string, key: string): string {
    return /^\w+$/.test(key) ? (path ? `${path}.${key}` : key) : `${path}["${key}"]`;
}

function isPlain(value: Value | undefined): value is { [key: string]: Value } {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
