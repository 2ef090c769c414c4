"use strict";
const path = require("node:path");
const { ROOT } = require("../lib/exec.js");
const { Unable } = require("../lib/measure.js");

const pipeline = (gate) => `name: bench
steps:
  - name: load
    run: |
      mkdir "$STACKRUN_OUTPUTS/data"; head -c 1000000 /dev/zero > "$STACKRUN_OUTPUTS/data/zeros"
    outputs: [data]
  - name: train
    inputs: {data: load/data}
    run: |
${gate.functions.replaceAll(/^/gm, "      ")}
      echo "train $(report train)"; pass train
`;

exports.measure = {
    name: "gcp",
    title: "a machine of Google Cloud (a container of the test bed): our part of a boot, the log's delay, a preemption; needs root",
    rounds: 3,
    figures: [
        {
            name: "overhead",
            title: "machine, from the startup script to the step that goes on, images there",
            unit: "s",
            max: 2,
            of: ["overhead"],
        },
        {
            name: "delay",
            title: "machine, from a step's line to the screen",
            unit: "s",
            max: 5,
            of: ["delay"],
        },
        {
            name: "lost",
            title: "machine, preempted: from its end to the step that goes on, less the boot",
            unit: "s",
            max: 10,
            of: ["off", "boot", "lost"],
        },
        {
            name: "uploads",
            title: "code uploaded for a run of unchanged code",
            unit: "bytes",
            max: 0,
            of: ["first", "uploads"],
        },
    ],
    async prepare() {
        require(path.join(ROOT, "test/support/swcRegister.js"));
        const world = new World();
        try {
            await world.start();
            await world.round("warm");
        } catch (error) {
            await world.dispose();
            throw error;
        }
        return { round: (number) => world.round(number), dispose: () => world.dispose() };
    },
};

const support = (name) => require(path.join(ROOT, "test/support", name));

class World {
    async start() {
        const { MissingPackages } = support("aptPackages.ts");
        try {
            this.bed = await support("gcp/bed.ts").startGcp({ backend: "container" });
        } catch (error) {
            throw error instanceof MissingPackages ? new Unable(error.message) : error;
        }
        this.gate = await support("gcp/gate.ts").Gate.start(this.bed);
        this.runs = await support("gcp/runs.ts").GcpRuns.create(this.bed, {
            "pipeline.yaml": pipeline(this.gate),
        });
    }

    /** A run whose machine is preempted once, in its second step. */
    async round(number) {
        const { bed, gate, runs } = this;
        gate.clear();
        runs.program(`trigger: "${number}",`);
        const before = await this.codeBytes();
        const up = runs.project.startUp();
        await gate.reported("train", 1, 240_000, () => up.output());
        const reported = Date.now();
        await up.seen(/train \| train 1/, 60_000);
        const delay = Date.now() - reported;
        const first = await this.codeBytes();

        const { instance } = runs;
        const seen = instance.serial.text.length;
        const told = Date.now();
        await bed.preempt(instance.name);
        const off = Date.now();
        await support("project.ts").until(
            () => instance.serial.text.slice(seen).includes("stackrun: "),
            240_000,
            () => `the startup script:\n${instance.serial.text}`,
        );
        const begun = Date.now();
        await gate.reported("train", 2, 240_000, () => instance.serial.text);
        const again = Date.now();
        gate.pass("train");
        const { code, stdout, stderr } = await up.ended;
        if (code !== 0) {
            throw new Error(`pulumi up ended with ${code}:\n${stdout}${stderr}`);
        }
        return figuresOf({
            overhead: (again - begun) / 1000,
            delay: delay / 1000,
            off: (off - told) / 1000,
            boot: (begun - off) / 1000,
            lost: (again - told - (begun - off)) / 1000,
            first: before,
            uploads: first - before,
        });
    }

    async codeBytes() {
        let bytes = 0;
        for (const bucket of this.bed.buckets.names) {
            const answer = await fetch(`${this.bed.storage.url}/storage/v1/b/${bucket}/o?prefix=bundles/`);
            const { items = [] } = await answer.json();
            bytes += items.reduce((sum, { size }) => sum + Number(size), 0);
        }
        return bytes;
    }

    async dispose() {
        await this.runs?.dispose();
        await this.gate?.stop();
        await this.bed?.stop();
    }
}

function figuresOf(values) {
    const { overhead, delay, lost, uploads } = values;
    const unit = (name) => (["first", "uploads"].includes(name) ? "bytes" : "s");
    return {
        figures: { overhead, delay, lost, uploads },
        raw: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, [value, unit(name)]])),
    };
}
