import * as fs from "node:fs";
import * as path from "node:path";
import { KubernetesOrchestrator, type KubernetesOrchestratorArgs } from "../../../../components/kubernetes";
import { readStoreUrl } from "../../../../components/kubernetes/metadataCheck";
import { transferData } from "../../../../components/kubernetes/transfer";
import { silentLog } from "../../../../src/provider/engineLog";
import type { CreateRequest } from "../../../../src/provider/handler";
import { bundleChunksHandler } from "../../../../src/provider/resources/bundleChunks";
import type { Properties } from "../../../../src/provider/values";
import { scanCode } from "../../../../src/bundle";
import type * as connection from "../../../../src/run/kubernetes/connection";
import { ApiError, type Api } from "../../../../src/run/kubernetes/connection";
import { jobEnd, podEnd, type End, type Interruption } from "../../../../src/run/kubernetes/endings";
import { KubernetesFollower } from "../../../../src/run/kubernetes/follower";
import { podsEnded } from "../../../../src/run/kubernetes/job";
import type { Condition } from "../../../../src/run/kubernetes/objects";
import { inPlainNode } from "../../../support/kubernetes/plainNode";
import { FakeConfigMaps } from "../../kubernetes/fakeConfigMaps";
import { pipelineFile } from "./command";
import type { Producers } from "./said";

const CONNECTION = "../../../../src/run/kubernetes/connection";
const metadata = { name: "r1-1", uid: "u" };
const run = (folder: string) => ({ runId: "r1", attempt: 1, runDir: path.join(folder, "runs/r1") });

/** A cluster with one answer to everything. */
const answering = (answer: () => Promise<unknown>): Api => ({
    namespace: "ns",
    json: <T>() => answer() as Promise<T>,
    stream: () => Promise.reject(new Error("nothing to stream")),
    exec: () => Promise.reject(new Error("nothing to run")),
});

const args = (more: Partial<KubernetesOrchestratorArgs>) => (folder: string) => {
    pipelineFile(folder);
    return new KubernetesOrchestrator("job", { pipeline: path.join(folder, "pipeline.yaml"), ...more });
};

/** The code of run `r1` goes up to a namespace. */
const upload =
    (changed: Properties, maps = new FakeConfigMaps()) =>
    async (folder: string) => {
        const codeDir = path.join(folder, "code");
        fs.mkdirSync(codeDir);
        fs.writeFileSync(path.join(codeDir, "a.txt"), "a\n");
        const { hash } = await scanCode(codeDir);
        const value = {
            cluster: {},
            runId: "r1",
            codeDir,
            codeHash: hash,
            stateDir: folder,
            maxBytes: 1 << 20,
            ...changed,
        };
        const request = { urn: "u", preview: false, log: silentLog, inputs: { value, secrets: new Set() } };
        return bundleChunksHandler(() => Promise.resolve(maps)).create(request as unknown as CreateRequest);
    };

const taken = new FakeConfigMaps();
taken.maps.set("r1-code-0", { metadata: { name: "r1-code-0", labels: {} }, binaryData: {} });

/** What a pod's end means, whose container ended with this exit code. */
const exited = (exitCode: number) => () => {
    const state = { terminated: { exitCode, message: "its last words\n" } };
    return messageOf(podEnd({ metadata, status: { containerStatuses: [{ name: "run", state }] } }, false));
};
const jobEnded = (condition: Partial<Condition>) => () => {
    const conditions = [{ type: "Failed", status: "True", ...condition }];
    return messageOf(jobEnd({ metadata, status: { conditions } }, []));
};
const messageOf = (end: End | Interruption | undefined) =>
    end && "state" in end ? end.message : "no end of the run";

/** A pod stays, although its time to end is over. */
async function staying(folder: string): Promise<unknown> {
    const pod = { metadata, spec: { nodeName: "n1" }, status: { phase: "Running" } };
    const begun = Date.now();
    let looks = 0;
    const now = jest.spyOn(Date, "now").mockImplementation(() => begun + 60_000 * looks++);
    try {
        return await podsEnded(
            answering(() => Promise.resolve({ items: [pod] })),
            run(folder),
        );
    } finally {
        now.mockRestore();
    }
}

/** A process of its own asks a server, whose kubeconfig this is but for what is changed. */
const asked = (changed: { readonly server?: string; readonly config?: object }, script: string) => () => {
    const config = {
        clusters: [
            {
                name: "c",
                cluster: { server: changed.server ?? "SERVER", "insecure-skip-tls-verify": true },
            },
        ],
        users: [{ name: "u", user: {} }],
        contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
        "current-context": "c",
        ...changed.config,
    };
    return inPlainNode(`
            const mute = require("node:http").createServer(() => undefined).listen(0, "127.0.0.1");
            await require("node:events").once(mute, "listening");
            const server = "http://127.0.0.1:" + mute.address().port;
            const kubeconfig = ${JSON.stringify(JSON.stringify(config))}.replace("SERVER", server);
            const { Connection } = src("run/kubernetes/connection");
            const { createFollower } = src("run/kubernetes/follower");
            ${script}`);
};

/** Half a minute of waiting is over in a tenth of a second. */
const HURRY = "const wait = setTimeout; globalThis.setTimeout = (then, ms) => wait(then, ms / 300);";

/** The library is there, and is too new for this Node.js. */
async function tooNew(folder: string): Promise<unknown> {
    const own = Object.getOwnPropertyDescriptor(process, "versions") as PropertyDescriptor;
    Object.defineProperty(process, "versions", { ...own, value: { ...process.versions, node: "20.19.0" } });
    try {
        await jest.isolateModulesAsync(async () => {
            jest.doMock("@kubernetes/client-node", () => {
                throw new TypeError("a function that only Node.js 22 has is not a function");
            });
            const { Connection } = jest.requireActual<typeof connection>(CONNECTION);
            await Connection.open({ kubeconfig: path.join(folder, "config") });
        });
    } finally {
        jest.dontMock("@kubernetes/client-node");
        Object.defineProperty(process, "versions", own);
    }
    return undefined;
}

/** What the Kubernetes orchestrator and its follower say. */
export const KUBERNETES: Producers = {
    "…: image is missing: give the reference of an image here, or in the pipeline": args({}),
    '…: the image has to be pushed to where … pulls it from: give "image" with its "registry", or push it yourself and give its reference':
        args({ image: { build: { context: "." } } }),
    '…: transfer.env: the type of … is "…"; allowed: "string"': () =>
        transferData({ A: 4 }, 'KubernetesOrchestrator "job"'),
    "…: metadataStore.url can't be read; allowed: postgres://user:password@host:port/database, mysql://…":
        () => readStoreUrl("sqlite:///a", 'KubernetesOrchestrator "job"'),
    "the code has changed while it was being uploaded: type the command again": upload({
        codeHash: "of before",
    }),
    "the code has … compressed, over the limit of … for ConfigMaps": upload({ maxBytes: 1 }),
    "a ConfigMap … that is not this run's is in the namespace …: remove it": upload({}, taken),
    '… has no cluster for the context "…"; choose one of its contexts with `context`': asked(
        { config: { clusters: [] } },
        "await Connection.open({ kubeconfig });",
    ),
    '… has no context "…"; it has …': asked({}, 'await Connection.open({ kubeconfig, context: "x" });'),
    "… can't be read: …": asked({}, 'await Connection.open({ kubeconfig: "/no/such/file" });'),
    "the cluster at … (…) can't be reached: …": asked(
        {},
        `${HURRY} await (await Connection.open({ kubeconfig })).json({ path: "/version" });`,
    ),
    "…. Look at `kubeconfig` and `context`, and whether the cluster is up": asked(
        { server: "http://127.0.0.1:1" },
        'await createFollower({ kubeconfig }).cancel({ runId: "r1", attempt: 1, runDir: "/none" }, "");',
    ),
    "the cluster refuses: …. The rights that a run needs are listed in the page on Kubernetes": (folder) => {
        const refusing = answering(() => Promise.reject(new ApiError(403, "jobs.batch is forbidden")));
        return new KubernetesFollower({}, () => Promise.resolve(refusing)).lastOutcome(run(folder));
    },
    "version 2 of … needs Node.js 22, and this is …: npm install …@1": tooNew,
    "the pod … was told to end, and has not: does its node … still answer?": staying,
    "the run took longer than its timeout, with the time that it waited and was brought back": jobEnded({
        reason: "DeadlineExceeded",
    }),
    "the run took too long; …": exited(66),
    "the run was cancelled": exited(67),
    "the container has ended well": exited(0),
    "the Job has completed": jobEnded({ type: "Complete" }),
};
