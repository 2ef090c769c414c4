import {
    ATTEMPT_SPEC_TYPE,
    BUNDLE_CHUNKS_TYPE,
    GCP_CHECK_TYPE,
    MADE_MACHINE_TYPE,
    RUN_ID_TYPE,
    RUN_TYPE,
    STORED_BUNDLE_TYPE,
    STORED_FILES_TYPE,
} from "./tokens";
import { version } from "../version";

const text = { type: "string" } as const;
const number = { type: "number" } as const;
const integer = { type: "integer" } as const;
const boolean = { type: "boolean" } as const;
const any = { $ref: "pulumi.json#/Any" } as const;
const map = (of: object) => ({ type: "object", additionalProperties: of });
const described = (type: object, description: string) => ({ ...type, description });

const follower = described(
    map(any),
    "Which follower watches the run: `module`, a built-in name or a module's absolute path, and its `options`.",
);
const stateDir = described(text, "Absolute path of the folder that keeps the records of runs.");

const runIdInputs = {
    pipeline: described(text, "Name of the pipeline."),
    orchestrator: described(text, "Type token of the orchestrator."),
    code: described(text, "SHA-256 of the code bundle's content."),
    steps: described(map(text), "Step name to the hash of its definition."),
    params: described(map(any), "Values of the parameters."),
    env: described(map(text), "Environment variables of all steps."),
    secrets: described({ type: "array", items: text }, "Names of the secrets."),
    image: described(any, "The image in which the steps run."),
    trigger: described(any, "Any change of it makes a new run."),
    extra: described(any, "What else makes a new run when it changes."),
    whileRunning: described(
        text,
        "`refuse` (default) or `replace`: what to do when something changed while the last run is still running.",
    ),
    follower,
    stateDir,
    config: described(
        any,
        "What the target is declared with. As an output: as it was when the attempt began; a change alone makes no new run.",
    ),
};

const runInputs = {
    runId: text,
    attempt: integer,
    nonce: described(text, "What every event of the attempt carries."),
    pipeline: described(map(any), "The normalized pipeline."),
    params: map(any),
    env: map(text),
    secrets: { ...map(text), secret: true },
    codeDir: text,
    codeHash: text,
    parallelism: integer,
    timeoutSeconds: number,
    graceSeconds: number,
    maxRecoveries: described(integer, "Recoveries after which an interrupted run is given up."),
    wait: described(boolean, "Whether creating the run lasts until its end."),
    follower,
    stateDir,
};

const runOutputs = {
    status: described(text, "Pending, Running, Recovering, Succeeded, Failed, TimedOut, Cancelled or Lost."),
    reason: described(text, "Machine-readable reason; empty after a success."),
    message: text,
    steps: { type: "array", items: map(any) },
    startedAt: text,
    finishedAt: text,
    durationSeconds: number,
    interruptions: described(integer, "How often the platform took the machine."),
    exitCode: integer,
    logs: described(text, "The last 64 KiB of the log."),
    logUrl: described(text, "Where the whole log is."),
    artifacts: map(any),
    metrics: map(map(number)),
};

const bundleChunks = {
    description: "The code of a run in a cluster's ConfigMaps.",
    inputProperties: {
        cluster: described(
            { ...map(any), secret: true },
            "How the cluster is reached: `kubeconfig`, `context`, `namespace`.",
        ),
        runId: text,
        codeDir: text,
        codeHash: described(text, "SHA-256 of the code bundle's content."),
        stateDir,
        maxBytes: described(integer, "How large the compressed code may be."),
        labels: described(map(text), "Labels of the ConfigMaps, beside those that name the run."),
    },
    requiredInputs: ["cluster", "runId", "codeDir", "codeHash", "stateDir", "maxBytes"],
    properties: {
        names: described(
            { type: "array", items: text },
            "Names of the ConfigMaps, in the order of the pieces.",
        ),
        size: described(integer, "Size of the archive in bytes."),
        sha256: described(text, "SHA-256 of the archive."),
    },
    required: ["names", "size", "sha256"],
};

const storedBundle = {
    description: "The code of a run in an artifact store, under the hash of its content: uploaded once.",
    inputProperties: {
        store: described(text, "URL of the artifact store."),
        codeDir: text,
        codeHash: described(text, "SHA-256 of the code bundle's content."),
        stateDir,
        attempt: described(
            text,
            "The attempt that needs it: with each, it is looked whether the code is still there.",
        ),
    },
    requiredInputs: ["store", "codeDir", "codeHash", "stateDir"],
    properties: {
        key: described(text, "Where it is below the store's URL."),
        url: described(text, "Where it is."),
        size: described(integer, "Size of the archive in bytes."),
        sha256: described(text, "SHA-256 of the archive."),
    },
    required: ["key", "url", "size", "sha256"],
};

const storedFiles = {
    description: "Small files in an artifact store: what the machine of an attempt starts with.",
    inputProperties: {
        store: described(text, "URL of the artifact store."),
        prefix: described(text, "What the files' names stand below."),
        files: described(map(text), "Name to content."),
        attempt: described(text, "The attempt that needs them: with each, they are put there anew."),
    },
    requiredInputs: ["store", "prefix", "files"],
    properties: { url: described(text, "Where they are.") },
    required: ["url"],
};

const attemptSpec = {
    description: "What an attempt was declared with, as it was when the attempt began.",
    inputProperties: {
        attempt: described(text, "Names the attempt: only a change of it takes a new value over."),
        value: described(any, "What the attempt is declared with now."),
    },
    requiredInputs: ["attempt", "value"],
    properties: { kept: described(any, "What it was declared with when it began.") },
    required: ["kept"],
};

const gcp = {
    project: described(text, "The project's id."),
    zones: described({ type: "array", items: text }, "Zones, in the order in which they are tried."),
    computeEndpoint: described(text, "Root of Compute Engine's API, where that is not Google's own."),
};

const madeMachine = {
    description:
        "A machine of Compute Engine that whoever follows the run makes, in the first zone that has one. It goes with the stack.",
    inputProperties: {
        ...gcp,
        name: described(text, "Name of the instance."),
        body: described(any, "What it is made of: the body of `instances.insert`."),
    },
    requiredInputs: ["project", "zones", "name"],
    properties: {},
    required: [],
};

const gcpCheck = {
    description: "Looks up what a machine of Compute Engine needs; all mistakes are told at once.",
    inputProperties: {
        ...gcp,
        attempt: described(text, "The attempt that needs it: with each, all is looked up again."),
        machineType: text,
        image: described(text, "The boot image: `project/family`, `project/image`, or its URL."),
        gpuType: text,
    },
    requiredInputs: ["project", "zones", "machineType", "image"],
    properties: {},
    required: [],
};

/** The Pulumi schema of the plugin: https://www.pulumi.com/docs/iac/using-pulumi/extending-pulumi/schema/ */
export const schema = {
    name: "stackrun",
    version,
    description: "Pipeline orchestrators: a pipeline run is a stack update.",
    license: "Apache-2.0",
    resources: {
        [RUN_ID_TYPE]: {
            description: "Decides whether there is a new run, and names it.",
            inputProperties: runIdInputs,
            requiredInputs: ["pipeline", "orchestrator", "code", "steps", "follower", "stateDir"],
            properties: { runId: text, attempt: integer, nonce: text },
            required: ["runId", "attempt", "nonce"],
        },
        [RUN_TYPE]: {
            description:
                "One attempt of a run: starts it, follows it to its end, and tells what became of it.",
            inputProperties: runInputs,
            requiredInputs: [
                "runId",
                "attempt",
                "pipeline",
                "params",
                "codeDir",
                "codeHash",
                "follower",
                "stateDir",
            ],
            properties: { runId: text, attempt: integer, ...runOutputs },
            required: ["runId", "attempt", "status", "reason", "message", "steps"],
        },
        [BUNDLE_CHUNKS_TYPE]: bundleChunks,
        [ATTEMPT_SPEC_TYPE]: attemptSpec,
        [STORED_BUNDLE_TYPE]: storedBundle,
        [STORED_FILES_TYPE]: storedFiles,
        [MADE_MACHINE_TYPE]: madeMachine,
        [GCP_CHECK_TYPE]: gcpCheck,
    },
};
