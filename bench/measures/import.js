"use strict";
const { alternating, child } = require("../lib/exec.js");

exports.measure = {
    name: "import",
    title: "importing the package, beside importing @pulumi/pulumi alone",
    rounds: 15,
    figures: [
        {
            name: "ratio",
            title: "import, local orchestrator only",
            unit: "x",
            max: 1.15,
            of: ["pulumi", "stackrun"],
        },
    ],
    prepare: async () => ({
        async round(number) {
            const { pulumi, stackrun } = await alternating(number, {
                pulumi: () => child("import.js", ["@pulumi/pulumi"]),
                stackrun: () => child("import.js", ["stackrun"]),
            });
            return {
                figures: { ratio: stackrun.ms / pulumi.ms },
                raw: { pulumi: [pulumi.ms, "ms"], stackrun: [stackrun.ms, "ms"] },
            };
        },
        dispose() {},
    }),
};
