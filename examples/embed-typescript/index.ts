import * as pulumi from "@pulumi/pulumi";
import { definePipeline, LocalOrchestrator } from "stackrun";

const config = new pulumi.Config();

// A pipeline in TypeScript: its steps can be made in a loop, and the compiler knows their options.
const words = definePipeline({
    name: "words",
    params: { shortest: 4 },
    steps: [
        {
            name: "count",
            run: 'tr -cs "[:alpha:]" "\\n" < text.txt | awk -v n="$STACKRUN_PARAM_SHORTEST" "length >= n" > "$STACKRUN_OUTPUTS/words"',
            outputs: ["words"],
        },
        {
            name: "summary",
            run: 'echo "words=$(wc -l < "$STACKRUN_INPUTS/words")" > "$STACKRUN_METRICS"',
            inputs: { words: "count/words" },
        },
    ],
});

const run = new LocalOrchestrator("words", {
    pipeline: words,
    code: "text",
    params: { shortest: config.getNumber("shortest") ?? 4 },
});

export const status = run.status;
export const found = run.metrics.apply((metrics) => metrics.summary.words);
export const file = run.artifacts.apply((artifacts) => artifacts["count/words"].uri);
