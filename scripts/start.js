"use strict";
// `npm start`: the example pipeline, through the real engine. Further arguments go to `stackrun run`.
const { main } = require("../dist/src/cli/main.js");

const given = process.argv.slice(2);
const pipeline = given.length > 0 && !given[0].startsWith("-") ? [] : ["examples/weather/pipeline.yaml"];
main(["run", ...pipeline, ...given]);
