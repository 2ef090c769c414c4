"use strict";
const path = require("node:path");
const { alternating, child, folder } = require("../lib/exec.js");

const FEW = 100;
const MANY = 1000;

exports.measure = {
    name: "runner",
    title: `trivial steps in the runner, beside sh -c in a loop; ${MANY} steps beside ${FEW}`,
    rounds: 5,
    figures: [
        {
            name: "perStep",
            title: "runner, more than sh -c per step",
            unit: "ms",
            max: 10,
            of: ["sh -c", "step"],
        },
        {
            name: "linear",
            title: `runner, ${MANY} steps against ${FEW}`,
            unit: "x",
            max: 12,
            of: [`${FEW}`, `${MANY}`],
        },
    ],
    async prepare() {
        const { dir, dispose } = folder();
        let count = 0;
        const steps = (number) => child("runner.js", ["steps", path.join(dir, String(count++)), number]);
        return {
            async round(number) {
                const taken = await alternating(number, {
                    loop: () => child("runner.js", ["loop", MANY]),
                    few: () => steps(FEW),
                    many: () => steps(MANY),
                });
                const loop = taken.loop.ms / MANY;
                const step = taken.many.ms / MANY;
                return {
                    figures: { perStep: step - loop, linear: taken.many.ms / taken.few.ms },
                    raw: {
                        "sh -c": [loop, "ms"],
                        step: [step, "ms"],
                        [FEW]: [taken.few.ms / 1000, "s"],
                        [MANY]: [taken.many.ms / 1000, "s"],
                    },
                };
            },
            dispose,
        };
    },
};
