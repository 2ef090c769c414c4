#!/usr/bin/env node
"use strict";
// `npm run bench`: what stackrun costs, each time beside what does the same without it. See docs/benchmarks.md.
const { helpText, parseOptions } = require("./lib/options.js");
const { measureOrSkip } = require("./lib/measure.js");
const { exitCodeOf, writeReport } = require("./lib/report.js");
const { table } = require("./lib/table.js");
const { measures } = require("./measures");

async function main(argv) {
    const { options, mistakes } = parseOptions(argv, measures);
    if (mistakes.length > 0) {
        console.error(mistakes.join("\n"));
        return 2;
    }
    if (options.help) {
        console.log(helpText(measures));
        return 0;
    }
    const results = [];
    const asked = options.only.length > 0;
    for (const one of measures.filter(({ name }) => !asked || options.only.includes(name))) {
        const how = { rounds: options.rounds, say: (text) => console.error(text), asked };
        results.push(...(await measureOrSkip(one, how)));
    }
    console.log(table(results));
    console.error(`\nall values: ${writeReport(results, options.json)}`);
    return exitCodeOf(results, options);
}

main(process.argv.slice(2)).then(
    (code) => (process.exitCode = code),
    (error) => {
        console.error(error instanceof Error ? error.message : error);
        process.exitCode = 3;
    },
);
