import { IDENTIFIER } from "./names";
import { checkValue, describeParam, hasType, regExp } from "./paramValue";
import { DocPath } from "./path";
import { Report } from "./report";
import { asRecord, isRecord } from "./text";
import { Param, ParamType, ParamValue } from "./types";
import { describe, quote } from "./words";

/** The parameters that a pipeline declares; reports what does not fit together. */
export function readParams(value: unknown, path: DocPath, report: Report): Record<string, Param> {
    const params: Record<string, Param> = {};
    const folded = new Map<string, string>();
    for (const [name, raw] of Object.entries(asRecord(value))) {
        const upper = name.toUpperCase();
        const twin = folded.get(upper);
        if (twin !== undefined && new RegExp(IDENTIFIER.pattern).test(name)) {
            const message = `differs from ${quote(twin)} only in case: both would be STACKRUN_PARAM_${upper}`;
            report.mistake([...path, name], message, { part: "key" });
        }
        folded.set(upper, name);
        const param = readParam(raw, [...path, name], report);
        if (param !== undefined) {
            params[name] = param;
        }
    }
    return params;
}

function readParam(raw: unknown, path: DocPath, report: Report): Param | undefined {
    if (!isRecord(raw)) {
        const type = typeOf(raw, path, report);
        return type === undefined
            ? undefined
            : { type, default: checkNumber(raw, path, report) as ParamValue };
    }
    const type = declaredType(raw, path, report);
    if (type === undefined) {
        return undefined;
    }
    const param: Param = {
        type,
        ...(typeof raw.description === "string" ? { description: raw.description } : {}),
        ...readRange(raw, type, path, report),
        ...readPattern(raw.pattern, type, [...path, "pattern"], report),
    };
    const values = readEnum(raw.enum, param, [...path, "enum"], report);
    const complete = values === undefined ? param : { ...param, enum: values };
    if (raw.default === undefined) {
        return complete;
    }
    const fault = checkValue(complete, raw.default);
    if (fault !== undefined) {
        report.mistake([...path, "default"], fault.message, fault);
    }
    return { ...complete, default: raw.default as ParamValue };
}

function declaredType(raw: Record<string, unknown>, path: DocPath, report: Report): ParamType | undefined {
    if (raw.type === undefined && raw.default === undefined) {
        report.mistake([...path, "type"], "is missing, and there is no default to tell it", {
            allowed: "string, integer, number or boolean",
        });
    }
    return raw.type === undefined ? typeOf(raw.default, [...path, "default"], report) : asType(raw.type);
}

function asType(value: unknown): ParamType | undefined {
    return (["string", "integer", "number", "boolean"] as const).find((type) => type === value);
}

/** `7` is an integer, `7.0` and `0.5` are numbers. */
function typeOf(value: unknown, path: DocPath, report: Report): ParamType | undefined {
    if (typeof value === "number") {
        return Number.isInteger(value) && !report.writtenAsFloat(path) ? "integer" : "number";
    }
    return typeof value === "string" || typeof value === "boolean" ? (typeof value as ParamType) : undefined;
}

/** Beyond 2^53 a whole number would silently become another one. */
function checkNumber(value: unknown, path: DocPath, report: Report): unknown {
    if (Number.isInteger(value) && !Number.isSafeInteger(value) && !report.writtenAsFloat(path)) {
        report.mistake(path, "is too large for a whole number", {
            allowed: "up to 9007199254740991, or a text",
        });
    }
    return value;
}

function readRange(
    raw: Record<string, unknown>,
    type: ParamType,
    path: DocPath,
    report: Report,
): Partial<Param> {
    const range: { minimum?: number; maximum?: number } = {};
    for (const key of ["minimum", "maximum"] as const) {
        const bound = raw[key];
        if (bound !== undefined && type !== "integer" && type !== "number") {
            report.mistake([...path, key], `does not apply to the type ${type}`, {
                allowed: "only with the types integer and number",
                part: "key",
            });
        } else if (typeof bound === "number") {
            range[key] = bound;
        }
    }
    const { minimum = -Infinity, maximum = Infinity } = range;
    if (minimum > maximum) {
        report.mistake([...path, "maximum"], `found ${maximum}, less than the minimum`, {
            allowed: `${minimum} or more`,
        });
        return {};
    }
    return range;
}

function readPattern(value: unknown, type: ParamType, path: DocPath, report: Report): Partial<Param> {
    if (value !== undefined && type !== "string") {
        report.mistake(path, `does not apply to the type ${type}`, {
            allowed: "only with the type string",
            part: "key",
        });
        return {};
    }
    if (typeof value !== "string") {
        return {};
    }
    if (regExp(value) === undefined) {
        report.mistake(path, `${quote(value)} is not a regular expression`, {
            allowed: "one of JavaScript, with the flag u",
        });
        return {};
    }
    return { pattern: value };
}

function readEnum(
    value: unknown,
    param: Param,
    path: DocPath,
    report: Report,
): readonly ParamValue[] | undefined {
    if (!Array.isArray(value) || value.length === 0) {
        return undefined;
    }
    const good = new Set<ParamValue>();
    value.forEach((item: unknown, i) => {
        if (isRecord(item) || Array.isArray(item) || item === null) {
            return; // the schema has said so
        }
        if (!hasType(item, param.type)) {
            report.mistake([...path, i], `found ${describe(item)}`, {
                allowed: describeParam({ type: param.type }),
            });
        } else if (good.has(item)) {
            report.mistake([...path, i], `${describe(item)} is there twice`);
        } else {
            good.add(item);
        }
    });
    return good.size === value.length ? [...good] : undefined;
}
