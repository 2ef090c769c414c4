"use strict";
// One orchestrator for each set of parameters. A set that is added later is the only one that runs then.

const pulumi = require("@pulumi/pulumi");
const { LocalOrchestrator } = require("stackrun");

const rates = new pulumi.Config().getObject("rates") ?? [0.02, 0.1, 1.1];

class Sweep extends pulumi.ComponentResource {
    constructor(name, { rates }, opts) {
        super("example:index:Sweep", name, {}, opts);
        const tried = rates.map((rate) => {
            const run = new LocalOrchestrator(
                `${name}-${rate}`,
                // A set that does not work out is a result too: it fails neither the update nor the others.
                { pipeline: "pipeline.yaml", params: { rate }, onFailure: "record" },
                { parent: this },
            );
            return pulumi
                .all([run.status, run.metrics, run.runId])
                .apply(([status, metrics, runId]) => ({ rate, status, runId, loss: metrics.train?.loss }));
        });
        this.tried = pulumi.all(tried);
        this.best = this.tried.apply(lowestLoss);
        this.registerOutputs({ tried: this.tried, best: this.best });
    }
}

function lowestLoss(tried) {
    const succeeded = tried.filter(({ status }) => status === "Succeeded");
    return succeeded.reduce((best, one) => (best && best.loss <= one.loss ? best : one), null);
}

const sweep = new Sweep("sweep", { rates });
exports.tried = sweep.tried;
exports.best = sweep.best;
