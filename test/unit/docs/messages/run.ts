import * as fs from "node:fs";
import * as path from "node:path";
import { Update } from "../../../../src/cli/update";
import { here } from "../../../../src/place";
import { silentLog } from "../../../../src/provider/engineLog";
import { runHandler } from "../../../../src/provider/resources/run";
import { runIdHandler } from "../../../../src/provider/resources/runId";
import type { Properties } from "../../../../src/provider/values";
import { noViews } from "../../../../src/provider/views";
import type { RunnerEvent } from "../../../../src/run/events";
import type { Follower, FollowItem, Outcome, RunSpec } from "../../../../src/run/follower";
import { followRun } from "../../../../src/run/followRun";
import { createFollower } from "../../../../src/run/local/follower";
import { startLocal } from "../../../../src/run/local/start";
import { pipelineOf } from "../../../support/pipelines";
import { interruptWhen, pipelineFile, program, withEngine, withEnv } from "./command";
import { until } from "../../runner/harness";
import type { Producers } from "./said";

const FOLLOWER = path.resolve(__dirname, "../../../support/fakeFollower.js");
const pipeline = pipelineOf("one");
const signal = new AbortController().signal;
const operation = {
    urn: "a::b::c::name",
    id: "x",
    log: silentLog,
    views: noViews,
    signal,
    closed: signal,
    preview: false,
};

/** Inputs of the plugin's resources, about run `r1` whose last outcome is this one. */
function inputs(folder: string, last: Outcome | undefined, options: Properties = {}): Properties {
    fs.mkdirSync(path.join(folder, "runs/r1"), { recursive: true });
    if (last) {
        fs.writeFileSync(path.join(folder, "runs/r1/outcome-1.json"), JSON.stringify(last));
    }
    return {
        runId: "r1",
        attempt: 1,
        pipeline: pipeline as unknown as Properties,
        params: {},
        codeDir: folder,
        codeHash: "h",
        follower: { module: FOLLOWER, options },
        stateDir: folder,
    };
}

/** What the resource RunId says of a change. */
const changed =
    (last: Outcome | undefined, options: Properties = {}) =>
    (folder: string) => {
        const oldInputs = inputs(folder, last, options);
        const change = { ...oldInputs, code: "other" };
        const oldOutputs = { runId: "r1", attempt: 1 };
        return runIdHandler.diff({ ...operation, inputs: change, oldInputs, oldOutputs });
    };

const started: FollowItem = {
    type: "event",
    event: {
        n: 1,
        nonce: "x",
        time: "2026-01-01T00:00:01Z",
        attempt: 1,
        type: "run.started",
        pid: 1,
    } as RunnerEvent,
};

/** Follows a run whose follower does this. */
const followed =
    (
        follow: (signal: AbortSignal) => AsyncIterable<FollowItem>,
        more: { detach?: AbortSignal; maxRecoveries?: number } = {},
    ) =>
    async (folder: string): Promise<string> => {
        const follower: Follower = {
            lastOutcome: () => Promise.resolve({ kind: "Running" }),
            cancel: () => Promise.resolve(),
            recover: () => Promise.resolve(),
            follow: (_, stop) => follow(stop),
        };
        const sink = { log: () => undefined, changed: () => undefined };
        const run = { runId: "r1", attempt: 1, runDir: folder };
        return (await followRun({ follower, run, pipeline, params: {}, sink, signal, ...more })).message;
    };

function spec(folder: string): RunSpec {
    return {
        ...{ runId: "r1", attempt: 1, runDir: path.join(folder, "run"), pipeline, params: {}, env: {} },
        ...{ secrets: {}, codeDir: folder, codeHash: "h", parallelism: 1, graceSeconds: 1 },
        finishedSteps: [],
        nonce: "nonce",
    };
}

/** Starts a runner that says nothing, while the clock goes on by a minute. */
async function startForEver(folder: string): Promise<void> {
    const later = Date.now() + 60_000;
    const clock = jest.fn();
    try {
        await startLocal(spec(folder), () => {
            clock();
            jest.spyOn(Date, "now").mockReturnValue(later);
            return Promise.resolve(false);
        });
    } finally {
        jest.restoreAllMocks();
        // It did start, in truth: its folder can be removed when it has ended.
        const { runDir } = spec(folder);
        const said = () => fs.readFileSync(path.join(runDir, "events.jsonl"), "utf8");
        const begun = () => fs.existsSync(path.join(runDir, "events.jsonl"));
        await until(
            () =>
                begun() && said().includes("run.finished") && !fs.existsSync(path.join(runDir, "runner.pid")),
        );
    }
}

/** Runs the command with an engine that is a script; `update` stands for what the engine makes of the program. */
async function interrupted(folder: string, update: Update["up"]): Promise<unknown> {
    pipelineFile(folder);
    const up = jest.spyOn(Update.prototype, "up").mockImplementation(update);
    try {
        return await withEngine("exit 0", folder, "run");
    } finally {
        up.mockRestore();
    }
}

const ENDED: Producers = {
    "run …: … (…): …; log: …": (folder) => {
        pipelineFile(folder);
        return program(
            folder,
            'const failed = { status: "Failed", reason: "StepFailed", message: "why", logUrl: "file:///log" };',
            'const outputsOf = ({ type }) => (type === "stackrun:index:Run" ? failed : undefined);',
            "await testing.Recorder.install({ outputsOf });",
            'new stackrun.LocalOrchestrator("job", { pipeline: folder + "/pipeline.yaml" });',
        );
    },
    "the platform took the machine … times": followed(
        async function* () {
            yield* [started, { type: "interrupted", message: "taken" }];
        },
        { maxRecoveries: 0 },
    ),
    "the follower of run … stopped following, and the run has not ended (…)": followed(async function* () {
        yield started;
    }),
    "run … is no longer followed; it goes on": (folder) => {
        const detach = new AbortController();
        const follow = async function* (): AsyncIterable<FollowItem> {
            yield started;
            detach.abort();
        };
        return followed(follow, { detach: detach.signal })(folder);
    },
};

const LOOKED_UP: Producers = {
    "the outcome of run … can't be looked up: … (was it deleted, or did the run take place on another machine?)":
        (folder) => {
            const value = inputs(folder, { kind: "NoRecord", message: "there is no folder" });
            return runHandler().create({ ...operation, inputs: { value, secrets: new Set() } });
        },
    "the outcome of run … can't be looked up: …. Nothing was run, because it might be a second time; try again":
        changed(undefined, { broken: true }),
    "run … is still running, and … changed": changed({ kind: "Running" }),
    "it was started on …, in another container or on another machine; from here nobody can tell whether it still runs (if that is gone for good, remove …)":
        (folder) => {
            const place = { ...here(), host: "far", boot: "other" };
            fs.writeFileSync(path.join(folder, "place.json"), JSON.stringify(place));
            return createFollower().lastOutcome({ runId: "r1", attempt: 1, runDir: folder });
        },
};

const STARTED: Producers = {
    "the runner did not start (…)": (folder) =>
        withEnv({ PATH: folder }, () => startLocal(spec(folder), () => Promise.resolve(false))),
    "the runner did not start within … s": startForEver,
};

const COMMAND: Producers = {
    "run … was cancelled; the same command goes on from its last finished step": (folder) =>
        interrupted(folder, () => {
            process.emit("SIGINT");
            return Promise.resolve({ runId: "r1", status: "Cancelled" } as Awaited<ReturnType<Update["up"]>>);
        }),
    "cancelled; `stackrun status` tells how the run ended": (folder) =>
        interrupted(folder, async function (this: Update) {
            const value = inputs(folder, { kind: "Finished", state: "Cancelled", reason: "", message: "" });
            // What the engine asks of the plugin, which runs in this process.
            const { provider } = (this as unknown as { options: { provider: unknown } }).options;
            const { handlers } = (
                provider as { options: { handlers: Record<string, ReturnType<typeof runHandler>> } }
            ).options;
            await handlers["stackrun:index:Run"].create({
                ...operation,
                inputs: { value, secrets: new Set() },
            });
            process.emit("SIGINT");
            throw new Error("the engine was interrupted");
        }),
    "cancelled: nothing was started": async (folder) => {
        pipelineFile(folder);
        const ended = withEngine("exec sleep 60", folder, "run");
        await interruptWhen(path.join(folder, ".stackrun/projects/p/updating"));
        return ended;
    },
    "the Pulumi engine was ended by …; a run that had been started goes on": (folder) => {
        pipelineFile(folder);
        return withEngine("kill -9 $$", folder, "run");
    },
};

/** What becomes of a run that does not succeed. */
export const RUN: Producers = { ...ENDED, ...LOOKED_UP, ...STARTED, ...COMMAND };
