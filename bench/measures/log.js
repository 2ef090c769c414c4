"use strict";
const path = require("node:path");
const { child, folder } = require("../lib/exec.js");

const LINES = 1_000_000;

exports.measure = {
    name: "log",
    title: `a step's ${LINES.toLocaleString("en")} lines through runner and follower`,
    rounds: 3,
    figures: [
        {
            name: "short",
            title: "log, lines of 1 to 7 bytes",
            unit: "lines/s",
            min: 100_000,
            of: ["short lines", "follower"],
        },
        { name: "long", title: "log, lines of 80 bytes", unit: "lines/s", min: 100_000, of: ["long lines"] },
    ],
    async prepare() {
        const { dir, dispose } = folder();
        const take = (round, kind) => child("log.js", [path.join(dir, `${round}-${kind}`), LINES, kind]);
        return {
            async round(number) {
                const short = await take(number, "short");
                const long = await take(number, "long");
                return {
                    figures: { short: LINES / short.seconds, long: LINES / long.seconds },
                    raw: {
                        "short lines": [short.seconds, "s"],
                        "long lines": [long.seconds, "s"],
                        // Reading what is in the log already.
                        follower: [short.againSeconds, "s"],
                    },
                };
            },
            dispose,
        };
    },
};
