"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { pathToFileURL } = require("node:url");
const { DIST, ROOT, alternating, folder, run } = require("../lib/exec.js");

const STEPS = 10;
const EMPTY = '"use strict";\n';
const PROGRAM = `"use strict";
const { LocalOrchestrator } = require(${JSON.stringify(DIST)});
const { status } = new LocalOrchestrator("job", { pipeline: "pipeline.yaml" });
exports.status = status;
`;
const PIPELINE = ["name: bench", "steps:"]
    .concat(Array.from({ length: STEPS }, (_, index) => `  - {name: s${index + 1}, run: ":"}`))
    .join("\n");

exports.measure = {
    name: "update",
    title: `pulumi up of ${STEPS} trivial steps, and once more unchanged, beside pulumi up of an empty program`,
    rounds: 5,
    figures: [
        { name: "first", title: `pulumi up, ${STEPS} steps`, unit: "x", max: 1.6, of: ["empty", "run"] },
        {
            name: "unchanged",
            title: "pulumi up, unchanged",
            unit: "x",
            max: 1.25,
            of: ["empty", "unchanged"],
        },
    ],
    async prepare() {
        const { ensureEngine } = require(path.join(DIST, "engine/index.js"));
        const bin = path.dirname((await ensureEngine()).pulumi);
        const { dir, dispose } = folder();
        const empty = newProject(path.join(dir, "empty"), EMPTY, bin);
        const job = newProject(path.join(dir, "job"), PROGRAM, bin);
        // Both with warm caches of the file system.
        await freshUp(empty, "warm");
        await freshUp(job, "warm");
        return {
            async round(number) {
                const taken = await alternating(number, {
                    empty: () => freshUp(empty, `s${number}`),
                    job: async () => {
                        const first = await freshUp(job, `s${number}`);
                        return { first, unchanged: await up(job, `s${number}`, /unchanged/) };
                    },
                });
                return {
                    figures: {
                        first: taken.job.first / taken.empty,
                        unchanged: taken.job.unchanged / taken.empty,
                    },
                    raw: {
                        empty: [taken.empty, "s"],
                        run: [taken.job.first, "s"],
                        unchanged: [taken.job.unchanged, "s"],
                    },
                };
            },
            dispose,
        };
    },
};

/** A project as a user has it: plain JavaScript, a backend in a folder, the plugin in a process of its own. */
function newProject(dir, program, bin) {
    const files = {
        "Pulumi.yaml": JSON.stringify({
            name: "bench",
            runtime: { name: "nodejs", options: { typescript: false } },
            main: "index.js",
            plugins: { providers: [{ name: "stackrun", path: path.join(ROOT, "bin") }] },
        }),
        "package.json": JSON.stringify({ name: "bench", private: true }),
        ".stackrunignore": ".home\n.state\nindex.js\npackage.json\n",
        "pipeline.yaml": PIPELINE,
        "index.js": program,
    };
    fs.mkdirSync(path.join(dir, ".state"), { recursive: true });
    for (const [name, content] of Object.entries(files)) {
        fs.writeFileSync(path.join(dir, name), content);
    }
    fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(dir, "node_modules"));
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith("PULUMI_"));
    const env = {
        ...Object.fromEntries(own),
        PATH: `${bin}${path.delimiter}${process.env.PATH}`,
        PULUMI_HOME: path.join(dir, ".home"),
        PULUMI_BACKEND_URL: pathToFileURL(path.join(dir, ".state")).href,
        PULUMI_CONFIG_PASSPHRASE: "bench",
        PULUMI_SKIP_UPDATE_CHECK: "true",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    };
    return { cwd: dir, env };
}

async function freshUp(project, stack) {
    await pulumi(project, ["stack", "init", stack]);
    return up(project, stack, /created/);
}

async function up(project, stack, said) {
    const { seconds, stdout } = await pulumi(project, ["up", "--yes", "--skip-preview", "--stack", stack]);
    if (!said.test(stdout)) {
        throw new Error(`pulumi up did not do what was expected:\n${stdout}`);
    }
    return seconds;
}

function pulumi(project, args) {
    return run("pulumi", [...args, "--non-interactive", "--color", "never"], project);
}
