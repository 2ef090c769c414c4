// Works off one job of the spool, in its own way: stackrun's runner is not part of it.
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

const folder = process.argv[2];
const job = JSON.parse(fs.readFileSync(path.join(folder, "job.json"), "utf8"));
let child;
let stopped = false;

function write(entry) {
    const record = `\u001e${JSON.stringify({ at: new Date().toISOString(), ...entry })}\n`;
    fs.appendFileSync(path.join(folder, "journal"), record);
}

function said(step, line) {
    const [, name, value] = /^measured (\w+)=(.*)$/.exec(line) ?? [];
    write(name ? { kind: "measured", step, name, value: Number(value) } : { kind: "out", step, text: line });
}

function execute({ name, run }) {
    const outputs = path.join(job.outputs, name, "outputs");
    fs.mkdirSync(outputs, { recursive: true });
    const env = { ...process.env, OUTPUTS: outputs, SPOOL_WORKER: String(process.pid) };
    for (const [param, value] of Object.entries(job.params)) {
        env[param.toUpperCase()] = String(value);
    }
    child = spawn("/bin/sh", ["-c", run], {
        cwd: job.codeDir,
        env,
        detached: true,
        stdio: ["ignore", "pipe", "inherit"],
    });
    let rest = "";
    child.stdout.on("data", (chunk) => {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop();
        lines.forEach((line) => said(name, line));
    });
    return new Promise((resolve) => child.once("close", (code) => resolve(code ?? 137)));
}

async function work() {
    write({ kind: "begin", pid: process.pid });
    for (const step of job.steps) {
        const done = path.join(job.done, step.name);
        if (fs.existsSync(done)) {
            write({ kind: "kept", step: step.name });
            continue;
        }
        write({ kind: "enter", step: step.name });
        const begun = Date.now();
        const code = await execute(step);
        write({ kind: "leave", step: step.name, code, seconds: (Date.now() - begun) / 1000 });
        if (code !== 0) {
            return stopped ? "stopped" : "bad";
        }
        fs.mkdirSync(job.done, { recursive: true });
        fs.writeFileSync(done, "");
    }
    return "good";
}

process.on("SIGTERM", () => {
    stopped = true;
    if (child?.exitCode === null) {
        process.kill(-child.pid, "SIGKILL");
    }
});
work().then((how) => write({ kind: "end", how }));
