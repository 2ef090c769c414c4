import { readEnv } from "./readEnv";
import { OUTPUT_ALLOWED, STEP_NAME, outputPath } from "./names";
import { DocPath, formatPath } from "./path";
import { readDuration, readResources, readRetries } from "./readValues";
import { Report } from "./report";
import { asTexts, isRecord } from "./text";
import { Retries, Step } from "./types";
import { quote } from "./words";

/** A step, and as its author wrote it what ties it to others. */
export interface StepDraft {
    readonly path: DocPath;
    readonly own: Omit<Step, "after" | "inputs">;
    /** Undefined if the default applies. */
    readonly after: unknown;
    readonly inputs: unknown;
}

export interface StepDefaults {
    readonly cache: boolean;
    readonly retries: Partial<Retries>;
}

/** The steps one by one, without what ties them together. */
export function readSteps(value: unknown, defaults: StepDefaults, report: Report): StepDraft[] {
    const list: unknown[] = Array.isArray(value) ? value : [];
    const drafts = list.flatMap((raw, i) =>
        isRecord(raw) ? [readStep(raw, ["steps", i], defaults, report)] : [],
    );
    checkNames(drafts, report);
    return drafts;
}

function readStep(
    raw: Record<string, unknown>,
    path: DocPath,
    defaults: StepDefaults,
    report: Report,
): StepDraft {
    const timeoutSeconds = readDuration(raw.timeout, [...path, "timeout"], report);
    const resources = readResources(raw.resources);
    const own = {
        name: typeof raw.name === "string" ? raw.name : "",
        run: readRun(raw.run, [...path, "run"], report),
        outputs: readOutputs(raw.outputs, [...path, "outputs"], report),
        env: readEnv(raw.env, [...path, "env"], report),
        retries: readRetries(raw.retries, [...path, "retries"], defaults.retries, report),
        ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
        cache: typeof raw.cache === "boolean" ? raw.cache : defaults.cache,
        ...(resources === undefined ? {} : { resources }),
        ...(typeof raw.processing === "string" ? { processing: raw.processing } : {}),
    };
    return { path, own, after: raw.after, inputs: raw.inputs };
}

function readRun(value: unknown, path: DocPath, report: Report): string | string[] {
    if (!Array.isArray(value)) {
        return String(value);
    }
    const words = asTexts(value).map(({ text }) => text);
    if (typeof value[0] === "string" && value[0].trim() === "") {
        report.mistake([...path, 0], "is empty", { allowed: "the program to execute" });
    }
    return words;
}

/** The paths in one spelling: below the step's folder, each once, and none inside another. */
function readOutputs(value: unknown, path: DocPath, report: Report): string[] {
    const paths = new Set<string>();
    const read = asTexts(value).map(({ text, index }) => {
        const result = outputPath(text);
        if ("fault" in result) {
            report.mistake([...path, index], result.fault, {
                allowed: OUTPUT_ALLOWED,
                suggestion: result.suggestion,
            });
            return { index, output: undefined };
        }
        if (paths.has(result.path)) {
            report.mistake([...path, index], `${quote(result.path)} is there twice`);
        }
        paths.add(result.path);
        return { index, output: result.path };
    });
    for (const { index, output } of read) {
        const parent = output === undefined ? undefined : parentIn(output, paths);
        if (parent !== undefined) {
            const message = `${quote(output ?? "")} lies in ${quote(parent)}, which is an output too`;
            report.mistake([...path, index], message, { allowed: "outputs beside each other" });
        }
    }
    return [...paths];
}

/** The output that contains a path, if one does. */
export function parentIn(output: string, paths: ReadonlySet<string>): string | undefined {
    for (let end = output.lastIndexOf("/"); end > 0; end = output.lastIndexOf("/", end - 1)) {
        const parent = output.slice(0, end);
        if (paths.has(parent)) {
            return parent;
        }
    }
    return undefined;
}

/** Names become folders, and some file systems don't tell `Train` from `train`. */
function checkNames(drafts: readonly StepDraft[], report: Report): void {
    const first = new Map<string, { name: string; place: string }>();
    for (const { own, path } of drafts) {
        const { name } = own;
        const twin = first.get(name.toLowerCase());
        if (twin !== undefined && new RegExp(STEP_NAME.pattern).test(name)) {
            const message =
                twin.name === name
                    ? `${twin.place} has the same name, ${quote(name)}`
                    : `differs from the name of ${twin.place}, ${quote(twin.name)}, only in case`;
            report.mistake([...path, "name"], message, { allowed: "a name that no other step has" });
        }
        first.set(name.toLowerCase(), twin ?? { name, place: formatPath(path) });
    }
}
