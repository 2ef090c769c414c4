import type { Pipeline, Step } from "../../src/pipeline/types";

/** A pipeline with nothing but steps of these names, one after the other. */
export function pipelineOf(...names: string[]): Pipeline {
    const steps = names.map((name, index): Step => ({
        name,
        run: "true",
        after: index > 0 ? [names[index - 1]] : [],
        inputs: {},
        outputs: [],
        env: {},
        retries: { limit: 0, delaySeconds: 0, factor: 1 },
        cache: false,
    }));
    return { name: "test", params: {}, env: {}, secrets: [], parallelism: 1, steps };
}
