// What of a checkout is out of date: the dependencies, or dist.

const { createHash } = require("crypto");
const fs = require("fs");
const path = require("path");

const root = path.resolve(__dirname, "..");
const stampFile = path.join(root, "dist", ".stamp");
const compiled = ["src", "components", "stacks"];
// The engine's Go modules are read where they lie.
const notInDist = path.join("src", "engine", "modules");

/** Why `npm ci` is needed, if it is: npm's own record of what it installed is compared with the lock file. */
function staleDependencies() {
    const wanted = readJson("package-lock.json").packages;
    const record = path.join("node_modules", ".package-lock.json");
    if (!fs.existsSync(path.join(root, record))) {
        return "the dependencies are not installed";
    }
    const installed = readJson(record).packages;
    const wrong = Object.keys(wanted).find(
        (name) => name !== "" && !isInstalled(name, wanted[name], installed[name]),
    );
    return wrong && `${wrong} is not as in package-lock.json`;
}

function isInstalled(name, wanted, installed) {
    if (wanted.optional || wanted.devOptional) {
        return true; // made for another platform, perhaps
    }
    const same =
        installed && installed.version === wanted.version && installed.integrity === wanted.integrity;
    return same && fs.existsSync(path.join(root, name));
}

/** Why `npm run build` is needed, if it is: dist carries the hash of what it was made from. */
function staleBuild(hash) {
    if (!fs.existsSync(stampFile)) {
        return "there is no complete build";
    }
    return fs.readFileSync(stampFile, "utf8") === hash ? undefined : "the sources have changed";
}

/** The hash of all that dist is made from. */
function sourceHash() {
    const hash = createHash("sha256");
    for (const file of [...sources(), "tsconfig.json", path.join("scripts", "copy-assets.js")]) {
        const content = fs.readFileSync(path.join(root, file));
        hash.update(`${file}\n${content.length}\n`).update(content);
    }
    return hash.digest("hex");
}

/** The files that are compiled, or copied, into dist: sorted, relative to the root. */
function sources() {
    return compiled.flatMap(filesBelow).filter((file) => !file.startsWith(notInDist + path.sep));
}

function filesBelow(folder) {
    const full = path.join(root, folder);
    if (!fs.existsSync(full)) {
        return [];
    }
    const entries = fs.readdirSync(full, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
    return entries.flatMap((entry) => {
        const name = path.join(folder, entry.name);
        return entry.isDirectory() ? filesBelow(name) : [name];
    });
}

/** Where the compiler notes what it has emitted. It must go when dist does: else the compiler thinks that all is there. */
function buildInfoFile() {
    return path.join(root, readJson("tsconfig.json").compilerOptions.tsBuildInfoFile);
}

function readJson(file) {
    return JSON.parse(fs.readFileSync(path.join(root, file), "utf8"));
}

module.exports = {
    root,
    stampFile,
    staleDependencies,
    staleBuild,
    sourceHash,
    sources,
    filesBelow,
    buildInfoFile,
};
