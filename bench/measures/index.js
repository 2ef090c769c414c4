"use strict";

exports.measures = [
    require("./update.js").measure,
    require("./runner.js").measure,
    require("./bundle.js").measure,
    require("./log.js").measure,
    require("./import.js").measure,
    require("./docker.js").measure,
    require("./kubernetes.js").measure,
    require("./gcp.js").measure,
];
