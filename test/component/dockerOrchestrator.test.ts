import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { BadInputError } from "../../src/index";
import { DockerOrchestrator, PipelineImage, type DockerOrchestratorArgs } from "../../components/docker";
import { Recorder } from "../../src/testing";
import { valueOf } from "../support/mocks";
import { secretOf } from "../support/wire";

const CONTAINER = "docker:index/container:Container";
const VOLUME = "docker:index/volume:Volume";
const PULL = "docker:index/remoteImage:RemoteImage";
const IMAGE = "docker:index/image:Image";
const RUN_ID = "stackrun:index:RunId";
const RUN = "stackrun:index:Run";

describe("DockerOrchestrator", () => {
    let recorder: Recorder;
    let dir: string;
    let pipeline: string;
    beforeEach(async () => {
        jest.spyOn(console, "log").mockImplementation(() => undefined);
        recorder = await installWithLookups();
        dir = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-component-"));
        pipeline = path.join(dir, "pipeline.yaml");
        fs.writeFileSync(pipeline, "name: p\nsecrets: [TOKEN]\nsteps: [{name: load, run: ls}]\n");
    });
    afterEach(async () => {
        await recorder.settled();
        fs.rmSync(dir, { recursive: true });
        jest.restoreAllMocks();
    });

    const args = (more: Partial<DockerOrchestratorArgs> = {}): DockerOrchestratorArgs => ({
        pipeline,
        image: "python:3.12-slim",
        secrets: { TOKEN: "hunter2-hunter2" },
        stateDir: path.join(dir, ".stackrun"),
        ...more,
    });
    const declare = async (
        more: Partial<DockerOrchestratorArgs> = {},
        opts?: pulumi.ComponentResourceOptions,
    ) => {
        const one = new DockerOrchestrator("job", args(more), opts);
        await recorder.settled();
        return one;
    };

    it("declares the image, the volume, the container and the run, named by the run", async () => {
        const one = await declare();
        expect(await valueOf(one.status)).toBe("Succeeded");
        expect(recorder.declared.map(({ type, name }) => [type, name])).toEqual([
            ["stackrun:index:DockerOrchestrator", "job"],
            [PULL, "job-pull"],
            [RUN_ID, "job-id"],
            [VOLUME, "job-volume"],
            [CONTAINER, "job-container"],
            [RUN, "job"],
        ]);
        expect(recorder.one(PULL).inputs).toEqual({ name: "python:3.12-slim", keepLocally: true });
        expect(recorder.one(VOLUME).inputs).toEqual({
            name: "stackrun-p-run",
            labels: [
                { label: "stackrun.run-id", value: "p-run" },
                { label: "stackrun.stack", value: "project/stack" },
            ],
        });
        expect(recorder.one(RUN_ID).inputs).toMatchObject({
            image: "python:3.12-slim",
            follower: { module: "docker", options: { code: "copy" } },
        });
    });

    it("declares a container that nobody starts, whose log is kept whole, with nothing secret in it", async () => {
        await declare();
        const { inputs } = recorder.one(CONTAINER);
        const { codeHash } = recorder.one(RUN).inputs;
        expect(inputs).toEqual({
            name: "stackrun-p-run-1",
            image: "sha256:of python:3.12-slim",
            start: false,
            mustRun: false,
            restart: "no",
            entrypoints: ["/bin/sh"],
            command: ["/stackrun/boot/launch.sh", "/stackrun/run"],
            envs: [
                "STACKRUN_BOOT=/stackrun/boot",
                "STACKRUN_CODE=/stackrun/boot/code",
                "STACKRUN_SECRETS=/stackrun/boot/secrets",
                "HOME=/stackrun/home",
                `STACKRUN_CODE_HASH=${codeHash}`,
            ],
            user: "65532:65532",
            labels: [
                { label: "stackrun.image", value: "python:3.12-slim" },
                { label: "stackrun.run-id", value: "p-run" },
                { label: "stackrun.stack", value: "project/stack" },
                { label: "stackrun.attempt", value: "1" },
                { label: "stackrun.nonce", value: "n0" },
            ],
            logDriver: "json-file",
            logOpts: { "max-size": "1000p", "max-file": "1", compress: "false", mode: "blocking" },
            stopSignal: "SIGTERM",
            stopTimeout: 20,
            hosts: [],
            volumes: [{ volumeName: "stackrun-p-run", containerPath: "/stackrun" }],
        });
        const visible = recorder.declared.filter(({ type }) => type !== RUN);
        expect(JSON.stringify(visible)).not.toContain("hunter2");
        expect(recorder.one(RUN).inputs.secrets).toEqual(secretOf({ TOKEN: "hunter2-hunter2" }));
    });

    it("passes on what is asked of the container", async () => {
        await declare({
            user: "image",
            cpus: 1.5,
            memory: "4Gi",
            gpus: "all",
            shmSize: "512m",
            network: pulumi.output("backend"),
            extraHosts: { db: "10.0.0.7" },
            labels: { team: "data" },
            grace: "30s",
            mountCode: true,
            volumes: [
                { hostPath: "/srv/data", containerPath: "/data", readOnly: true },
                { volume: "cache", containerPath: "/cache" },
            ],
            transform: (container) => ({ ...container, workingDir: "/data" }),
        });
        const { inputs } = recorder.one(CONTAINER);
        expect(inputs).toMatchObject({
            cpus: "1.5",
            memory: 4096,
            memorySwap: 4096,
            gpus: "all",
            shmSize: 512,
            networkMode: "backend",
            hosts: [{ host: "db", ip: "10.0.0.7" }],
            stopTimeout: 40,
            workingDir: "/data",
            envs: ["STACKRUN_BOOT=/stackrun/boot", "STACKRUN_SECRETS=/stackrun/boot/secrets"],
            volumes: expect.arrayContaining([
                { hostPath: dir, containerPath: "/stackrun-code", readOnly: true },
                { hostPath: "/srv/data", containerPath: "/data", readOnly: true },
                { volumeName: "cache", containerPath: "/cache", readOnly: false },
            ]),
        });
        expect(inputs.labels).toContainEqual({ label: "team", value: "data" });
        expect("user" in inputs).toBe(false);
        expect(recorder.one(RUN_ID).inputs.follower).toEqual({
            module: "docker",
            options: { code: "mount" },
        });
    });

    it("declares the container of a run as it was when its attempt began", async () => {
        recorder.outputsOf = (resource) =>
            resource.type === RUN_ID
                ? { ...answers(resource), config: { ...resource.inputs.config, memory: 1024, gpus: "all" } }
                : answers(resource);
        await declare({ memory: "2Gi" });
        expect(recorder.one(RUN_ID).inputs.config).toMatchObject({ memory: 2048 });
        expect(recorder.one(CONTAINER).inputs).toMatchObject({ memory: 1024, gpus: "all" });
    });

    it("shows in a preview what is known of the container", async () => {
        recorder = await Recorder.install({
            preview: true,
            outputsOf: ({ type }) => (type === PULL ? { imageId: undefined } : { runId: undefined }),
        });
        await declare({ memory: "2Gi", image: pulumi.output("a:1") });
        expect(recorder.one(CONTAINER).inputs).toMatchObject({ memory: 2048, start: false });
    });

    it("asks the daemon that it is told: by an argument, by a provider, with registries", async () => {
        await declare({
            dockerHost: "tcp://10.0.0.7:2375",
            registries: [{ address: "ghcr.io", username: "u", password: "pull-password" }],
        });
        const provider = recorder.one("pulumi:providers:docker", "job-docker");
        expect(provider.inputs.host).toBe("tcp://10.0.0.7:2375");
        expect(JSON.stringify(provider.inputs)).toContain("pull-password");
        expect(JSON.stringify(recorder.declared.filter((one) => one !== provider))).not.toContain(
            "pull-password",
        );
        expect(recorder.one(RUN_ID).inputs.follower.options).toEqual({
            host: "tcp://10.0.0.7:2375",
            code: "copy",
        });
        recorder.clear();
        const own = new docker.Provider("own", { host: "unix:///own.sock" });
        await declare({}, { provider: own });
        expect(recorder.one(RUN_ID).inputs.follower.options).toEqual({
            host: "unix:///own.sock",
            code: "copy",
        });
    });

    it("pins the image that a registry names, if it is to ask at every update", async () => {
        await declare({ pullPolicy: "Always" });
        expect(recorder.one(RUN_ID).inputs.image).toBe("python@sha256:asked");
        expect(recorder.one(PULL).inputs.name).toBe("python@sha256:asked");
    });

    it("pulls nothing, if it must not", async () => {
        await declare({ pullPolicy: "Never" });
        expect(recorder.all(PULL)).toEqual([]);
        expect(recorder.one(CONTAINER).inputs.image).toBe("sha256:here");
    });

    it("builds the image that the pipeline says how to build, from the folder of its file", async () => {
        fs.writeFileSync(path.join(dir, "Dockerfile"), "FROM scratch\n");
        fs.writeFileSync(pipeline, "name: p\nimage: {build: {context: .}}\nsteps: [{name: load, run: ls}]\n");
        await declare({ image: undefined, secrets: {} });
        expect(recorder.one(IMAGE, "job-image").inputs.build.context).toBe(path.relative(process.cwd(), dir));
        expect(recorder.one(RUN_ID).inputs.image).toMatch(/^stackrun\/job-image:[0-9a-f]{16}$/);
    });

    it("takes a PipelineImage", async () => {
        fs.writeFileSync(path.join(dir, "Dockerfile"), "FROM scratch\n");
        const image = new PipelineImage("steps", {
            build: { context: dir },
            registry: { repository: "localhost:5000/steps", username: "u", password: "push-password" },
        });
        await declare({ image });
        const tag = await valueOf(image.contentTag);
        expect(tag).toMatch(/^localhost:5000\/steps:[0-9a-f]{16}$/);
        expect(recorder.one(RUN_ID).inputs.image).toBe(tag);
        expect(recorder.one(PULL).inputs.name).toBe("localhost:5000/steps@sha256:pushed");
        const { inputs } = recorder.one(IMAGE);
        expect(inputs).toMatchObject({ imageName: tag, skipPush: false, buildOnPreview: false });
        const registry = { server: "localhost:5000", username: "u", password: "push-password" };
        expect(inputs.registry).toEqual(secretOf(registry));
    });

    it("refuses all mistakes at once, before anything is declared", async () => {
        const wrong = {
            image: undefined,
            onFailure: "ignore",
            dockerHost: "localhost",
            user: "a b",
            cpus: 0,
            memory: "lots",
            shmSize: "-1m",
            gpus: "two",
            pullPolicy: "Sometimes",
            mountCode: "yes",
            labels: { "stackrun.run-id": "x" },
            volumes: [
                { containerPath: "/stackrun/x" },
                { hostPath: "data", volume: "v", containerPath: "x" },
            ],
        };
        const { mistakes } = refusal(
            () => new DockerOrchestrator("job", args(wrong as unknown as DockerOrchestratorArgs)),
        );
        const where = 'DockerOrchestrator "job": ';
        expect(mistakes).toEqual([
            `${where}onFailure is "ignore"; allowed: "fail", "record"`,
            `${where}image is missing: neither the arguments nor the pipeline name one`,
            expect.stringContaining(`${where}dockerHost is "localhost"; allowed: unix:///…`),
            expect.stringContaining(`${where}user is "a b"; allowed: "image"`),
            `${where}cpus is 0; allowed: a number above 0`,
            `${where}memory is "lots"; allowed: a size such as "4Gi" or "512m", at least 6Mi`,
            `${where}shmSize is "-1m"; allowed: a size such as "4Gi" or "512m", at least 1Mi`,
            `${where}gpus is "two"; allowed: "all", or "device=0,2"`,
            `${where}pullPolicy is "Sometimes"; allowed: "Always", "IfNotPresent", "Never"`,
            `${where}mountCode is "yes"; allowed: true, false`,
            expect.stringContaining(`${where}mountCode is "yes"; allowed: false, because the daemon`),
            `${where}volumes[0] names neither; allowed: either hostPath or volume`,
            expect.stringContaining(
                `${where}volumes[0].containerPath is "/stackrun/x"; allowed: an absolute path outside of`,
            ),
            `${where}volumes[1] names both; allowed: either hostPath or volume`,
            expect.stringContaining(`${where}volumes[1].hostPath is "data"; allowed: an absolute path`),
            expect.stringContaining(`${where}volumes[1].containerPath is "x"`),
            expect.stringContaining(`${where}labels: "stackrun.run-id" can't be set`),
        ]);
        await recorder.settled();
        expect(recorder.declared).toEqual([]);
    });

    it.each([
        ["ssh://me:w0rd@d.example", '"ssh://me:***@d.example" has a password, which would be shown'],
        ["ssh://me%zz@d.example", '"ssh://me%zz@d.example" has a % that stands for no character'],
        ["me:w0rd@d.example", 'dockerHost is "me:***@d.example"; allowed: unix:///…'],
    ])("refuses the host %s before anything is declared, and tells no password", async (dockerHost, said) => {
        const { mistakes } = refusal(() => new DockerOrchestrator("job", args({ dockerHost })));
        expect(mistakes).toHaveLength(1);
        expect(mistakes[0]).toContain(said);
        expect(mistakes[0]).not.toContain("w0rd");
        await recorder.settled();
        expect(recorder.declared).toEqual([]);
    });

    it("keeps the key of a provider as a secret, in whatever way that was given", async () => {
        const own = new docker.Provider("own", {
            host: "tcp://10.0.0.7:2376",
            certMaterial: "a certificate",
            keyMaterial: "a key",
        });
        await declare({}, { provider: own });
        for (const type of [RUN_ID, RUN]) {
            const options = {
                host: "tcp://10.0.0.7:2376",
                cert: "a certificate",
                key: "a key",
                code: "copy",
            };
            expect(recorder.one(type).inputs.follower).toEqual(secretOf({ module: "docker", options }));
        }
    });

    it("refuses a run without an image, and a build without a Dockerfile", () => {
        expect(() => new DockerOrchestrator("job", args({ image: undefined }))).toThrow(
            'DockerOrchestrator "job": image is missing: neither the arguments nor the pipeline name one',
        );
        expect(() => new DockerOrchestrator("job", args({ image: { build: { context: dir } } }))).toThrow(
            `build.dockerfile: there is no file ${path.join(dir, "Dockerfile")}`,
        );
        expect(() => new PipelineImage("i", { build: { context: path.join(dir, "no") } })).toThrow(
            /is not a folder/,
        );
    });

    it("refuses a host or registries beside a provider of the user's own", () => {
        const provider = new docker.Provider("own", { host: "unix:///own.sock" });
        expect(
            () => new DockerOrchestrator("job", args({ dockerHost: "unix:///x.sock" }), { provider }),
        ).toThrow("dockerHost can't stand beside a provider of your own: give it to that provider");
    });
});

function refusal(make: () => unknown): BadInputError {
    try {
        make();
    } catch (error) {
        if (error instanceof BadInputError) {
            return error;
        }
        throw error;
    }
    throw new Error("was not refused");
}

/** A recorder that answers what the provider would look up. */
function installWithLookups(): Promise<Recorder> {
    const kept = Recorder.prototype as unknown as { mocks(): pulumi.runtime.Mocks };
    const { mocks } = kept;
    jest.spyOn(kept, "mocks").mockImplementation(function (this: Recorder) {
        return {
            ...mocks.call(this),
            call: ({ token }) =>
                token.endsWith("getRegistryImage") ? { sha256Digest: "sha256:asked" } : { id: "sha256:here" },
        };
    });
    return Recorder.install({ outputsOf: answers });
}

function answers({
    type,
    inputs,
}: {
    type: string;
    inputs: Record<string, unknown>;
}): Record<string, unknown> | undefined {
    switch (type) {
        case RUN_ID:
            return { runId: "p-run", attempt: 1, nonce: "n0" };
        case PULL:
            return { imageId: `sha256:of ${String(inputs.name)}` };
        case IMAGE:
            return { repoDigest: `${String(inputs.imageName).replace(/:\w+$/, "")}@sha256:pushed` };
        default:
            return undefined;
    }
}
