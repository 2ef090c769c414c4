import { createHash, randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { openArtifactStore } from "../../src/stores/artifacts/open";
import type { ArtifactStore } from "../../src/stores/artifacts/types";
import { useFolder } from "../support/folder";
import { startGcs, type GcsServer } from "../support/gcs/server";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const text = (words: string) => ({ bytes: Buffer.from(words) });

/** What holds of every artifact store, whatever it is in. */
function behavesAsStore(open: (folder: string) => ArtifactStore): void {
    describe("behaves as every store", () => {
        const newFolder = useFolder();
        let store: ArtifactStore;
        let folder: string;
        const file = (name: string, bytes: Uint8Array) => {
            fs.writeFileSync(path.join(folder, name), bytes);
            return path.join(folder, name);
        };
        const filesIn = () => fs.readdirSync(folder, { recursive: true }).map(String).sort();

        beforeEach(() => {
            store = open(path.join(newFolder(), "deep", "store"));
            folder = path.join(newFolder(), "work");
            fs.mkdirSync(folder);
        });

        test("what is put is read again, from a file and from bytes", async () => {
            const bytes = randomBytes(100_000);
            expect(await store.put("a/file", { file: file("in", bytes) })).toBe("stored");
            expect(await store.put("a/b/bytes", { bytes })).toBe("stored");
            for (const key of ["a/file", "a/b/bytes"]) {
                expect(await store.stat(key)).toMatchObject({ key, size: 100_000 });
                expect((await store.read(key))?.equals(bytes)).toBe(true);
                expect(await store.get(key, path.join(folder, "out", key))).toMatchObject({
                    key,
                    size: 100_000,
                });
                expect(fs.readFileSync(path.join(folder, "out", key)).equals(bytes)).toBe(true);
            }
        });

        test("an empty object is one, too", async () => {
            await store.put("empty", { bytes: Buffer.alloc(0) });
            await store.put("none", { file: file("in", Buffer.alloc(0)) });
            for (const key of ["empty", "none"]) {
                expect(await store.stat(key)).toMatchObject({ key, size: 0 });
                expect(await store.read(key)).toEqual(Buffer.alloc(0));
                await store.get(key, path.join(folder, key));
                expect(fs.readFileSync(path.join(folder, key))).toHaveLength(0);
            }
        });

        test("what is not there is undefined, makes no file, and is removed already", async () => {
            expect(await store.stat("not/there")).toBeUndefined();
            expect(await store.read("not/there")).toBeUndefined();
            expect(await store.read("not/there", { start: 3, end: 3 })).toBeUndefined();
            expect(await store.get("not/there", path.join(folder, "out"))).toBeUndefined();
            expect(await store.list("not/")).toEqual([]);
            await store.remove("not/there");
            expect(filesIn()).toEqual([]);
        });

        test("an object is replaced, and with ifAbsent it is not", async () => {
            await store.put("key", text("first"));
            expect(await store.put("key", text("second"))).toBe("stored");
            expect(await store.put("key", text("third"), { ifAbsent: true })).toBe("exists");
            expect(String(await store.read("key"))).toBe("second");
            expect(await store.put("other", text("first"), { ifAbsent: true })).toBe("stored");
            expect(String(await store.read("other"))).toBe("first");
        });

        test("of many that put the same key at once, one stores it", async () => {
            const puts = Array.from({ length: 8 }, (_, index) =>
                store.put("once", text(`writer ${index}`), { ifAbsent: true }),
            );
            const results = await Promise.all(puts);
            expect(results.filter((result) => result === "stored")).toHaveLength(1);
            expect(String(await store.read("once"))).toBe(`writer ${results.indexOf("stored")}`);
        });

        test("parts are read, also beyond the end", async () => {
            await store.put("digits", text("0123456789"));
            const read = async (start?: number, end?: number) =>
                String(await store.read("digits", { start, end }));
            expect(await read(0, 4)).toBe("0123");
            expect(await read(4, 5)).toBe("4");
            expect(await read(7)).toBe("789");
            expect(await read(8, 100)).toBe("89");
            expect(await read(undefined, 2)).toBe("01");
            expect(await read(10)).toBe("");
            expect(await read(100, 200)).toBe("");
            expect(await read(3, 3)).toBe("");
        });

        test("lists what is below a prefix, sorted, with sizes", async () => {
            for (const key of ["r/2/b", "r/2/a/x", "r/10/a", "r2/a", "s"]) {
                await store.put(key, text(key));
            }
            const keys = async (prefix: string) => (await store.list(prefix)).map(({ key }) => key);
            expect(await keys("r/")).toEqual(["r/10/a", "r/2/a/x", "r/2/b"]);
            expect(await keys("r/2/")).toEqual(["r/2/a/x", "r/2/b"]);
            expect(await keys("")).toEqual(["r/10/a", "r/2/a/x", "r/2/b", "r2/a", "s"]);
            expect(await store.list("r2/")).toMatchObject([{ key: "r2/a", size: 4 }]);
        });

        test("keys may have spaces, letters of all languages, and signs", async () => {
            const keys = ["a b/ü/日本", "50%/a+b&c=d", "q?x#y/[z]*", "'\"/\\", "a..b/.hidden/..."];
            for (const key of keys) {
                await store.put(key, text(key));
            }
            for (const key of keys) {
                expect(String(await store.read(key))).toBe(key);
                expect(await store.get(key, path.join(folder, "out"))).toMatchObject({ key });
            }
            expect((await store.list("")).map(({ key }) => key)).toEqual([...keys].sort());
            await store.remove(keys[0]);
            expect(await store.stat(keys[0])).toBeUndefined();
        });

        test.each(["", "/a", "a/", "a//b", "..", "a/../b", "./a", "a\nb", "a\0b"])(
            "%j is no key",
            async (key) => {
                const no = "no key of an artifact store";
                await expect(async () => store.stat(key)).rejects.toThrow(no);
                await expect(async () => store.put(key, text("x"))).rejects.toThrow(no);
                await expect(async () => store.get(key, path.join(folder, "x"))).rejects.toThrow(no);
                await expect(async () => store.read(key)).rejects.toThrow(no);
                await expect(async () => store.remove(key)).rejects.toThrow(no);
            },
        );

        test.each(["a", "../", "/", "a//"])("%j is no prefix", async (prefix) => {
            await expect(async () => store.list(prefix)).rejects.toThrow(/no (prefix|key)/);
        });

        test("a large file goes over whole, and tells how far it is", async () => {
            const bytes = randomBytes(20 * 1024 * 1024 + 17);
            const seen: { done: number; total: number }[] = [];
            const onProgress = (done: number, total: number) => void seen.push({ done, total });
            await store.put("large", { file: file("in", bytes) }, { onProgress });
            expectProgress(seen.splice(0), bytes.length);
            await store.get("large", path.join(folder, "out"), { onProgress });
            expectProgress(seen, bytes.length);
            expect(sha256(fs.readFileSync(path.join(folder, "out")))).toBe(sha256(bytes));
        });

        test("a file that is got replaces another one; one that is not got leaves it", async () => {
            const out = file("out", Buffer.from("before"));
            await store.get("gone", out);
            expect(fs.readFileSync(out, "utf8")).toBe("before");
            await store.put("key", text("after"));
            await store.get("key", out);
            expect(fs.readFileSync(out, "utf8")).toBe("after");
            expect(filesIn()).toEqual(["out"]);
        });

        test("what is stopped leaves nothing that a reader could see", async () => {
            const bytes = randomBytes(12 * 1024 * 1024);
            const stop = new AbortController();
            const stopping = { signal: stop.signal, onProgress: () => stop.abort(new Error("stopped")) };
            await expect(store.put("large", { file: file("in", bytes) }, stopping)).rejects.toThrow(
                "stopped",
            );
            expect(await store.stat("large")).toBeUndefined();
            expect(await store.list("")).toEqual([]);

            await store.put("large", { bytes });
            const out = path.join(folder, "out");
            const again = new AbortController();
            const onProgress = () => again.abort(new Error("stopped"));
            await expect(store.get("large", out, { signal: again.signal, onProgress })).rejects.toThrow(
                "stopped",
            );
            expect(filesIn()).toEqual(["in"]);
        });

        test("an operation that is stopped before it begins does nothing", async () => {
            const signal = AbortSignal.abort(new Error("stopped"));
            await expect(store.put("key", text("x"), { signal })).rejects.toThrow("stopped");
            expect(await store.stat("key")).toBeUndefined();
        });

        test("readers see the old object or the new one, never half of one", async () => {
            const [one, other] = [Buffer.alloc(3_000_000, 1), Buffer.alloc(4_000_000, 2)];
            await store.put("key", { bytes: one });
            let done = false;
            const writing = (async () => {
                for (let round = 0; round < 4; round++) {
                    await store.put("key", { bytes: round % 2 ? one : other });
                }
                done = true;
            })();
            let reads = 0;
            while (!done) {
                const out = path.join(folder, "out");
                await store.get("key", out);
                const found = fs.readFileSync(out);
                expect(found.equals(one) || found.equals(other)).toBe(true);
                reads += 1;
            }
            await writing;
            expect(reads).toBeGreaterThan(0);
        });

        test("a file that is not there is no object", async () => {
            await expect(store.put("key", { file: path.join(folder, "none") })).rejects.toThrow("ENOENT");
            expect(await store.stat("key")).toBeUndefined();
        });
    });
}

function expectProgress(seen: readonly { done: number; total: number }[], total: number): void {
    expect(seen.length).toBeGreaterThan(2);
    expect(seen.map(({ done }) => done)).toEqual(seen.map(({ done }) => done).sort((a, b) => a - b));
    expect(new Set(seen.map((one) => one.total))).toEqual(new Set([total]));
    expect(seen.at(-1)?.done).toBe(total);
}

describe("artifact stores", () => {
    let gcs: GcsServer;
    const before = { ...process.env };
    let count = 0;

    beforeAll(async () => {
        gcs = await startGcs();
        Object.assign(process.env, gcs.env);
        await gcs.createBucket("contract");
    });
    afterAll(async () => {
        process.env = before;
        await gcs?.stop();
    });

    describe("in a folder", () => {
        behavesAsStore((folder) => openArtifactStore(folder));
    });
    describe("in a bucket of Google Cloud Storage", () => {
        behavesAsStore(() => openArtifactStore(`gs://contract/some/prefix ${count++}`));
    });

    test("a whole bucket is a store, too", async () => {
        await gcs.createBucket("whole");
        const store = openArtifactStore("gs://whole");
        await store.put("a/b", text("x"));
        expect(await store.list("")).toMatchObject([{ key: "a/b", size: 1 }]);
    });

    test("more objects than one page of a list has", async () => {
        const store = openArtifactStore("gs://contract/many");
        const keys = Array.from({ length: 1100 }, (_, index) => `p/${String(index).padStart(4, "0")}`);
        for (let from = 0; from < keys.length; from += 50) {
            await Promise.all(keys.slice(from, from + 50).map((key) => store.put(key, text("x"))));
        }
        expect((await store.list("p/")).map(({ key }) => key)).toEqual(keys);
    });
});
