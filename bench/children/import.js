"use strict";
// How long it takes to load a package, in a process that has loaded nothing yet.
const { DIST } = require("../lib/exec.js");

const [name] = process.argv.slice(2);
const begun = process.hrtime.bigint();
const loaded = require(name === "stackrun" ? DIST : name);
const ms = Number(process.hrtime.bigint() - begun) / 1e6;
if (name === "stackrun" && typeof loaded.LocalOrchestrator !== "function") {
    throw new Error("the package has no LocalOrchestrator");
}
console.log(JSON.stringify({ ms }));
