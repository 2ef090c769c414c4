"use strict";
// `write FOLDER TARGET`: scans and archives.  `scan FOLDER CACHE`: scans with a cache.
const path = require("node:path");
const { DIST } = require("../lib/exec.js");
const { scanCode, writeBundle } = require(path.join(DIST, "bundle/index.js"));

async function main([what, dir, file]) {
    const begun = process.hrtime.bigint();
    if (what === "scan") {
        await scanCode(dir, { cacheFile: file });
    } else {
        await writeBundle(await scanCode(dir), file);
    }
    const seconds = Number(process.hrtime.bigint() - begun) / 1e9;
    return { seconds, peak: process.resourceUsage().maxRSS / 1024 };
}

main(process.argv.slice(2)).then((result) => console.log(JSON.stringify(result)));
