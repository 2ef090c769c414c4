// FOLDER of the run's record, RUN ID, OPTIONS as JSON: follows attempt 1 to its end by the built package, in a process of its own, and
// prints what that took as JSON: requests to the cluster by their kind, lines, and the live heap's largest size.
"use strict";
const path = require("node:path");
const dist = path.resolve(__dirname, "../../../dist/src");
const { Connection } = require(path.join(dist, "run/kubernetes/connection.js"));
const { KubernetesFollower } = require(path.join(dist, "run/kubernetes/follower.js"));

const LOOK_EVERY_LINES = 500;

async function main([runDir, runId, options]) {
    const requests = [];
    const follower = new KubernetesFollower(JSON.parse(options), async (given) =>
        counted(await Connection.open(given), requests),
    );
    const seen = { lines: 0, last: "", state: "", heap: 0 };
    let looked = -LOOK_EVERY_LINES;
    const run = { runId, attempt: 1, runDir };
    for await (const item of follower.follow(run, new AbortController().signal)) {
        if (item.type === "log") {
            seen.lines += item.lines.length;
            seen.last = item.lines.at(-1).text;
        } else if (item.type === "event" && item.event.type === "run.finished") {
            seen.state = item.event.state;
        }
        if (seen.lines - looked >= LOOK_EVERY_LINES) {
            looked = seen.lines;
            global.gc();
            seen.heap = Math.max(seen.heap, process.memoryUsage().heapUsed);
        }
        if (item.type === "event" && item.event.type === "step.started") {
            process.stderr.write("started\n");
        }
    }
    return { ...seen, requests };
}

function counted(api, requests) {
    const count = ({ method = "GET", path: name, query = {} }) => {
        const verb = query.watch ? "WATCH" : method;
        requests.push(
            `${verb} ${name.replace(/^.*\/namespaces\/[^/]+\//, "").replace(/\/[^/]*(?=\/log$)/, "")}`,
        );
    };
    return {
        namespace: api.namespace,
        json: (request) => (count(request), api.json(request)),
        stream: (request, signal) => (count(request), api.stream(request, signal)),
        exec: (...args) => api.exec(...args),
    };
}

main(process.argv.slice(2)).then(
    (result) => process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0)),
    (error) => {
        console.error(error);
        process.exit(1);
    },
);
