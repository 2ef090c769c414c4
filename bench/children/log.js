"use strict";
// FOLDER LINES KIND: a step that prints so many lines, through the local follower and what shows a run to the engine.
const fs = require("node:fs");
const path = require("node:path");
const { DIST } = require("../lib/exec.js");
const { EngineSink } = require(path.join(DIST, "provider/engineSink.js"));
const { silentLog } = require(path.join(DIST, "provider/engineLog.js"));
const { definePipeline } = require(path.join(DIST, "pipeline/load.js"));
const { followRun } = require(path.join(DIST, "run/followRun.js"));
const { prepareRunDir } = require(path.join(DIST, "run/record.js"));
const { loadFollower } = require(path.join(DIST, "run/registry.js"));

const STEP = {
    short: (lines) => `seq ${lines}`,
    long: (lines) => `yes ${"x".repeat(79)} | head -n ${lines}`,
};

async function main([dir, lines, kind]) {
    fs.mkdirSync(path.join(dir, "code"), { recursive: true });
    const pipeline = definePipeline({ name: "bench", steps: [{ name: "print", run: STEP[kind](lines) }] });
    const run = {
        ...{
            runId: "bench-1",
            attempt: 1,
            runDir: path.join(dir, "run"),
            pipeline,
            params: {},
            env: {},
            secrets: {},
        },
        ...{
            codeDir: path.join(dir, "code"),
            codeHash: "",
            parallelism: 1,
            graceSeconds: 5,
            finishedSteps: [],
        },
    };
    const follower = await loadFollower({ module: "local" });
    await prepareRunDir(run.runDir);
    const seconds = await timed(async () => {
        await follower.start(run, new AbortController().signal);
        await follow(follower, run, Number(lines));
    });
    const againSeconds = await timed(() => follow(follower, run, Number(lines)));
    fs.rmSync(dir, { recursive: true });
    return { seconds, againSeconds };
}

async function follow(follower, run, lines) {
    const { pipeline, params } = run;
    const engine = new EngineSink({
        log: silentLog,
        secrets: ["a secret that is looked for"],
        whereLog: "log",
    });
    let seen = 0;
    const sink = {
        log: (some) => {
            seen += some.length;
            engine.log(some);
        },
        changed: (snapshot, item) => engine.changed(snapshot, item),
    };
    const ended = await followRun({
        follower,
        run,
        pipeline,
        params,
        sink,
        signal: new AbortController().signal,
    });
    engine.end();
    if (ended.status !== "Succeeded" || seen !== lines) {
        throw new Error(`the run is ${ended.status}, and ${seen} of ${lines} lines were seen`);
    }
}

async function timed(work) {
    const begun = process.hrtime.bigint();
    await work();
    return Number(process.hrtime.bigint() - begun) / 1e9;
}

main(process.argv.slice(2)).then((result) => console.log(JSON.stringify(result)));
