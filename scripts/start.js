"use strict";
// `npm start`: the example pipeline, through the real engine. Further arguments go to `stackrun run`.
const { main } = require("../dist/src/cli/main.js");

main(["run", ...process.argv.slice(2)], "examples/weather/pipeline.yaml");
