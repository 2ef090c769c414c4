// The second half of `npm run build`: brings into dist what the compiler does not, and marks dist as complete.

const { spawnSync } = require("child_process");
const fs = require("fs");
const path = require("path");
const { root, stampFile, sourceHash, sources, filesBelow, buildInfoFile } = require("./freshness.js");

const inDist = (file) => path.join(root, "dist", file);
const isCode = (file) => /\.ts$/.test(file);
const output = (file) => inDist(file.replace(/(\.d)?\.ts$/, (end) => (end === ".d.ts" ? end : ".js")));

fs.rmSync(stampFile, { force: true });
const all = sources();
emitMissing(all.filter((file) => isCode(file) && !file.endsWith(".d.ts")));
all.filter((file) => !isCode(file)).forEach(copy);
compileSchema(path.join("src", "pipeline", "compileSchema.ts"), path.join("src", "pipeline", "validator.ts"));
removeOrphans();
stamp();

/** An incremental compiler does not write again what it once wrote, though dist may have been removed since. */
function emitMissing(code) {
    if (code.every((file) => fs.existsSync(output(file)))) {
        return;
    }
    fs.rmSync(buildInfoFile(), { force: true });
    const compiler = require.resolve("typescript/bin/tsc");
    const result = spawnSync(process.execPath, [compiler, "-p", "tsconfig.json"], {
        cwd: root,
        stdio: "inherit",
    });
    if (result.status !== 0) {
        process.exit(1);
    }
}

/** Keeps the mode: the runner is a program. */
function copy(file) {
    fs.mkdirSync(path.dirname(inDist(file)), { recursive: true });
    fs.copyFileSync(path.join(root, file), inDist(file));
    fs.chmodSync(inDist(file), fs.statSync(path.join(root, file)).mode & 0o777);
}

/** The pipeline's schema becomes a function here, instead of at each start of a program. */
function compileSchema(compiler, validator) {
    if (all.includes(compiler)) {
        fs.writeFileSync(output(validator), require(output(compiler)).validatorCode());
    }
}

/** What was made of a source that is gone would still be found by `require`. */
function removeOrphans() {
    const kept = new Set(all.flatMap((file) => (isCode(file) ? outputs(file) : [inDist(file)])));
    for (const file of ["src", "components", "stacks"].flatMap((folder) =>
        filesBelow(path.join("dist", folder)),
    )) {
        if (!kept.has(path.join(root, file))) {
            fs.rmSync(path.join(root, file));
        }
    }
}

function outputs(file) {
    const js = output(file);
    return [js, js.replace(/\.js$/, ".d.ts")];
}

/**
 * The hash is taken by the bootstrap before the compiler ran. Without one (`npm run build` by hand), a source that has
 * just changed may have done so after the compiler read it: then no stamp is written, and the next bootstrap builds.
 */
function stamp() {
    const given = process.env.STACKRUN_SOURCE_HASH;
    const recent = Date.now() - 30_000;
    if (given || all.every((file) => fs.statSync(path.join(root, file)).mtimeMs < recent)) {
        fs.writeFileSync(stampFile, given || sourceHash());
    }
}
