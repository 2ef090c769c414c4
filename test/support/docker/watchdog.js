// Wipes a bed as soon as its owner has ended without having done so: Ctrl-C, or a killed test run.
"use strict";
require("../swcRegister.js");
const fs = require("node:fs");
const { identityIn, placesOf } = require("./daemon.ts");
const { isAlive } = require("../identity.ts");
const { wipeBed } = require("./wipe.ts");

const dir = process.argv[2];
const timer = setInterval(() => {
    const { owner } = placesOf(dir);
    if (!fs.existsSync(owner)) {
        process.exit(0);
    }
    if (!isAlive(identityIn(owner))) {
        clearInterval(timer);
        wipeBed(dir).then(
            () => process.exit(0),
            () => process.exit(1),
        );
    }
}, 500);
