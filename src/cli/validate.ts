import { loadPipelineFile } from "../pipeline/load";
import type { Step } from "../pipeline/types";
import type { Terminal } from "./terminal";

/** `stackrun validate`: throws a PipelineError with all mistakes, or shows the steps in their order. */
export function validate(file: string, json: boolean, terminal: Terminal): void {
    const pipeline = loadPipelineFile(file);
    if (json) {
        terminal.line(JSON.stringify(pipeline, null, 2));
        return;
    }
    const params = Object.entries(pipeline.params).map(
        ([name, { type, default: value }]) => `${name}: ${type}${value === undefined ? "" : ` = ${value}`}`,
    );
    terminal.line(`${file}: pipeline ${pipeline.name} is valid`);
    terminal.line(`params   ${params.join(", ") || "none"}`);
    pipeline.steps.forEach((step, index) =>
        terminal.line(`${index === 0 ? "steps" : "     "}    ${describe(step)}`),
    );
}

function describe(step: Step): string {
    const after = step.after.length > 0 ? ` after ${step.after.join(", ")}` : "";
    const outputs = step.outputs.length > 0 ? ` → ${step.outputs.join(", ")}` : "";
    return `${step.name}${after}${outputs}`;
}
