"use strict";
const path = require("node:path");
const { DIST, alternating, folder } = require("../lib/exec.js");
const { EMPTY, engineFolder, freshUp, newProject, up } = require("../lib/project.js");

const STEPS = 10;
const PROGRAM = `"use strict";
const { LocalOrchestrator } = require(${JSON.stringify(DIST)});
const { status } = new LocalOrchestrator("job", { pipeline: "pipeline.yaml" });
exports.status = status;
`;
const PIPELINE = ["name: bench", "steps:"]
    .concat(Array.from({ length: STEPS }, (_, index) => `  - {name: s${index + 1}, run: ":"}`))
    .join("\n");

exports.measure = {
    name: "update",
    title: `pulumi up of ${STEPS} trivial steps, and once more unchanged, beside pulumi up of an empty program`,
    rounds: 5,
    figures: [
        { name: "first", title: `pulumi up, ${STEPS} steps`, unit: "x", max: 1.6, of: ["empty", "run"] },
        {
            name: "unchanged",
            title: "pulumi up, unchanged",
            unit: "x",
            max: 1.25,
            of: ["empty", "unchanged"],
        },
    ],
    async prepare() {
        const bin = await engineFolder();
        const { dir, dispose } = folder();
        const empty = newProject(path.join(dir, "empty"), { program: EMPTY, bin });
        const job = newProject(path.join(dir, "job"), { program: PROGRAM, pipeline: PIPELINE, bin });
        // Both with warm caches of the file system.
        await freshUp(empty, "warm");
        await freshUp(job, "warm");
        return {
            async round(number) {
                const taken = await alternating(number, {
                    empty: () => freshUp(empty, `s${number}`),
                    job: async () => {
                        const first = await freshUp(job, `s${number}`);
                        return { first, unchanged: await up(job, `s${number}`, /unchanged/) };
                    },
                });
                return {
                    figures: {
                        first: taken.job.first / taken.empty,
                        unchanged: taken.job.unchanged / taken.empty,
                    },
                    raw: {
                        empty: [taken.empty, "s"],
                        run: [taken.job.first, "s"],
                        unchanged: [taken.job.unchanged, "s"],
                    },
                };
            },
            dispose,
        };
    },
};
