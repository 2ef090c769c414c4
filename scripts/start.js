"use strict";
// `npm start`: the example pipeline, through the real engine. Further arguments go to `stackrun run`.
const { main } = require("../dist/src/cli/main.js");

// A first look at stackrun leaves no stack in the place that the user is logged in to, however that was chosen.
process.env.STACKRUN_BACKEND = "local";
main(["run", ...process.argv.slice(2)], "examples/weather/pipeline.yaml");
