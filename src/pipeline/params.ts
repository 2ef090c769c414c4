import { checkValue, convert, describeParam } from "./paramValue";
import { Report, Source } from "./report";
import { textFault } from "./text";
import { ParamValue, Pipeline } from "./types";
import { nearest, quoteList } from "./words";

/**
 * The parameters of a run: the pipeline's defaults and what a stack or a command line sets instead.
 * Texts are converted to the declared type: `"14"` is 14 for an integer.
 * @param where Where the overrides come from; stands in front of every mistake.
 * @throws PipelineError that lists everything that is wrong with them.
 */
export function resolveParams(
    pipeline: Pipeline,
    overrides: Readonly<Record<string, unknown>>,
    where?: string,
): Record<string, ParamValue> {
    const source: Source = {
        ...(where === undefined ? {} : { file: where }),
        value: overrides,
        locate: () => undefined,
        writtenAsFloat: () => false,
    };
    const report = new Report(source);
    const given = new Map(Object.entries(overrides).filter(([, value]) => value !== undefined));
    reportUnknown([...given.keys()], pipeline, report);
    const values: Record<string, ParamValue> = {};
    for (const [name, param] of Object.entries(pipeline.params)) {
        const value = given.has(name) ? convert(given.get(name), param.type) : param.default;
        const fault = value === undefined ? undefined : checkValue(param, value);
        if (value === undefined) {
            report.mistake(["params", name], "is missing, and has no default", {
                allowed: describeParam(param),
            });
        } else if (fault !== undefined) {
            report.mistake(["params", name], fault.message, fault);
        } else {
            values[name] = checkText(value as ParamValue, name, report);
        }
    }
    report.throwIfAny();
    return values;
}

function reportUnknown(given: readonly string[], pipeline: Pipeline, report: Report): void {
    const known = Object.keys(pipeline.params);
    for (const name of given.filter((key) => !known.includes(key))) {
        report.mistake(["params", name], "the pipeline has no such parameter", {
            allowed: known.length === 0 ? "none: it declares no parameters" : quoteList(known),
            suggestion: () => nearest(name, known),
        });
    }
}

function checkText(value: ParamValue, name: string, report: Report): ParamValue {
    const fault = typeof value === "string" ? textFault(value) : undefined;
    if (fault !== undefined) {
        report.mistake(["params", name], fault);
    }
    return value;
}

/** Parameters as the steps see them: `{ horizon: 7 }` is `STACKRUN_PARAM_HORIZON=7`. */
export function paramEnv(values: Readonly<Record<string, ParamValue>>): Record<string, string> {
    const entries = Object.entries(values).map(([name, value]) => [
        `STACKRUN_PARAM_${name.toUpperCase()}`,
        String(value),
    ]);
    return Object.fromEntries(entries) as Record<string, string>;
}
