import { connectSteps } from "./connect";
import { MAX_BYTES, readPipelineText, tooLarge } from "./decode";
import { PipelineError } from "./errors";
import { objectSource } from "./objectSource";
import { checkNotSecret, readEnv, readSecrets } from "./readEnv";
import { readParams } from "./readParams";
import { readSteps } from "./readSteps";
import { readDuration, readImage, readPartialRetries } from "./readValues";
import { Report } from "./report";
import { MAX_STEPS } from "./schema";
import { PipelineSpec } from "./spec";
import { checkStructure } from "./structure";
import { asRecord } from "./text";
import { Pipeline } from "./types";
import { yamlSource } from "./yamlSource";

/**
 * Reads a pipeline file.
 * @throws PipelineError that lists everything that is wrong with it.
 */
export function loadPipelineFile(path: string): Pipeline {
    return parsePipeline(readPipelineText(path), path);
}

/**
 * Reads a pipeline from YAML text; `fileName` stands in front of every mistake.
 * @throws PipelineError that lists everything that is wrong with it.
 */
export function parsePipeline(text: string, fileName: string): Pipeline {
    if (text.length > MAX_BYTES) {
        throw tooLarge(fileName, Buffer.byteLength(text));
    }
    const { source, mistakes, usable } = yamlSource(text, fileName);
    if (!usable) {
        throw new PipelineError(mistakes);
    }
    const report = new Report(source, mistakes);
    checkStructure(source, report);
    return normalize(source.value, report);
}

/**
 * A pipeline written in TypeScript.
 * @throws PipelineError that lists everything that is wrong with it.
 * @example
 * const pipeline = definePipeline({
 *     name: "weather",
 *     params: { horizon: 7 },
 *     steps: [{ name: "load", run: "python load.py", outputs: ["raw.csv"] }],
 * });
 */
export function definePipeline(spec: PipelineSpec): Pipeline {
    const { source, mistakes } = objectSource(spec);
    const report = new Report(source, mistakes);
    checkStructure(source, report);
    return normalize(source.value, report);
}

/** Reads what the schema found good, and tolerates the rest, so that all mistakes are found at once. */
function normalize(value: unknown, report: Report): Pipeline {
    const doc = asRecord(value);
    const image = readImage(doc.image);
    const timeoutSeconds = readDuration(doc.timeout, ["timeout"], report);
    const retries = readPartialRetries(doc.retries, ["retries"], report);
    const secrets = readSecrets(doc.secrets, ["secrets"], report);
    // More steps than allowed have been reported; relating them all to each other would take long.
    const list: unknown[] = Array.isArray(doc.steps) && doc.steps.length <= MAX_STEPS ? doc.steps : [];
    checkNotSecret(doc.env, ["env"], secrets, report);
    list.forEach((step, i) => checkNotSecret(asRecord(step).env, ["steps", i, "env"], secrets, report));
    const pipeline: Pipeline = {
        name: String(doc.name),
        ...(typeof doc.description === "string" ? { description: doc.description } : {}),
        ...(image === undefined ? {} : { image }),
        params: readParams(doc.params, ["params"], report),
        env: readEnv(doc.env, ["env"], report),
        secrets,
        ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
        parallelism: typeof doc.parallelism === "number" ? doc.parallelism : 1,
        steps: connectSteps(readSteps(list, { cache: doc.cache === true, retries }, report), report),
    };
    report.throwIfAny();
    return pipeline;
}
