// A follower whose outcome a test sets: in `outcome-1.json` of the run directory; and what it has seen, in `items-1.json`.
const fs = require("node:fs");
const path = require("node:path");

exports.createFollower = (options) => ({
    async lastOutcome(run) {
        if (options.broken) {
            throw new Error("connection refused");
        }
        if (options.strict && !fs.existsSync(run.runDir)) {
            return { kind: "NoRecord", message: `there is no ${run.runDir}` };
        }
        const file = path.join(run.runDir, `outcome-${run.attempt}.json`);
        return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : { kind: "NotStarted" };
    },
    async *follow(run) {
        const file = path.join(run.runDir, `items-${run.attempt}.json`);
        yield* fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : [];
    },
    async cancel(run, reason) {
        fs.writeFileSync(path.join(run.runDir, "cancelled"), reason);
    },
});
