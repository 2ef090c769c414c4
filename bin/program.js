"use strict";
// The program of this repository's stacks, compiled. It says what to do when it isn't there yet.
const { existsSync } = require("node:fs");
const { join } = require("node:path");

const program = join(__dirname, "..", "dist", "stacks", "index.js");
if (!existsSync(program)) {
    const { RunError } = require("@pulumi/pulumi");
    throw new RunError(
        "stackrun is not built yet: run `npm ci` in this folder once, or `npm run build` after a change",
    );
}
module.exports = require(program);
