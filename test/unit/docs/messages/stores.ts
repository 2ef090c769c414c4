import * as fs from "node:fs";
import * as path from "node:path";
import { checkedPlace, storeMistakes } from "../../../../components/artifactStore";
import { scanCode } from "../../../../src/bundle";
import { silentLog } from "../../../../src/provider/engineLog";
import type { CreateRequest } from "../../../../src/provider/handler";
import { storedBundleHandler } from "../../../../src/provider/resources/storedBundle";
import { DirectoryStore } from "../../../../src/stores/artifacts/directory";
import { gcsError } from "../../../../src/stores/artifacts/gcsErrors";
import { openArtifactStore } from "../../../../src/stores/artifacts/open";
import { parseStoreUrl } from "../../../../src/stores/artifacts/url";
import type { Producers } from "./said";

const JOB = 'KubernetesOrchestrator "job"';
const read = (url: string) => () => parseStoreUrl(url);

/** What is made of an answer of Google's service. */
const answered = (status: number, message: string) => () => {
    throw gcsError(Object.assign(new Error(message), { code: status }), "create", "bucket");
};

/** The code goes up to a store in the folder. */
const upload = async (folder: string, signal = new AbortController().signal): Promise<unknown> => {
    const codeDir = path.join(folder, "code");
    fs.mkdirSync(codeDir);
    const { hash: codeHash } = await scanCode(codeDir);
    const value = { store: path.join(folder, "store"), codeDir, codeHash, stateDir: folder };
    const request = { preview: false, log: silentLog, signal, inputs: { value, secrets: new Set() } };
    return storedBundleHandler.create(request as unknown as CreateRequest);
};

/** Somebody empties the store between two looks at it. */
async function emptied(folder: string): Promise<unknown> {
    const put = jest.spyOn(DirectoryStore.prototype, "put").mockResolvedValue("exists");
    try {
        return await upload(folder);
    } finally {
        put.mockRestore();
    }
}

/** A process whose environment names credentials that are none. */
async function withoutLogin(folder: string): Promise<unknown> {
    const before = process.env.GOOGLE_APPLICATION_CREDENTIALS;
    process.env.GOOGLE_APPLICATION_CREDENTIALS = path.join(folder, "login.json");
    fs.writeFileSync(path.join(folder, "login.json"), "{}");
    try {
        return await openArtifactStore("gs://bucket").stat("key");
    } finally {
        delete process.env.GOOGLE_APPLICATION_CREDENTIALS;
        Object.assign(process.env, before === undefined ? {} : { GOOGLE_APPLICATION_CREDENTIALS: before });
    }
}

/** What artifact stores say. */
export const STORES: Producers = {
    "the URL of the artifact store is empty; allowed: …": read(""),
    "… is no URL of an artifact store; allowed: …": read("https://storage.googleapis.com/bucket"),
    "…: stores of the kind …:// are not supported yet; allowed: …": read("s3://bucket"),
    "…: ~ is known to shells only; write the whole path": read("~/store"),
    "… is no path; allowed: …": read("a\0b"),
    "… is no URL of a folder on this machine; allowed: file:///folder": read("file://host/x"),
    "… names no bucket; allowed: …": read("gs://B"),
    "…: its prefix can't be one; allowed: …": read("gs://bucket/a//b"),
    "…: artifactStore has no use here: this orchestrator keeps what steps make in a place of its own. Leave it out":
        () => storeMistakes("gs://bucket", JOB, [])[0],
    "… is a folder on this machine, which the steps can't reach where they run; allowed: gs://bucket/prefix":
        () => checkedPlace("folder", JOB, ["gs"]),
    "… is no URL; allowed: a text, or an ArtifactStore": () => storeMistakes(7 as never, JOB, ["gs"])[0],
    "Google Cloud does not know who asks for gs://…: …": withoutLogin,
    "gs://… can't be used without the right …: …": answered(403, "you have no storage.objects.create access"),
    "there is no bucket … in Google Cloud Storage": answered(404, "The specified bucket does not exist."),
    "gs://… can't be reached: …. Look after the network": answered(503, "Service Unavailable"),
    "gs://… refuses what is asked of it: …": answered(400, "Invalid argument."),
    "the artifact store in … can't be used: …": (folder) => {
        fs.writeFileSync(path.join(folder, "store"), "a file");
        return upload(folder);
    },
    "… was taken away while it was looked at: type the command again": emptied,
    "the upload of the code was cancelled": (folder) => upload(folder, AbortSignal.abort()),
};
