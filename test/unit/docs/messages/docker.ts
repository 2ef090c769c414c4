import * as fs from "node:fs";
import * as path from "node:path";
import { pack } from "tar-stream";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { idOfPresent, pinned, type Asking } from "../../../../components/docker/pullPolicy";
import { DockerOrchestrator } from "../../../../components/docker";
import { PipelineImage, type DockerOrchestratorArgs } from "../../../../components/docker";
import { clientOptions } from "../../../../src/run/docker/client";
import { explain } from "../../../../src/run/docker/errors";
import { createFollower } from "../../../../src/run/docker/follower";
import { writeStartMark } from "../../../../src/run/docker/mark";
import { Position } from "../../../../src/run/docker/position";
import { unpack } from "../../../../src/run/docker/unpack";
import { ownerOf } from "../../../../src/run/docker/user";
import { parsePipeline } from "../../../../src/pipeline/load";
import type { RunSpec } from "../../../../src/run/follower";
import { Recorder } from "../../../../src/testing";
import { withDaemon, type Answers } from "../../docker/fakeDaemon";
import type { Producers } from "./said";

const CONTAINER = "/containers/stackrun-r-1/json";
const LABELS = { "stackrun.run-id": "r", "stackrun.attempt": "1" };

const spec = (folder: string): RunSpec => ({
    runId: "r",
    attempt: 1,
    runDir: path.join(folder, "runs/r"),
    nonce: "n",
    pipeline: parsePipeline("name: p\nsteps: [{name: a, run: ls}]\n", "p.yaml"),
    params: {},
    env: {},
    secrets: {},
    codeDir: folder,
    codeHash: "of before",
    parallelism: 1,
    graceSeconds: 1,
    finishedSteps: [],
});
const lookUp = (answers: Answers) => (folder: string) =>
    withDaemon(folder, answers, (host) => createFollower({ host }).lastOutcome(spec(folder)));
const start = (answers: Answers) => (folder: string) => {
    fs.mkdirSync(path.join(folder, "code"));
    const attempt = { ...spec(folder), codeDir: path.join(folder, "code") };
    return withDaemon(folder, answers, async (host) =>
        createFollower({ host }).start?.(attempt, new AbortController().signal),
    );
};
const args = (more: object, opts?: object) => (folder: string) => {
    const file = path.join(folder, "pipeline.yaml");
    fs.writeFileSync(file, "name: p\nsteps: [{name: a, run: ls}]\n");
    const given = { pipeline: file, image: "a:1", ...more } as DockerOrchestratorArgs;
    return new DockerOrchestrator("job", given, opts);
};

/** What is said where the provider does not know an image. */
const pulled = async (ask: (asking: Asking) => Promise<string>) => {
    const newResource = ({ name, inputs }: pulumi.runtime.MockResourceArgs) => ({ id: name, state: inputs });
    const call = () => {
        throw Object.assign(new Error(), { details: "did not find docker image 'a:1'" });
    };
    await pulumi.runtime.setMocks({ newResource, call });
    return ask({ parent: new pulumi.ComponentResource("test:index:Parent", "parent") });
};

/** What the Docker orchestrator and its follower say. */
export const DOCKER: Producers = {
    "…: image is missing: neither the arguments nor the pipeline name one": args({ image: undefined }),
    "…: … can't stand beside a provider of your own: give it to that provider": async (folder) => {
        await Recorder.install();
        return args({ dockerHost: "unix:///a" }, { provider: new docker.Provider("own") })(folder);
    },
    "… names …; allowed: either hostPath or volume": args({ volumes: [{ containerPath: "/a" }] }),
    "….hostPath is …; allowed: an absolute path of the daemon's machine": args({
        volumes: [{ hostPath: "a", containerPath: "/a" }],
    }),
    "….containerPath is …; allowed: an absolute path outside of …": args({
        volumes: [{ volume: "a", containerPath: "/stackrun" }],
    }),
    "…: labels: … can't be set; allowed: names that don't start with \"stackrun.\"": args({
        labels: { "stackrun.x": "y" },
    }),
    "…: build.context is …, and … is not a folder": () =>
        new PipelineImage("i", { build: { context: "nowhere" } }),
    "…: build.dockerfile: there is no file …": (folder) =>
        new PipelineImage("i", { build: { context: folder } }),
    "the Docker host … is no address of a daemon; allowed: …": () => clientOptions("localhost", {}, {}),
    "the Docker host … has a password, which would be shown wherever the address is; leave it out": () =>
        clientOptions("ssh://me:word@a", {}, {}),
    "the Docker host … has a % that stands for no character; write % itself as %25": () =>
        clientOptions("ssh://100%@a", {}, {}),
    "you may not use the Docker daemon at … (…)": () => {
        const refused = Object.assign(new Error("connect EACCES"), { code: "EACCES", syscall: "connect" });
        return explain(refused, { doing: "", address: "unix:///a" }).message;
    },
    "the Docker daemon at … can't be reached (…)": (folder) =>
        createFollower({ host: `unix://${folder}/none` }).lastOutcome(spec(folder)),
    "the Docker daemon at … can't be spoken to by TLS (…)": () => {
        const error = Object.assign(new Error("unable to verify"), {
            code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
        });
        return explain(error, { doing: "", address: "tcp://a" }).message;
    },
    "the Docker daemon at … speaks TLS only": () => {
        const message = "Client sent an HTTP request to an HTTPS server.";
        const error = Object.assign(new Error(message), { statusCode: 400 });
        return explain(error, { doing: "", address: "tcp://a" }).message;
    },
    "the certificate … can't be read (…)": (folder) => clientOptions("tcp://a", { certPath: folder }, {}),
    '…: pullPolicy is "Always", and no registry tells what the image … is (…)': () =>
        pulled((asking) => pinned("a:1", "job", asking)),
    '…: pullPolicy is "Never", and the daemon does not tell of an image … (…)': () =>
        pulled((asking) => idOfPresent("a:1", "job", asking)),
    "the container … does not belong to run …": lookUp({ [CONTAINER]: { Config: { Labels: {} } } }),
    "attempt … was started by another Docker daemon (…) than the one at …": async (folder) => {
        await writeStartMark(spec(folder), { container: "c", daemon: "A", address: "unix:///a" });
        return lookUp({ "/info": { ID: "B" } })(folder);
    },
    "the Docker daemon at … has no container …, although it was declared": start({}),
    "the code in … has changed since the update began: type the command again": start({
        [CONTAINER]: { Id: "c", Config: { Labels: LABELS, User: "1:1" }, State: { Status: "created" } },
    }),
    "the image knows no …; give numbers as user": () => ownerOf("nobody", { passwd: "", group: "" }),
    "the bookmark … is none of the docker follower": () => Position.parse("7"),
    "the archive has an entry outside of its folder: …": async (folder) => {
        const archive = pack();
        archive.entry({ name: "../x" }, "text");
        archive.finalize();
        await unpack(archive as unknown as NodeJS.ReadableStream, folder);
    },
};
