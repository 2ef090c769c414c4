import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { loadPipelineFile } from "../../../src/pipeline/load";
import type { StepOutputRef } from "../../../src/pipeline/types";

const example = path.resolve(__dirname, "../../../examples/weather");

export const pipeline = loadPipelineFile(path.join(example, "pipeline.yaml"));

export interface RunOptions {
    /** Other values than the defaults. */
    params?: Record<string, string>;
    /** Changes the data before it is loaded, and its checksum with it unless `keepChecksum`. */
    data?: (csv: string) => string;
    keepChecksum?: boolean;
    env?: Record<string, string>;
}

export interface RunResult {
    /** The step that failed, and what it wrote to standard error. */
    failed?: { step: string; stderr: string };
    metrics: Record<string, number>;
    /** The folder that a step's outputs are in. */
    outputs: (step: string) => string;
    /** The content of an output such as `train/model.json`. */
    read: (ref: string) => string;
}

/** Runs the steps that pipeline.yaml declares, in its order, each with only its declared inputs at hand. */
export function runWeather(folder: string, options: RunOptions = {}): RunResult {
    const code = copyCode(folder, options);
    const outputs = (step: string) => path.join(folder, "steps", step, "outputs");
    const at = ({ step, output }: StepOutputRef) => path.join(outputs(step), output);
    const read = (ref: string) =>
        fs.readFileSync(path.join(outputs(path.dirname(ref)), path.basename(ref)), "utf8");
    const result: RunResult = { metrics: {}, outputs, read };
    for (const step of pipeline.steps) {
        const inputs = path.join(folder, "steps", step.name, "inputs");
        const metrics = path.join(folder, "steps", step.name, "metrics");
        fs.mkdirSync(inputs, { recursive: true });
        fs.mkdirSync(outputs(step.name));
        Object.entries(step.inputs).forEach(([name, ref]) =>
            fs.copyFileSync(at(ref), path.join(inputs, name)),
        );
        const [command, ...args] = typeof step.run === "string" ? ["sh", "-c", step.run] : step.run;
        const env = {
            PATH: process.env.PATH,
            ...paramEnvironment(options.params ?? {}),
            STACKRUN_STEP: step.name,
            STACKRUN_INPUTS: inputs,
            STACKRUN_OUTPUTS: outputs(step.name),
            STACKRUN_METRICS: metrics,
            ...options.env,
        };
        const run = spawnSync(command, args, { cwd: code, encoding: "utf8", env });
        if (run.status !== 0) {
            return { ...result, failed: { step: step.name, stderr: run.stderr } };
        }
        Object.assign(result.metrics, readMetrics(metrics));
    }
    return result;
}

/** Runs something with a temporary folder that is gone afterwards. */
export function withFolder<T>(use: (folder: string) => T): T {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "weather-"));
    try {
        return use(folder);
    } finally {
        fs.rmSync(folder, { recursive: true, force: true });
    }
}

/** The code as a bundle has it: somewhere else, with no node_modules and no package.json above it. */
function copyCode(folder: string, { data, keepChecksum }: RunOptions): string {
    const code = path.join(folder, "code");
    fs.cpSync(example, code, { recursive: true });
    if (data) {
        const file = path.join(code, "data/seattle-weather.csv");
        const text = data(fs.readFileSync(file, "utf8"));
        fs.writeFileSync(file, text);
        if (!keepChecksum) {
            const sum = createHash("sha256").update(text).digest("hex");
            fs.writeFileSync(path.join(code, "data/SHA256SUMS"), `${sum}  seattle-weather.csv\n`);
        }
    }
    return code;
}

function paramEnvironment(values: Record<string, string>): Record<string, string> {
    const entries = Object.entries(pipeline.params).map(([name, param]) => [
        `STACKRUN_PARAM_${name.toUpperCase()}`,
        values[name] ?? String(param.default),
    ]);
    return Object.fromEntries(entries);
}

function readMetrics(file: string): Record<string, number> {
    const lines = fs.existsSync(file) ? fs.readFileSync(file, "utf8").trimEnd().split("\n") : [];
    return Object.fromEntries(
        lines.map((line) => line.split("=")).map(([name, value]) => [name, Number(value)]),
    );
}
