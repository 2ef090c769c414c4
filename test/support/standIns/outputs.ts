import { randomBytes } from "node:crypto";
import {
    deepEqual,
    hasUnknown,
    unknown,
    type Decoded,
    type Properties,
    type Value,
} from "../../../src/provider/values";
import { secretOf } from "../wire";

/** A resource's outputs: its inputs, and what the target says. What was secret among the inputs stays so. */
export function outputsOf(inputs: Decoded, computed: Readonly<Record<string, unknown>>): object {
    const properties = { ...inputs.value, ...computed } as Properties;
    const secrets = new Set([...inputs.secrets].map((path) => path.split(/[.[]/)[0] as string));
    return Object.fromEntries(
        Object.entries(properties).map(([name, value]) => [
            name,
            secrets.has(name) ? secretOf(value) : value,
        ]),
    );
}

/** In a preview: the inputs, and that the rest is not known. */
export function previewOutputs(inputs: Decoded, computed: readonly string[]): object {
    const given = Object.entries(inputs.value).filter(([, value]) => value !== null);
    const unknowns = computed.map((name) => [name, unknown] as const);
    return outputsOf({ ...inputs, value: Object.fromEntries([...unknowns, ...given]) }, {});
}

/** Names of the properties that differ. */
export function changedProperties(olds: Properties, news: Properties): string[] {
    const names = new Set([...Object.keys(olds), ...Object.keys(news)]);
    return [...names].filter((name) => !deepEqual(olds[name], news[name]) || hasUnknown(news[name])).sort();
}

/** `train-1f3c9aa`: the name of what has none in the program, from its URN. */
export function autoName(urn: string): string {
    return `${urn.split("::").pop()}-${randomBytes(4).toString("hex").slice(0, 7)}`;
}

export function text(value: Value | undefined): string | undefined {
    return typeof value === "string" ? value : undefined;
}
