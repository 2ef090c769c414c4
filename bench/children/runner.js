"use strict";
// `loop N`: sh -c N times.  `steps FOLDER N`: a plan of N steps through the runner.
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { DIST } = require("../lib/exec.js");
const { writePlanDir } = require(path.join(DIST, "runner/planDir.js"));
const { runnerScript } = require(path.join(DIST, "runner/script.js"));

function timed(args, cwd) {
    const begun = process.hrtime.bigint();
    const { status } = spawnSync("/bin/sh", args, { stdio: ["ignore", "ignore", "inherit"], cwd });
    if (status !== 0) {
        throw new Error(`sh ended with ${status}`);
    }
    return Number(process.hrtime.bigint() - begun) / 1e6;
}

function step(index) {
    return {
        name: `s${index}`,
        argv: ["sh", "-c", ":"],
        after: index === 1 ? [] : [`s${index - 1}`],
        inputs: {},
        outputs: [],
        env: {},
        retries: { limit: 0, delaySeconds: 0, factor: 1 },
    };
}

async function main([what, ...args]) {
    if (what === "loop") {
        const text = 'i=0; while [ "$i" -lt "$1" ]; do sh -c : < /dev/null; i=$((i + 1)); done';
        return timed(["-c", text, "loop", args[0]]);
    }
    const dir = args[0];
    fs.mkdirSync(path.join(dir, "code"), { recursive: true });
    fs.writeFileSync(path.join(dir, "runner.sh"), runnerScript());
    await writePlanDir(dir, {
        ...{ runId: "bench-1", attempt: 1, nonce: "0123456789abcdef", pipeline: "bench", stream: "files" },
        ...{ parallelism: 1, graceSeconds: 5, env: {}, secrets: [] },
        steps: Array.from({ length: Number(args[1]) }, (_, index) => step(index + 1)),
    });
    const ms = timed([path.join(dir, "runner.sh"), dir], dir);
    fs.rmSync(dir, { recursive: true });
    return ms;
}

main(process.argv.slice(2)).then((ms) => console.log(JSON.stringify({ ms })));
