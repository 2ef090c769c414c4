import * as fs from "node:fs";
import * as path from "node:path";
import { silentLog } from "../../../src/provider/engineLog";
import { ProviderError } from "../../../src/provider/handler";
import type {
    CreateRequest,
    DeleteRequest,
    DiffRequest,
    ReadRequest,
    UpdateRequest,
} from "../../../src/provider/handler";
import { storedFilesHandler as handler } from "../../../src/provider/resources/storedFiles";
import { unknown, type Properties } from "../../../src/provider/values";
import { decode, encode } from "../../../src/provider/values";
import { useFolder } from "../../support/folder";

const notKnown = decode(encode({ value: unknown })).value.value;

describe("small files in an artifact store", () => {
    const newFolder = useFolder();
    let store: string;
    beforeEach(() => void (store = path.join(newFolder(), "store")));

    const inputs = (more: Properties = {}): Properties => ({
        store,
        prefix: "runs/r1/attempts/1/boot",
        files: { "vm.sh": "echo 1\n", "plan.sh": "é\n" },
        attempt: "r1-1",
        ...more,
    });
    const request = (more?: Properties, extra: object = {}) => ({
        urn: "urn",
        preview: false,
        log: silentLog,
        signal: new AbortController().signal,
        inputs: { value: inputs(more), secrets: new Set<string>() },
        ...extra,
    });
    const create = (more?: Properties, extra?: object) =>
        handler.create(request(more, extra) as unknown as CreateRequest);
    const update = (more: Properties, oldInputs = inputs(), extra: object = {}) =>
        handler.update(request(more, { oldInputs, ...extra }) as unknown as UpdateRequest);
    const diff = (more: Properties) =>
        handler.diff({ inputs: inputs(more), oldInputs: inputs() } as unknown as DiffRequest);
    const read = () => handler.read(request({}, { outputs: { url: "u" } }) as unknown as ReadRequest);
    const remove = () =>
        handler.delete(
            request({}, { oldInputs: { value: inputs(), secrets: new Set() } }) as unknown as DeleteRequest,
        );
    const stored = () =>
        Object.fromEntries(
            fs
                .readdirSync(store, { recursive: true, withFileTypes: true })
                .filter((one) => one.isFile())
                .map((one) => path.join(one.parentPath, one.name))
                .map((file) => [path.relative(store, file), fs.readFileSync(file, "utf8")]),
        );
    const BOTH = { "runs/r1/attempts/1/boot/plan.sh": "é\n", "runs/r1/attempts/1/boot/vm.sh": "echo 1\n" };

    it("are put below their prefix, and removed with it", async () => {
        const { id, outputs } = await create();
        expect(id).toBe("files");
        expect(outputs).toEqual({ url: `file://${store}/runs/r1/attempts/1/boot` });
        expect(stored()).toEqual(BOTH);
        fs.writeFileSync(path.join(store, "of-another"), "");
        await remove();
        expect(stored()).toEqual({ "of-another": "" });
        await remove();
    });

    it("are put for another attempt, whose predecessor's go", async () => {
        await create();
        await update({ prefix: "runs/r1/attempts/2/boot", attempt: "r1-2", files: { "vm.sh": "echo 2\n" } });
        expect(stored()).toEqual({ "runs/r1/attempts/2/boot/vm.sh": "echo 2\n" });
    });

    it("under the same prefix, what is no longer wanted goes", async () => {
        await create();
        await update({ files: { "vm.sh": "echo 3\n" } });
        expect(stored()).toEqual({ "runs/r1/attempts/1/boot/vm.sh": "echo 3\n" });
    });

    it("unchanged, there is nothing to do", async () => {
        expect(await diff({})).toEqual({ changes: [] });
        expect(await diff({ attempt: "r1-2" })).toEqual({ changes: ["attempt"] });
        expect(await diff({ files: { "vm.sh": "" } })).toEqual({ changes: ["files"] });
        expect(await diff({ prefix: notKnown, store: "gs://other" })).toEqual({
            changes: ["store", "prefix"],
        });
    });

    it("a preview contacts nothing", async () => {
        const preview = { preview: true };
        expect(await create({}, preview)).toEqual({
            id: "",
            outputs: { url: `file://${store}/runs/r1/attempts/1/boot` },
        });
        expect(await create({ store: notKnown }, preview)).toEqual({ id: "", outputs: { url: unknown } });
        expect(await update({ prefix: notKnown }, inputs(), preview)).toEqual({ outputs: { url: unknown } });
        expect(fs.existsSync(store)).toBe(false);
    });

    it("are there as long as all of them are", async () => {
        await create();
        expect(await read()).toEqual({ outputs: { url: "u" } });
        fs.rmSync(path.join(store, "runs/r1/attempts/1/boot/plan.sh"));
        expect(await read()).toBeUndefined();
    });

    it("can't be in what is no store", () => {
        const check = (value: Properties) =>
            handler.check({ urn: "u", inputs: { value, secrets: new Set<string>() } });
        expect(check({ store: "s3://b" })).toEqual([
            { property: "store", reason: expect.stringContaining("s3") },
        ]);
        expect(check({ store: notKnown })).toEqual([]);
    });

    it("a cancelled update says so", async () => {
        const controller = new AbortController();
        controller.abort();
        await expect(create({}, { signal: controller.signal })).rejects.toThrow(
            new ProviderError("putting the machine's files into the artifact store was cancelled"),
        );
    });
});
