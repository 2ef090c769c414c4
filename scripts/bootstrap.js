// Makes a checkout ready to run: dependencies, dist, and the Pulumi engine. Quick when there is nothing to do.
// Called before `npm start` and `npm test`. node_modules may be missing, so it uses only what Node.js has.

var needed = 20;
if (parseInt(process.versions.node, 10) < needed) {
    console.error(
        "stackrun needs Node.js " +
            needed +
            " or newer; this is " +
            process.versions.node +
            " (" +
            process.execPath +
            ")",
    );
    process.exit(1);
}

const { spawnSync } = require("child_process");
const fs = require("fs");
const path = require("path");
const {
    root,
    staleDependencies,
    staleBuild,
    sourceHash,
    stampFile,
    buildInfoFile,
} = require("./freshness.js");

const forTests = process.argv.includes("--tests");
const say = (line) => console.error(`stackrun: ${line}`);

main().catch((error) => {
    say(error.message);
    if (forTests && error.name === "EngineError") {
        say("tests that need no engine: npm run test:unit");
    }
    process.exit(1);
});

async function main() {
    if (staleDependencies() || staleBuild(sourceHash())) {
        await oneAtATime(prepare);
    }
    const { ensureEngine } = require(path.join(root, "dist", "src", "engine"));
    await ensureEngine({ log: say });
}

/** Asks again: another process may have done it in the meantime. */
function prepare() {
    const hash = sourceHash();
    const stale = staleDependencies();
    if (stale) {
        say(`installing the dependencies (${stale}) …`);
        npm(["ci", "--include=dev", "--no-audit", "--no-fund"], { STACKRUN_SOURCE_HASH: hash }); // builds, too
    }
    const outdated = staleBuild(hash);
    if (outdated) {
        say(`building (${outdated}) …`);
        if (!fs.existsSync(stampFile)) {
            fs.rmSync(buildInfoFile(), { force: true });
        }
        npm(["run", "--silent", "build"], { STACKRUN_SOURCE_HASH: hash });
    }
}

/** Its output goes to the error output: the standard output belongs to what comes after the bootstrap. */
function npm(args, env) {
    const own = process.env.npm_execpath;
    const [command, first] = own && own.endsWith(".js") ? [process.execPath, [own]] : ["npm", []];
    const result = spawnSync(command, [...first, ...args], {
        cwd: root,
        env: { ...process.env, ...env },
        stdio: ["inherit", process.stderr, process.stderr],
    });
    if (result.error || result.status !== 0) {
        const why = result.error ? result.error.message : `exit code ${result.status || result.signal}`;
        throw new Error(`\`npm ${args.join(" ")}\` failed (${why}): see above`);
    }
}

/**
 * Two `npm ci` in one folder destroy each other's work. Each process puts a file of its own here and then looks for
 * others; with any living one beside it, it takes its own back and waits.
 */
async function oneAtATime(work) {
    const folder = path.join(root, ".stackrun");
    const mine = path.join(folder, `bootstrap-${process.pid}.lock`);
    fs.mkdirSync(folder, { recursive: true });
    for (let said = false; ;) {
        let other = findOther(folder, mine);
        if (!other) {
            fs.writeFileSync(mine, startOf(process.pid));
            other = findOther(folder, mine);
            if (!other) {
                break;
            }
            fs.rmSync(mine, { force: true });
        } else if (!said) {
            say(`waiting for process ${other}, which does the same …`);
            said = true;
        }
        await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 300));
    }
    try {
        work();
    } finally {
        fs.rmSync(mine, { force: true });
    }
}

function findOther(folder, mine) {
    for (const name of fs.readdirSync(folder)) {
        const pid = /^bootstrap-(\d+)\.lock$/.exec(name);
        if (pid && path.join(folder, name) !== mine) {
            const file = path.join(folder, name);
            if (isAlive(Number(pid[1])) && startOf(pid[1]) === contentOf(file)) {
                return pid[1];
            }
            fs.rmSync(file, { force: true });
        }
    }
    return undefined;
}

// Tells a process from a later one of the same number; empty where the system does not tell.
function startOf(pid) {
    const stat = contentOf(`/proc/${pid}/stat`);
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] || "";
}

function contentOf(file) {
    try {
        return fs.readFileSync(file, "utf8");
    } catch {
        return "";
    }
}

function isAlive(pid) {
    try {
        process.kill(pid, 0);
        return true;
    } catch (error) {
        return error.code === "EPERM";
    }
}
