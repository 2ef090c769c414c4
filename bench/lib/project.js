"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { pathToFileURL } = require("node:url");
const { DIST, ROOT, run } = require("./exec.js");

const EMPTY = '"use strict";\n';

/** The folder of the engine's binaries, for PATH; the engine is found or made as for `npm start`. */
async function engineFolder() {
    const { ensureEngine } = require(path.join(DIST, "engine/index.js"));
    return path.dirname((await ensureEngine()).pulumi);
}

/**
 * A project as a user has it: plain JavaScript, a backend in a folder, plugins in processes of their own. `plugins`: folders
 * by the provider's name, beside stackrun's.
 */
function newProject(dir, { program, pipeline = "", bin, plugins = {}, variables = {} }) {
    const folders = { stackrun: path.join(ROOT, "bin"), ...plugins };
    const files = {
        "Pulumi.yaml": JSON.stringify({
            name: "bench",
            runtime: { name: "nodejs", options: { typescript: false } },
            main: "index.js",
            plugins: { providers: Object.entries(folders).map(([name, folder]) => ({ name, path: folder })) },
        }),
        "package.json": JSON.stringify({ name: "bench", private: true }),
        ".stackrunignore": ".home\n.state\nindex.js\npackage.json\n",
        "pipeline.yaml": pipeline,
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
        ...variables,
    };
    return { cwd: dir, env };
}

/** `pulumi up` in a new stack: the seconds it takes, or those until it prints what `seen` matches. */
async function freshUp(project, stack, seen) {
    await pulumi(project, ["stack", "init", stack]);
    return up(project, stack, /created/, seen);
}

async function up(project, stack, said, seen) {
    const args = ["up", "--yes", "--skip-preview", "--stack", stack];
    const { seconds, stdout, seenAfter } = await pulumi(project, args, seen);
    if (!said.test(stdout)) {
        throw new Error(`pulumi up did not do what was expected:\n${stdout}`);
    }
    return seen ? seenAfter : seconds;
}

async function destroy(project, stack) {
    await pulumi(project, ["destroy", "--yes", "--skip-preview", "--stack", stack]);
}

function pulumi(project, args, seen) {
    return run("pulumi", [...args, "--non-interactive", "--color", "never"], { ...project, seen });
}

module.exports = { EMPTY, destroy, engineFolder, freshUp, newProject, up };
