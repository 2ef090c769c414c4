// Wipes a bed as soon as its owner has ended without having done so: Ctrl-C, or a killed test run.
"use strict";
require("../../swcRegister.js");
const fs = require("node:fs");
const { isAlive } = require("../../identity.ts");
const { ownerFile, wipeBed } = require("./wipe.ts");

const dir = process.argv[2];
const owner = ownerFile(dir);
const timer = setInterval(() => {
    if (!fs.existsSync(owner)) {
        process.exit(0);
    }
    if (!isAlive(fs.readFileSync(owner, "utf8"))) {
        clearInterval(timer);
        wipeBed(dir).then(
            () => process.exit(0),
            () => process.exit(1),
        );
    }
}, 500);
