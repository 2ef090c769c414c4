"use strict";
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

/** Keeps all values as JSON; returns the file's path. */
function writeReport(results, file = defaultFile()) {
    fs.mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
    const machine = { node: process.version, platform: process.platform, cpus: os.cpus().length };
    const report = { time: new Date().toISOString(), machine, load: os.loadavg(), results };
    fs.writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
    return file;
}

function defaultFile() {
    return path.join(".stackrun", "bench", `${new Date().toISOString().replace(/[:.]/g, "-")}.json`);
}

/** A missed goal is an error only where that is asked for: figures of a busy machine say little. */
function exitCodeOf(results, { check }) {
    return check && results.some(({ met }) => !met) ? 1 : 0;
}

module.exports = { exitCodeOf, writeReport };
