"use strict";
// Writes the pages of docs/ that are made of the sources: after `npm run build`.
const fs = require("node:fs");
const path = require("node:path");
const { apiReference, readApi } = require("./apiReference.js");
const { pipelineReference } = require("./pipelineReference.js");

const root = path.join(__dirname, "../..");
const { pipelineSchema } = require(path.join(root, "dist/src/pipeline/schema.js"));

fs.writeFileSync(path.join(root, "docs/pipeline.md"), pipelineReference(pipelineSchema));
fs.writeFileSync(path.join(root, "docs/api.md"), apiReference(readApi(root)));
