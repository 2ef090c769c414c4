"use strict";
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const ROOT = path.resolve(__dirname, "../..");
const DIST = path.join(ROOT, "dist", "src");

/**
 * Runs a command to its end: `{ seconds, stdout }`, and `seenAfter`, the seconds until its output matched `seen`. Fails with
 * what it printed, also if nothing matched.
 */
function run(command, args, { seen, ...options } = {}) {
    return new Promise((resolve, reject) => {
        const begun = process.hrtime.bigint();
        const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
        let stdout = "";
        let stderr = "";
        let seenAfter;
        const elapsed = () => Number(process.hrtime.bigint() - begun) / 1e9;
        child.stdout.on("data", (data) => {
            stdout += data;
            if (seenAfter === undefined && seen?.test(stdout)) {
                seenAfter = elapsed();
            }
        });
        child.stderr.on("data", (data) => (stderr += data));
        child.once("error", reject);
        child.once("close", (code) => {
            const seconds = elapsed();
            if (code === 0 && (!seen || seenAfter !== undefined)) {
                resolve({ seconds, stdout, seenAfter });
            } else {
                const missing = code === 0 ? `, and printed nothing that matches ${seen}` : "";
                const words = [command, ...args].join(" ");
                reject(new Error(`${words} ended with ${code}${missing}:\n${stdout}${stderr}`));
            }
        });
    });
}

/** Runs a script of `children/` in a process of its own; what it prints last is its answer, as JSON. */
async function child(script, args) {
    const { stdout } = await run(process.execPath, [path.join(__dirname, "../children", script), ...args]);
    return JSON.parse(stdout.trim().split("\n").at(-1));
}

/** A folder of its own, and what removes it. */
function folder() {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-bench-"));
    return {
        dir,
        dispose: () => fs.rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }),
    };
}

/** Takes things one after the other, each time beginning with another one: none has the warm caches always. */
async function alternating(round, things) {
    const names = Object.keys(things);
    const turned = names.map((_, index) => names[(index + round) % names.length]);
    const values = {};
    for (const name of turned) {
        values[name] = await things[name]();
    }
    return values;
}

module.exports = { DIST, ROOT, alternating, child, folder, run };
