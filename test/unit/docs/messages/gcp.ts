import type { ComputeApi } from "../../../../src/run/gcp/api";
import { ComputeApi as Api } from "../../../../src/run/gcp/api";
import { machineMistakes } from "../../../../src/run/gcp/check";
import { credentials } from "../../../../src/run/gcp/credentials";
import { answerError, connectionError, unknownCaller } from "../../../../src/run/gcp/errors";
import { departureEnd, writtenEnd, type End } from "../../../../src/run/vm/endings";
import { madeMachineHandler } from "../../../../src/provider/resources/madeMachine";
import { silentLog } from "../../../../src/provider/engineLog";
import type { CreateRequest, DeleteRequest } from "../../../../src/provider/handler";
import * as pulumi from "@pulumi/pulumi";
import type { InstanceArgs } from "@pulumi/gcp/compute/instance";
import { publicOnly } from "../../../../components/gcp/boot";
import { insertBody } from "../../../../components/gcp/insertBody";
import { storedFilesHandler } from "../../../../src/provider/resources/storedFiles";
import { vmBootScript } from "../../../../src/runner/vm";
import { World } from "../../vm/world";
import type { Producers } from "./said";

const ASKED = {
    project: "p",
    endpoint: "https://compute.example/compute/v1/",
    source: "GOOGLE_OAUTH_ACCESS_TOKEN",
};
const answered = (status: number, message: string, reason: string) => () =>
    answerError(status, { message, errors: [{ reason }] }, ASKED).message;

/** What is found wrong where these are all that there is. */
const looked =
    (things: Readonly<Record<string, object>>, more: object = {}) =>
    async () => {
        const api = {
            project: "p",
            get: (path: string) => Promise.resolve(things[path]),
            list: () => Promise.resolve([]),
        } as unknown as ComputeApi;
        const wanted = { zones: ["a"], machineType: "e2", image: "c/i", ...more };
        return (await machineMistakes(api, wanted)).join("\n");
    };

/** Answers all requests in this process with the same. */
async function answering<T>(body: object, work: () => Promise<T>): Promise<T> {
    const fetch = jest
        .spyOn(globalThis, "fetch")
        .mockImplementation(() => Promise.resolve(new Response(JSON.stringify(body))));
    try {
        return await work();
    } finally {
        fetch.mockRestore();
    }
}

const loggedIn = { source: "a test", token: () => Promise.resolve("t") };

/** What those who follow say of the store, with what is in it. */
const followed = (prepare: (world: World) => Promise<void>) => async () => {
    const world = new World({ made: true });
    try {
        await prepare(world);
        return await world.follow();
    } finally {
        world.remove();
    }
};

const ended = (end: object) => () => (end as End).message;

/** A startup script with these variables of rclone. */
const settings = (rcloneEnv: Record<string, string>) => () =>
    vmBootScript("gce", {
        rcloneEnv,
        remote: "stackrun:b",
        runId: "r1",
        attempt: 1,
        nonce: "0",
        image: "i",
        transferImage: "i",
        graceSeconds: 10,
        spot: true,
    });

/** What runs on Google Compute Engine say. */
export const GCP: Producers = {
    "Google Cloud does not know who asks (…): …": () => unknownCaller("expired", ASKED).message,
    "… is neither the path of a file nor JSON: …": () => credentials({ GOOGLE_CREDENTIALS: "{no" }).token(),
    "the Compute Engine API is not enabled in the project …: …": answered(
        403,
        "disabled",
        "accessNotConfigured",
    ),
    "… is missing: …. Have a role with it granted on the project, such as Compute Instance Admin (v1)":
        answered(403, "Required 'compute.instances.get' permission for 'x'", "forbidden"),
    "Compute Engine has no time: …": answered(503, "busy", "backendError"),
    "Compute Engine refuses: …. Correct what it names": answered(
        400,
        "Invalid value for field 'x'",
        "invalid",
    ),
    "Compute Engine can't be reached at …: …": () =>
        connectionError(Object.assign(new Error("failed"), { cause: { code: "ENOTFOUND" } }), ASKED).message,
    "Compute Engine could not do what it was asked for in …: …": () =>
        answering(
            { name: "o", status: "DONE", error: { errors: [{ code: "X", message: "no" }] } },
            async () => {
                const api = new Api({ project: "p", credentials: loggedIn });
                return (await api.operate("POST", "a", "instances/i/start"))?.message;
            },
        ),
    "there is no project …, or it is not yours to see": looked({}),
    "there is no zone …… Correct `zone` (or `zones`)": looked({ "": {} }),
    "the zone … has no … …… Correct `…`, or name another zone": looked({ "": {}, "zones/a": {} }),
    "there is no boot image …. Correct `bootImage`": looked({
        "": {},
        "zones/a": {},
        "zones/a/machineTypes/e2": {},
    }),
    "the machine … is there again whenever it was deleted: …": () =>
        answering({ name: "o", status: "DONE" }, () => {
            process.env.GOOGLE_OAUTH_ACCESS_TOKEN = "t";
            const value = { project: "p", zones: ["a"], name: "m" };
            const inputs = { value, secrets: new Set() };
            const request = { log: silentLog, oldInputs: inputs } as unknown as DeleteRequest;
            return madeMachineHandler
                .delete(request)
                .finally(() => delete process.env.GOOGLE_OAUTH_ACCESS_TOKEN);
        }),
    "…: transform returns …, which can't be passed on with several zones or whenExhausted; allowed: …": () =>
        insertBody({ attachedDisks: [] } as unknown as InstanceArgs, ["a"], "here"),
    "…: transfer.env.… is a secret, and the instance's metadata, in which it would stand, is none; allowed: what everybody may read":
        () => publicOnly({ KEY: pulumi.secret("hidden") }, "here"),
    "the machine's startup script has … bytes, … at most are allowed: …": settings({ A: "x".repeat(20_000) }),
    "the machine's settings can't be written: …": settings({ A: "b\nc" }),
    "putting the machine's files into the artifact store was cancelled": (folder) => {
        const value = { store: folder, prefix: "runs/r1", files: { a: "b" } };
        const inputs = { value, secrets: new Set() };
        const request = { preview: false, signal: AbortSignal.abort(), inputs };
        return storedFilesHandler.create(request as unknown as CreateRequest);
    },
    "the plan of run …, attempt …, is not in the artifact store …": followed(() => Promise.resolve()),
    "there is no boot/machine.json in … for the machine …": followed((world) => world.machine.bootFiles()),
    "… has stopped the machine…": ended(departureEnd({ kind: "stopped", by: "eva" }, "a")),
    "the machine… was on for as long as it may be": ended(departureEnd({ kind: "tooLong" }, "a")),
    "the runner has ended well": ended(writtenEnd({ exitCode: "0" })),
    "the run took too long; …": ended(writtenEnd({ exitCode: "66" })),
    "the run was cancelled": ended(writtenEnd({ exitCode: "67" })),
};
