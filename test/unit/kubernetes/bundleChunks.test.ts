import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { gunzipSync } from "node:zlib";
import { scanCode } from "../../../src/bundle";
import { silentLog } from "../../../src/provider/engineLog";
import type { CreateRequest, DeleteRequest } from "../../../src/provider/handler";
import { attemptSpecHandler } from "../../../src/provider/resources/attemptSpec";
import { bundleChunksHandler } from "../../../src/provider/resources/bundleChunks";
import type { Properties } from "../../../src/provider/values";
import { FakeConfigMaps } from "./fakeConfigMaps";

describe("the code in ConfigMaps", () => {
    let dir: string;
    let maps: FakeConfigMaps;
    let inputs: Properties;
    beforeEach(async () => {
        dir = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-chunks-"));
        maps = new FakeConfigMaps();
        fs.mkdirSync(path.join(dir, "code"));
        fs.writeFileSync(path.join(dir, "code/noise.bin"), randomBytes(2_000_000));
        fs.writeFileSync(path.join(dir, "code/a.txt"), "a\n");
        const { hash } = await scanCode(path.join(dir, "code"));
        inputs = {
            cluster: { namespace: "ns" },
            runId: "r1",
            codeDir: path.join(dir, "code"),
            codeHash: hash,
            stateDir: path.join(dir, ".stackrun"),
            maxBytes: 8 << 20,
        };
    });
    afterEach(() => fs.rmSync(dir, { recursive: true }));

    const handler = () => bundleChunksHandler(() => Promise.resolve(maps));
    const create = (more: Partial<CreateRequest> = {}, changed: Properties = {}) =>
        handler().create({
            urn: "urn",
            preview: false,
            log: silentLog,
            inputs: { value: { ...inputs, ...changed }, secrets: new Set() },
            ...more,
        } as CreateRequest);

    it("go up in pieces that together are the archive; only names, size and hash come back", async () => {
        const { outputs } = await create();
        expect(outputs).toEqual({
            names: ["r1-code-0", "r1-code-1", "r1-code-2"],
            size: expect.any(Number),
            sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        });
        const pieces = [...maps.maps.values()].flatMap(({ binaryData }) => Object.entries(binaryData));
        const sorted = pieces
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([, text]) => Buffer.from(text, "base64"));
        expect(Math.max(...sorted.map(({ length }) => length))).toBeLessThanOrEqual(900 * 1024);
        expect(gunzipSync(Buffer.concat(sorted)).includes("noise.bin")).toBe(true);
    });

    it("a creation that was killed goes on where it was", async () => {
        maps.failAfter = 2;
        await expect(create()).rejects.toThrow("killed");
        expect(maps.maps.size).toBe(2);
        maps.failAfter = Infinity;
        await create();
        expect(maps.maps.size).toBe(3);
    });

    it("a preview sends nothing, and says how large it is", async () => {
        const said: string[] = [];
        const log = { ...silentLog, info: (text: string) => void said.push(text) };
        await create({ preview: true, log });
        expect(said).toEqual([expect.stringMatching(/^the code would go up: 1\.9 MiB in 3 ConfigMaps$/)]);
        expect(maps.posts).toBe(0);
    });

    it("too large is refused in the preview already: size, limit, what is large, ways out", async () => {
        await expect(create({ preview: true }, { maxBytes: 1 << 20 })).rejects.toThrow(
            /the code has 1\.9 MiB compressed, over the limit of 1\.0 MiB.*\.stackrunignore.*codeInImage.*1\.9 MiB {2}noise\.bin/s,
        );
    });

    it("code that has changed meanwhile does not go up under the hash of before", async () => {
        await expect(create({}, { codeHash: "0".repeat(64) })).rejects.toThrow(/has changed while/);
    });

    it("are removed with the run, and nobody else's", async () => {
        await create();
        await create({}, { runId: "r2" });
        const oldInputs = { value: inputs, secrets: new Set<string>() };
        await handler().delete({ oldInputs } as unknown as DeleteRequest);
        expect([...maps.maps.keys()]).toEqual(["r2-code-0", "r2-code-1", "r2-code-2"]);
    });

    it("never take the place of a ConfigMap that is not the run's", async () => {
        maps.maps.set("r1-code-0", { metadata: { name: "r1-code-0", labels: {} }, binaryData: {} });
        await expect(create()).rejects.toThrow(/a ConfigMap r1-code-0 that is not this run's/);
    });
});

describe("what an attempt was declared with", () => {
    const diff = (inputs: Properties, oldInputs: Properties) =>
        attemptSpecHandler.diff({ id: "", urn: "", inputs, oldInputs, oldOutputs: {} });

    it("stays as it is until there is another attempt", async () => {
        expect(
            await diff({ attempt: "r-1", value: { memory: "2Gi" } }, { attempt: "r-1", value: {} }),
        ).toEqual({ changes: [] });
        expect(await diff({ attempt: "r-2", value: {} }, { attempt: "r-1", value: {} })).toEqual({
            changes: ["attempt", "value"],
        });
    });

    it("keeps secret what was secret", async () => {
        const request = {
            inputs: { value: { attempt: "r", value: { x: "1" } }, secrets: new Set(["value.x"]) },
        };
        const { outputs } = await attemptSpecHandler.create(request as unknown as CreateRequest);
        expect(JSON.stringify(outputs)).toContain("1b47061264138c4ac30d75fd1eb44270");
    });
});
