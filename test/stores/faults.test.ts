import { createHash, randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { openArtifactStore } from "../../src/stores/artifacts/open";
import { PATIENCE } from "../../src/stores/artifacts/retry";
import type { ArtifactStore } from "../../src/stores/artifacts/types";
import { useFolder } from "../support/folder";
import { startFaultProxy, type Fault, type FaultProxy } from "../support/gcs/proxy";
import { gcsEnvironment, startGcs, type GcsServer } from "../support/gcs/server";

const MIB = 1024 * 1024;
const quick = {
    ...PATIENCE,
    busyMs: 3_000,
    unreachedMs: 300,
    firstPauseMs: 10,
    longestPauseMs: 50,
    idleMs: 400,
};
const sha256 = (file: string) => createHash("sha256").update(fs.readFileSync(file)).digest("hex");

describe("Google Cloud Storage, when things go wrong", () => {
    const newFolder = useFolder();
    const before = { ...process.env };
    let gcs: GcsServer;
    let proxy: FaultProxy;
    let store: ArtifactStore;
    let count = 0;

    beforeAll(async () => {
        gcs = await startGcs();
        await gcs.createBucket("faults");
        proxy = await startFaultProxy(gcs.url);
        Object.assign(process.env, gcsEnvironment(proxy.url));
    });
    afterAll(async () => {
        process.env = before;
        await proxy?.stop();
        await gcs?.stop();
    });
    beforeEach(() => {
        proxy.reset();
        store = openArtifactStore(`gs://faults/${count++}`, { patience: quick });
    });

    const file = (size: number) => {
        const name = path.join(newFolder(), `in-${size}`);
        fs.writeFileSync(name, randomBytes(size));
        return name;
    };
    const struck = (fault: Fault) => {
        const words = typeof fault === "string" ? fault : String(fault.status);
        return proxy.seen.filter((line) => line.endsWith(`-> ${words}`)).length;
    };
    const faults: [string, Fault][] = [
        ["the service is not available", { status: 503 }],
        [
            "there were too many requests",
            { status: 429, body: '{"error":{"code":429,"message":"slow down"}}' },
        ],
        ["the service has an error", { status: 500, body: "<html>" }],
        ["a gateway does not get through", { status: 502 }],
        ["connections are reset", "reset"],
        ["answers are lost", "lost answer"],
        ["answers end in the middle", "half an answer"],
    ];

    describe.each(faults)("%s for a while", (_title, fault) => {
        test.each([
            ["a small object", 1000],
            ["a large one", 9 * MIB],
        ])("%s is stored, and got", async (_what, size) => {
            const input = file(size);
            const output = path.join(newFolder(), "out");
            proxy.fail({ fault, times: 4 });
            expect(await store.put("key", { file: input })).toBe("stored");
            expect(struck(fault)).toBe(4);
            proxy.fail({ fault, times: 4 });
            expect(await store.get("key", output)).toMatchObject({ size });
            expect(struck(fault)).toBe(8);
            expect(sha256(output)).toBe(sha256(input));
        });

        test("everything else goes through, too", async () => {
            await store.put("a/b", { bytes: Buffer.from("text") });
            const each: (() => Promise<unknown>)[] = [
                () => store.stat("a/b"),
                () => store.read("a/b", { start: 1 }),
                () => store.list("a/"),
                () => store.put("a/c", { bytes: Buffer.from("other") }, { ifAbsent: true }),
                () => store.remove("a/b"),
            ];
            for (const operation of each) {
                proxy.reset();
                proxy.fail({ fault, times: 2 });
                await operation();
                expect(struck(fault)).toBe(2);
            }
            expect(await store.list("")).toMatchObject([{ key: "a/c", size: 5 }]);
        });
    });

    test("a large upload goes on where it broke, piece by piece", async () => {
        const size = 25 * MIB;
        const input = file(size);
        proxy.fail({ fault: "reset", match: /^PUT .*upload_id/, times: 1 });
        let pieces = 0;
        proxy.onRequest = (line) => {
            pieces += /^PUT/.test(line) ? 1 : 0;
            if (pieces === 3) {
                proxy.fail({ fault: "lost answer", match: /^PUT/ });
            }
        };
        await store.put("large", { file: input });
        expect(struck("reset") + struck("lost answer")).toBe(2);
        const sessions = proxy.seen.filter((line) => /^POST .*uploadType=resumable/.test(line));
        expect(sessions).toHaveLength(1);
        const output = path.join(newFolder(), "out");
        await store.get("large", output);
        expect(sha256(output)).toBe(sha256(input));
    });

    test("an upload whose session has been forgotten begins anew", async () => {
        const input = file(9 * MIB);
        proxy.fail({ fault: { status: 410 }, match: /^PUT/ });
        await store.put("large", { file: input });
        expect(proxy.seen.filter((line) => /^POST .*uploadType=resumable/.test(line))).toHaveLength(2);
        expect(await store.stat("large")).toMatchObject({ size: 9 * MIB });
    });

    test("a download that breaks goes on where it broke", async () => {
        const input = file(6 * MIB);
        await store.put("large", { file: input });
        proxy.fail({ fault: "half an answer", match: /alt=media/, times: 3 });
        const starts: number[] = [];
        const output = path.join(newFolder(), "out");
        await store.get("large", output, { onProgress: (done) => void starts.push(done) });
        expect(struck("half an answer")).toBe(3);
        expect(starts).toEqual([...starts].sort((a, b) => a - b));
        expect(sha256(output)).toBe(sha256(input));
    });

    test("an object that is replaced while it is got is got as a whole", async () => {
        await store.put("key", { bytes: Buffer.alloc(3 * MIB, 1) });
        proxy.fail({ fault: "half an answer", match: /alt=media/ });
        let replaced: Promise<unknown> | undefined;
        proxy.onRequest = (line) => {
            if (/alt=media/.test(line)) {
                const other = openArtifactStore(store.url, { patience: quick });
                replaced ??= other.put("key", { bytes: Buffer.alloc(3 * MIB, 2) });
            }
        };
        const output = path.join(newFolder(), "out");
        await store.get("key", output);
        await replaced;
        const found = fs.readFileSync(output);
        expect([1, 2]).toContain(found[0]);
        expect(found.equals(Buffer.alloc(3 * MIB, found[0]))).toBe(true);
    });

    test("what comes over wrong is fetched again", async () => {
        const input = file(2 * MIB);
        await store.put("key", { file: input });
        proxy.fail({ fault: "wrong bit", match: /alt=media/ });
        const output = path.join(newFolder(), "out");
        await store.get("key", output);
        expect(struck("wrong bit")).toBe(1);
        expect(sha256(output)).toBe(sha256(input));
    });

    test("an answer that never comes is not waited for", async () => {
        proxy.fail({ fault: "silence", match: /^PUT/ });
        const input = file(9 * MIB);
        await store.put("large", { file: input });
        proxy.fail({ fault: "silence", match: /alt=media/ });
        proxy.fail({ fault: "silence", match: /\/o\/[^?]*\?*$/ });
        const output = path.join(newFolder(), "out");
        await store.get("large", output);
        expect(struck("silence")).toBe(3);
        expect(sha256(output)).toBe(sha256(input));
    });

    test("an upload whose answer was lost is not told to have been someone else's", async () => {
        proxy.fail({ fault: "lost answer", match: /^POST/ });
        expect(await store.put("key", { bytes: Buffer.from("x") }, { ifAbsent: true })).toBe("stored");
    });

    test("a service that stays away is given up in the end", async () => {
        proxy.fail({ fault: { status: 503 }, times: Infinity });
        await expect(store.put("key", { bytes: Buffer.from("x") })).rejects.toThrow(
            /^gs:\/\/faults can't be reached: .*Look after the network/,
        );
        expect(proxy.seen.length).toBeGreaterThan(10);
    });

    test("nothing is tried again that can't succeed", async () => {
        const body =
            '{"error":{"code":403,"message":"x@y does not have storage.objects.get access to the object."}}';
        proxy.fail({ fault: { status: 403, body }, times: Infinity });
        await expect(store.stat("key")).rejects.toThrow(
            "gs://faults can't be used without the right storage.objects.get: x@y does not have",
        );
        expect(proxy.seen).toHaveLength(1);
    });

    test("an upload that is stopped while the service is away ends at once", async () => {
        const patient = openArtifactStore("gs://faults/stopped");
        proxy.fail({ fault: { status: 503 }, times: Infinity });
        const signal = AbortSignal.timeout(300);
        const start = Date.now();
        await expect(patient.put("key", { bytes: Buffer.from("x") }, { signal })).rejects.toThrow("timeout");
        expect(Date.now() - start).toBeLessThan(5_000);
    });

    test("a bucket that is not there is named, with what to do", async () => {
        const none = openArtifactStore("gs://no-such-bucket/x", { patience: quick });
        const sentence =
            "there is no bucket no-such-bucket in Google Cloud Storage. Create it with `gcloud storage";
        await expect(none.put("key", { bytes: Buffer.from("x") })).rejects.toThrow(sentence);
        await expect(none.put("large", { file: file(2 * MIB) })).rejects.toThrow(sentence);
        await expect(none.put("once", { bytes: Buffer.from("x") }, { ifAbsent: true })).rejects.toThrow(
            sentence,
        );
        await expect(none.list("")).rejects.toThrow(sentence);
    });

    test("an address where nothing is given up soon", async () => {
        const url = process.env.STORAGE_EMULATOR_HOST;
        process.env.STORAGE_EMULATOR_HOST = "127.0.0.1:1";
        try {
            const nowhere = openArtifactStore("gs://faults", { patience: quick });
            const start = Date.now();
            await expect(nowhere.stat("key")).rejects.toThrow(
                /^gs:\/\/faults can't be reached: .*ECONNREFUSED/,
            );
            expect(Date.now() - start).toBeLessThan(2_000);
        } finally {
            process.env.STORAGE_EMULATOR_HOST = url;
        }
    });
});
