"use strict";
const path = require("node:path");
const { DIST, ROOT, alternating, folder, run } = require("../lib/exec.js");
const { Unable } = require("../lib/measure.js");
const { EMPTY, destroy, engineFolder, freshUp, newProject } = require("../lib/project.js");

const WORD = "the-first-line";
const PIPELINE = `name: bench\nsteps: [{name: one, run: echo ${WORD}}]\n`;

exports.measure = {
    name: "docker",
    title: "pulumi up to the first line of step 1 in a container, beside docker run; needs root",
    rounds: 7,
    figures: [
        {
            name: "firstLine",
            title: "Docker, first line, less an empty pulumi up",
            unit: "x",
            max: 1.5,
            of: ["empty", "docker", "container", "up"],
        },
    ],
    async prepare() {
        require(path.join(ROOT, "test/support/swcRegister.js"));
        const bed = await startBed();
        const { dir, dispose } = folder();
        const stop = async () => {
            dispose();
            await bed.stop();
        };
        try {
            const world = new World(bed, await bed.image("busybox"), dir, await engineFolder());
            await world.round("warm");
            return { round: async (number) => figuresOf(await world.round(number)), dispose: stop };
        } catch (error) {
            await stop();
            throw error;
        }
    },
};

function figuresOf({ empty, docker, container, up }) {
    return {
        figures: { firstLine: (up - empty) / docker },
        // `container` is no part of the figure: what of `up` is the engine's and the provider's.
        raw: { empty: [empty, "s"], docker: [docker, "s"], container: [container, "s"], up: [up, "s"] },
    };
}

async function startBed() {
    const { ensurePackages, MissingPackages } = require(path.join(ROOT, "test/support/aptPackages.ts"));
    const { startDockerBed } = require(path.join(ROOT, "test/support/docker/bed.ts"));
    try {
        ensurePackages({ docker: "docker.io" });
        return await startDockerBed();
    } catch (error) {
        throw error instanceof MissingPackages ? new Unable(error.message) : error;
    }
}

/** The two ways, the engine alone, and the engine with nothing but a container; each leaves the daemon as it was. */
class World {
    constructor(bed, image, dir, bin) {
        const variables = { DOCKER_HOST: bed.host };
        const plugins = { docker: path.join(ROOT, "test/support/standIns/docker/bin") };
        const project = (name, program) =>
            newProject(path.join(dir, name), { program, pipeline: PIPELINE, bin, plugins, variables });
        this.image = image;
        this.env = { ...process.env, ...variables };
        this.empty = project("empty", EMPTY);
        this.plain = project("plain", plainProgram(image));
        this.job = project("job", jobProgram(image));
    }

    round(number) {
        return alternating(Number(number) || 0, {
            empty: () => freshUp(this.empty, `s${number}`),
            docker: () => this.byDocker(),
            container: () => this.byPulumi(this.plain, `s${number}`, /Container plain created/),
            up: () => this.byPulumi(this.job, `s${number}`, new RegExp(`one \\| ${WORD}`)),
        });
    }

    async byPulumi(project, stack, seen) {
        try {
            return await freshUp(project, stack, seen);
        } finally {
            await destroy(project, stack);
        }
    }

    async byDocker() {
        const args = ["run", "--rm", this.image, "sh", "-c", `echo ${WORD}`];
        const { seenAfter } = await run("docker", args, {
            env: this.env,
            seen: new RegExp(`^${WORD}$`, "m"),
        });
        return seenAfter;
    }
}

function jobProgram(image) {
    return `"use strict";
const { DockerOrchestrator } = require(${JSON.stringify(path.join(DIST, "../components/docker"))});
const { status } = new DockerOrchestrator("job", { pipeline: "pipeline.yaml", image: "${image}" });
exports.status = status;
`;
}

function plainProgram(image) {
    return `"use strict";
const { Container } = require("@pulumi/docker/container");
const { RemoteImage } = require("@pulumi/docker/remoteImage");
const { imageId } = new RemoteImage("image", { name: "${image}", keepLocally: true });
new Container("plain", { image: imageId, command: ["echo", "${WORD}"], mustRun: false });
`;
}
