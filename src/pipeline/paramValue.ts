import { Param, ParamType, ParamValue } from "./types";
import { describe, listOf, nearest, quote } from "./words";

/** What is wrong with a value for a parameter. */
export interface ValueFault {
    readonly message: string;
    readonly allowed?: string;
    readonly suggestion?: string;
}

export function hasType(value: unknown, type: ParamType): value is ParamValue {
    switch (type) {
        case "integer":
            return Number.isSafeInteger(value);
        case "number":
            return Number.isFinite(value);
        default:
            return typeof value === type;
    }
}

/** `an integer from 1 to 30`, `one of "a", "b"`. */
export function describeParam(param: Param): string {
    if (param.enum !== undefined) {
        return `one of ${listOf(param.enum, describe)}`;
    }
    const range = describeRange(param);
    switch (param.type) {
        case "boolean":
            return "true or false";
        case "string":
            return param.pattern === undefined
                ? "a text"
                : `a text that matches /${regExp(param.pattern)?.source}/`;
        case "integer":
            return `a whole number${range}`;
        case "number":
            return `a number${range}`;
    }
}

function describeRange({ minimum, maximum }: Param): string {
    if (minimum === undefined) {
        return maximum === undefined ? "" : ` up to ${maximum}`;
    }
    return maximum === undefined ? ` from ${minimum} on` : ` from ${minimum} to ${maximum}`;
}

/** The first thing that is wrong with a value, if any. */
export function checkValue(param: Param, value: unknown): ValueFault | undefined {
    const allowed = describeParam(param);
    const message = `found ${describe(value)}`;
    if (!hasType(value, param.type)) {
        const suggestion = typeof value === "string" ? meantBy(value, param.type) : undefined;
        return { message, allowed, ...(suggestion === undefined ? {} : { suggestion }) };
    }
    if (param.enum !== undefined && !param.enum.includes(value)) {
        const near = nearest(String(value), param.enum.map(String));
        return { message, allowed, ...(near === undefined ? {} : { suggestion: near }) };
    }
    const { minimum = -Infinity, maximum = Infinity } = param;
    if (typeof value === "number" && (value < minimum || value > maximum)) {
        return { message, allowed };
    }
    if (typeof value === "string" && param.pattern !== undefined && !regExp(param.pattern)?.test(value)) {
        return { message: `${quote(value)} does not match`, allowed };
    }
    return undefined;
}

/** The regular expression, or undefined if it is none. */
export function regExp(pattern: string): RegExp | undefined {
    try {
        return new RegExp(pattern, "u");
    } catch {
        return undefined;
    }
}

/** A text from the command line or the stack's configuration as a value of the type; unchanged if it is none. */
export function convert(value: unknown, type: ParamType): unknown {
    if (type === "string") {
        // `pulumi config set --path` stores 3 and true as number and boolean, whatever they are for.
        return typeof value === "number" || typeof value === "boolean" ? String(value) : value;
    }
    if (typeof value !== "string") {
        return value;
    }
    const text = value.trim();
    if (type === "boolean") {
        return text === "true" ? true : text === "false" ? false : value;
    }
    const shape = type === "integer" ? /^[+-]?[0-9]+$/ : /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?$/i;
    const number = shape.test(text) ? Number(text) : value;
    return hasType(number, type) ? number : value;
}

/** What a text was meant to be that is written like a value of the type, or nearly. */
function meantBy(text: string, type: ParamType): string | undefined {
    if (type === "boolean") {
        return suggestBoolean(text);
    }
    const number = convert(text, type);
    return hasType(number, type) ? String(number) : undefined;
}

/** `yes`, `True`, `1` and the like as YAML and we write them. */
export function suggestBoolean(text: string): string | undefined {
    const word = text.trim().toLowerCase();
    if (["true", "yes", "on", "1"].includes(word)) {
        return "true";
    }
    return ["false", "no", "off", "0"].includes(word) ? "false" : undefined;
}
