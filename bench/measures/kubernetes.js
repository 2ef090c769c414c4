"use strict";
const path = require("node:path");
const { DIST, ROOT, alternating, folder, run } = require("../lib/exec.js");
const { Unable } = require("../lib/measure.js");
const { EMPTY, destroy, engineFolder, freshUp, newProject } = require("../lib/project.js");

const NAMESPACE = "bench";
const WORD = "the-first-line";
const PIPELINE = `name: bench\nsteps: [{name: one, run: echo ${WORD}}]\n`;

exports.measure = {
    name: "kubernetes",
    title: "pulumi up to the first line of step 1, beside kubectl create job + logs -f; needs root",
    rounds: 7,
    figures: [
        {
            name: "firstLine",
            title: "Kubernetes, first line, less an empty pulumi up",
            unit: "x",
            max: 1.5,
            of: ["empty", "kubectl", "job", "up"],
        },
    ],
    async prepare() {
        require(path.join(ROOT, "test/support/swcRegister.js"));
        const { bed, stop } = await startBed();
        const { IMAGES } = require(path.join(ROOT, "test/support/images/ensureImages.ts"));
        const { dir, dispose } = folder();
        const world = new World(bed, IMAGES.busybox, dir, await engineFolder());
        try {
            await bed.deleteNamespace(NAMESPACE);
            await bed.createNamespace(NAMESPACE);
            await world.round("warm");
        } catch (error) {
            await world.dispose();
            dispose();
            await stop();
            throw error;
        }
        return {
            round: async (number) => figuresOf(await world.round(number)),
            dispose: async () => {
                await world.dispose();
                dispose();
                await stop();
            },
        };
    },
};

function figuresOf({ empty, kubectl, job, up }) {
    return {
        figures: { firstLine: (up - empty) / kubectl },
        // `job` is no part of the figure: what of `up` is the engine's and the provider's.
        raw: { empty: [empty, "s"], kubectl: [kubectl, "s"], job: [job, "s"], up: [up, "s"] },
    };
}

async function startBed() {
    const { startWithImages, UnableError } = require(path.join(ROOT, "test/support/kubernetes/start.ts"));
    try {
        return await startWithImages(["busybox"]);
    } catch (error) {
        throw error instanceof UnableError ? new Unable(error.message) : error;
    }
}

/** The two ways, the engine alone, and the engine with nothing but a Job; each leaves the cluster as it was. */
class World {
    constructor(bed, image, dir, bin) {
        const plugins = { kubernetes: path.join(ROOT, "test/support/standIns/kubernetes") };
        const variables = { KUBECONFIG: bed.kubeconfig };
        const project = (name, program) =>
            newProject(path.join(dir, name), { program, pipeline: PIPELINE, bin, plugins, variables });
        this.bed = bed;
        this.image = image;
        this.empty = project("empty", EMPTY);
        this.plain = project("plain", plainProgram(image));
        this.job = project("job", jobProgram(image));
    }

    round(number) {
        return alternating(Number(number) || 0, {
            empty: () => freshUp(this.empty, `s${number}`),
            kubectl: () => this.byKubectl(`plain-${number}`),
            job: () => this.byPulumi(this.plain, `s${number}`, /Job plain created/),
            up: () => this.byPulumi(this.job, `s${number}`, new RegExp(`one \\| ${WORD}`)),
        });
    }

    async byPulumi(project, stack, seen) {
        try {
            return await freshUp(project, stack, seen);
        } finally {
            await destroy(project, stack);
            await this.settle();
        }
    }

    // A pod that does not run yet has no log: it is asked for again at once.
    async byKubectl(name) {
        const line = [
            `"$0" "$@" create job ${name} --image=${this.image} -- sh -c 'echo ${WORD}'`,
            `until "$0" "$@" logs -f job/${name} --pod-running-timeout=60s 2>/dev/null; do sleep 0.05; done`,
        ].join(" && ");
        const kubectl = [this.bed.kubectlFile, "--kubeconfig", this.bed.kubeconfig, "-n", NAMESPACE];
        try {
            const { seenAfter } = await run("sh", ["-c", line, ...kubectl], {
                seen: new RegExp(`^${WORD}$`, "m"),
                timeout: 120_000,
            });
            return seenAfter;
        } finally {
            await this.bed.kubectl("delete", "job", name, "-n", NAMESPACE, "--ignore-not-found");
            await this.settle();
        }
    }

    /** The next one has the machine for itself. */
    async settle() {
        await this.bed.kubectl("wait", "--for=delete", "pods", "--all", "-n", NAMESPACE, "--timeout=60s");
    }

    async dispose() {
        await this.bed.deleteNamespace(NAMESPACE);
    }
}

function jobProgram(image) {
    return `"use strict";
const { KubernetesOrchestrator } = require(${JSON.stringify(path.join(DIST, "../components/kubernetes"))});
const { status } = new KubernetesOrchestrator("job", {
    pipeline: "pipeline.yaml",
    namespace: "${NAMESPACE}",
    image: "${image}",
});
exports.status = status;
`;
}

function plainProgram(image) {
    return `"use strict";
const { Job } = require("@pulumi/kubernetes/batch/v1");
const containers = [{ name: "main", image: "${image}", command: ["echo", "${WORD}"] }];
new Job("plain", {
    metadata: { namespace: "${NAMESPACE}", annotations: { "pulumi.com/skipAwait": "true" } },
    spec: { template: { spec: { restartPolicy: "Never", containers } } },
});
`;
}
