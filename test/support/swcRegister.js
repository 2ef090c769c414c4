// Lets a plain Node.js process `require` the TypeScript of the tests and of src/, as Jest does: for stand-ins of plugins
// and watchdogs, which are processes of their own.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { transformSync } = require("@swc/core");

const repo = path.resolve(__dirname, "../..");

require.extensions[".ts"] = (module, filename) => {
    const source = fs.readFileSync(filename, "utf8");
    module._compile(transformSync(source, { filename, cwd: repo, root: repo }).code, filename);
};
