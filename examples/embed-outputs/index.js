"use strict";
// A pipeline between other resources: what they are called is its input, and what it measured is theirs.

const { LocalOrchestrator } = require("stackrun");
const { Bucket, Database, Notice } = require("./resources");

const bucket = new Bucket("sales");
const database = new Database("warehouse");

// Its parameter and its secret are outputs of other resources: not known before these exist.
const load = new LocalOrchestrator("load", {
    pipeline: "load/pipeline.yaml",
    params: { bucket: bucket.path },
    secrets: { DATABASE_URL: database.url },
});

// A second pipeline goes on from what the first one found out, and so waits for it. `trigger`: what it reads was made by
// that run, so a new run there is a new one here.
const rows = load.metrics.apply((metrics) => metrics.load.rows);
const report = new LocalOrchestrator("report", {
    pipeline: "report/pipeline.yaml",
    params: { bucket: bucket.path, rows },
    trigger: load.runId,
});

const notice = new Notice("mean", { bucket: bucket.path, text: report.metrics.apply(sentence) });

function sentence(metrics) {
    return `the mean sale is ${metrics.mean.mean}`;
}

exports.bucket = bucket.path;
exports.status = load.status;
exports.rows = rows;
exports.metrics = report.metrics;
exports.notice = notice.file;
