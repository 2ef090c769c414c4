// FOLDER of the run's record, RUN ID, OPTIONS as JSON, FILE: follows attempt 1 to its end by the built package over a connection that
// loses lines of the log, as a kubelet does, and writes the lines that it was told of to FILE.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const dist = path.resolve(__dirname, "../../../dist/src");
const { Connection } = require(path.join(dist, "run/kubernetes/connection.js"));
const { KubernetesFollower } = require(path.join(dist, "run/kubernetes/follower.js"));

/** Long enough for a log that is held back until it was counted. */
const FROM_LINE = 500_000;
const EVERY = 9_973;

async function main([runDir, runId, options, file]) {
    const lost = { lines: 0 };
    const follower = new KubernetesFollower(JSON.parse(options), async (given) =>
        losing(await Connection.open(given), lost),
    );
    const out = fs.openSync(file, "w");
    for await (const item of follower.follow({ runId, attempt: 1, runDir }, new AbortController().signal)) {
        if (item.type === "log") {
            fs.writeSync(out, item.lines.map(({ step, text }) => `${step}\t${text}\n`).join(""));
        }
    }
    fs.closeSync(out);
    return lost;
}

function losing(api, lost) {
    return {
        namespace: api.namespace,
        json: (request) => api.json(request),
        exec: (...args) => api.exec(...args),
        stream: async (request, signal) => {
            const stream = await api.stream(request, signal);
            return request.path.endsWith("/log") ? withoutSome(stream, lost) : stream;
        },
    };
}

async function* withoutSome(stream, lost) {
    let rest = Buffer.alloc(0);
    let number = 0;
    for await (const chunk of stream) {
        const bytes = Buffer.concat([rest, chunk]);
        const end = bytes.lastIndexOf(10) + 1;
        rest = bytes.subarray(end);
        const lines = bytes.toString("latin1", 0, end).split("\n").slice(0, -1);
        const kept = lines.filter((line) => {
            number++;
            const goes = number > FROM_LINE && number % EVERY === 0 && !line.includes("\u001e");
            lost.lines += goes ? 1 : 0;
            return !goes;
        });
        yield Buffer.from(kept.map((line) => `${line}\n`).join(""), "latin1");
    }
}

main(process.argv.slice(2)).then(
    (result) => process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0)),
    (error) => {
        console.error(error);
        process.exit(1);
    },
);
