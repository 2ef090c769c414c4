import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { scanCode } from "../../../src/bundle";
import { silentLog } from "../../../src/provider/engineLog";
import type { CreateRequest, DiffRequest, ReadRequest, UpdateRequest } from "../../../src/provider/handler";
import { storedBundleHandler as handler } from "../../../src/provider/resources/storedBundle";
import { unknown, type Properties } from "../../../src/provider/values";
import { decode, encode } from "../../../src/provider/values";
import { useFolder } from "../../support/folder";

describe("the code in an artifact store", () => {
    const newFolder = useFolder();
    let inputs: Properties;
    let said: string[];
    const log = {
        ...silentLog,
        info: (text: string) => void said.push(text),
        status: (text: string) => void said.push(text),
    };

    beforeEach(async () => {
        said = [];
        const codeDir = path.join(newFolder(), "code");
        fs.mkdirSync(codeDir);
        fs.writeFileSync(path.join(codeDir, "step.py"), "print(1)\n");
        const { hash: codeHash } = await scanCode(codeDir);
        inputs = { store: path.join(newFolder(), "store"), codeDir, codeHash, stateDir: newFolder() };
    });

    const request = (changed: Properties = {}, more: object = {}) => ({
        urn: "urn",
        preview: false,
        log,
        signal: new AbortController().signal,
        inputs: { value: { ...inputs, ...changed }, secrets: new Set<string>() },
        ...more,
    });
    const create = (changed?: Properties, more?: object) =>
        handler.create(request(changed, more) as unknown as CreateRequest);
    const archive = () => path.join(String(inputs.store), `bundles/${String(inputs.codeHash)}.tar.gz`);
    const sha256 = () => createHash("sha256").update(fs.readFileSync(archive())).digest("hex");

    it("goes up under its hash, and is there as an archive of the folder", async () => {
        const { id, outputs } = await create();
        expect(id).toBe("bundle");
        expect(outputs).toEqual({
            key: `bundles/${String(inputs.codeHash)}.tar.gz`,
            url: `file://${archive()}`,
            size: fs.statSync(archive()).size,
            sha256: sha256(),
        });
        expect(gunzipSync(fs.readFileSync(archive())).includes("print(1)")).toBe(true);
        expect(said.at(-1)).toBe(`the code went up: ${fs.statSync(archive()).size} B`);
    });

    it("goes up once: what is there stays as it is, and its own size and hash are told", async () => {
        fs.mkdirSync(path.dirname(archive()), { recursive: true });
        // What another version of the library that compresses has made of the same tree.
        fs.writeFileSync(archive(), gzipSync("another archive", { level: 1 }));
        const before = fs.statSync(archive());
        const { outputs } = await create();
        expect(fs.statSync(archive())).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs });
        expect(outputs).toMatchObject({ size: before.size, sha256: sha256() });
        expect(said.at(-1)).toBe("the code is there already");
    });

    it("a preview contacts nothing, and says how large it is", async () => {
        const { outputs } = await create({}, { preview: true });
        expect(said).toEqual([
            expect.stringMatching(/^the code would go up to file:\/\/\S+\/store, unless it is there: \d+ B$/),
        ]);
        expect(outputs).toEqual({
            key: `bundles/${String(inputs.codeHash)}.tar.gz`,
            url: `file://${archive()}`,
            size: unknown,
            sha256: unknown,
        });
        expect(fs.existsSync(String(inputs.store))).toBe(false);
    });

    it("in a preview, the store and the code may be unknown", async () => {
        const notKnown = decode(encode({ value: unknown })).value.value;
        const ofStore = await create({ store: notKnown }, { preview: true });
        expect(ofStore.outputs).toMatchObject({
            key: `bundles/${String(inputs.codeHash)}.tar.gz`,
            url: unknown,
        });
        expect(said).toEqual([expect.stringMatching(/^the code would go up, unless it is there: \d+ B$/)]);
        const ofCode = await create({ codeHash: notKnown }, { preview: true });
        expect(ofCode.outputs).toEqual({ key: unknown, url: unknown, size: unknown, sha256: unknown });
        expect(handler.check({ urn: "u", inputs: request({ store: notKnown }).inputs })).toEqual([]);
    });

    it("another store, or other code, is an update; nothing else is one", async () => {
        const diff = (changed: Properties) =>
            handler.diff({ inputs: { ...inputs, ...changed }, oldInputs: inputs } as unknown as DiffRequest);
        expect(await diff({})).toEqual({ changes: [] });
        expect(await diff({ codeDir: "/elsewhere", stateDir: "/other" })).toEqual({ changes: [] });
        expect(await diff({ store: "/new" })).toEqual({ changes: ["store"] });
        expect(await diff({ codeHash: "other" })).toEqual({ changes: ["codeHash"] });
        expect(await diff({ attempt: "r1-2" })).toEqual({ changes: ["attempt"] });

        await create();
        const store = path.join(newFolder(), "new");
        const { outputs } = await handler.update(request({ store }) as unknown as UpdateRequest);
        expect(outputs).toMatchObject({ url: expect.stringContaining("/new/bundles/") });
        expect(fs.readdirSync(path.join(store, "bundles"))).toHaveLength(1);
        expect(fs.existsSync(archive())).toBe(true);
    });

    it("is gone for a refresh when its object is gone", async () => {
        const { outputs } = await create();
        const read = () => handler.read({ ...request(), outputs } as unknown as ReadRequest);
        expect(await read()).toEqual({ outputs });
        fs.rmSync(archive());
        expect(await read()).toBeUndefined();
    });

    it("stays in the store when the resource is deleted", async () => {
        await create();
        await handler.delete(request() as never);
        expect(fs.existsSync(archive())).toBe(true);
    });

    it("what can't be a store is refused by its input", () => {
        const inputsOf = (store: string) => ({ urn: "u", inputs: request({ store }).inputs });
        expect(handler.check(inputsOf("s3://bucket"))).toEqual([
            {
                property: "store",
                reason: expect.stringContaining("stores of the kind s3:// are not supported yet"),
            },
        ]);
        expect(handler.check(inputsOf("gs://bucket/x"))).toEqual([]);
    });

    it("code that has changed meanwhile is not uploaded under the hash of before", async () => {
        fs.writeFileSync(path.join(String(inputs.codeDir), "step.py"), "print(2)\n");
        await expect(create()).rejects.toThrow("the code has changed while it was being uploaded");
        expect(fs.existsSync(archive())).toBe(false);
    });

    it("a folder that is none is told with what to do", async () => {
        fs.writeFileSync(String(inputs.store), "a file");
        await expect(create()).rejects.toThrow(
            /^the artifact store in .*\/store can't be used: (ENOTDIR|EEXIST).*\. Name a folder that is none of a file's\.$/,
        );
    });

    it("Ctrl-C ends it with a sentence", async () => {
        const signal = AbortSignal.abort();
        await expect(create({}, { signal })).rejects.toThrow("the upload of the code was cancelled");
        expect(fs.existsSync(archive())).toBe(false);
    });
});
