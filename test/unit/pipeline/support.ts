import { Pipeline, PipelineError, parsePipeline } from "../../../src/pipeline";

/** What a call that has to be refused says, line by line. */
export function refusal(call: () => unknown): string[] {
    try {
        call();
    } catch (error) {
        if (error instanceof PipelineError) {
            return error.message.split("\n");
        }
        throw error;
    }
    throw new Error("nothing was refused");
}

/** The mistakes of a pipeline file called `p.yaml`. */
export function mistakesOf(text: string): string[] {
    return refusal(() => parsePipeline(text, "p.yaml"));
}

/** A pipeline whose only step is right, with more lines before it. */
export function withTop(...lines: string[]): string {
    return ["name: x", ...lines, "steps:", "  - {name: a, run: x}", ""].join("\n");
}

/** A pipeline with the steps given, one in each line, the first of them in line 3. */
export function withSteps(...steps: string[]): string {
    return ["name: x", "steps:", ...steps.map((step) => `  - {${step}}`), ""].join("\n");
}

/** A pipeline whose only step has one more key, in line 5, column 5. */
export function withStepKey(line: string): string {
    return `name: x\nsteps:\n  - name: a\n    run: x\n    ${line}\n`;
}

export function parse(text: string): Pipeline {
    return parsePipeline(text, "p.yaml");
}
