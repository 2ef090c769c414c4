import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { rcloneRemote } from "../../src/stores/artifacts/rclone";
import { parseStoreUrl, type StorePlace } from "../../src/stores/artifacts/url";
import { startFaultProxy, type FaultProxy } from "../support/gcs/proxy";
import { startGcs, type GcsServer } from "../support/gcs/server";
import { ensurePackages } from "../support/aptPackages";

describe("the stand-in for Google Cloud Storage", () => {
    let gcs: GcsServer;
    let proxy: FaultProxy;

    beforeAll(async () => {
        gcs = await startGcs();
        await gcs.createBucket("bed");
        proxy = await startFaultProxy(gcs.url);
    });
    beforeEach(() => proxy.reset());
    afterAll(async () => {
        await proxy?.stop();
        await gcs?.stop();
    });

    const upload = (url: string, name: string, body: string) =>
        fetch(`${url}/upload/storage/v1/b/bed/o?uploadType=media&name=${name}`, { method: "POST", body });
    const media = (url: string, name: string) => fetch(`${url}/storage/v1/b/bed/o/${name}?alt=media`);

    test("keeps what is put into it", async () => {
        expect((await upload(gcs.url, "one", "1")).status).toBe(200);
        expect(await (await media(gcs.url, "one")).text()).toBe("1");
    });

    test("two run beside each other, and one that is stopped is gone", async () => {
        const other = await startGcs();
        expect(other.url).not.toBe(gcs.url);
        expect((await media(other.url, "one")).status).toBe(404);
        await other.stop();
        await expect(media(other.url, "one")).rejects.toThrow("fetch failed");
    });

    test("rclone reaches it as the remote that stackrun describes", async () => {
        ensurePackages({ rclone: "rclone" });
        const folder = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-bed-"));
        fs.writeFileSync(path.join(folder, "a b"), "text");
        const { remote, env } = rcloneRemote(parseStoreUrl("gs://bed/some/prefix") as StorePlace, gcs.url);
        const rclone = async (...args: string[]) => {
            const config = path.join(folder, "none.conf");
            const options = { env: { ...process.env, ...env, RCLONE_CONFIG: config } };
            return (await promisify(execFile)("rclone", ["--retries=1", ...args], options)).stdout;
        };
        try {
            await rclone("copy", folder, remote);
            expect(await (await media(gcs.url, "some%2Fprefix%2Fa%20b")).text()).toBe("text");
            expect(await rclone("cat", `${remote}/a b`)).toBe("text");
        } finally {
            fs.rmSync(folder, { recursive: true });
        }
    });

    test("a fault strikes as often as told, and only what it is meant for", async () => {
        await upload(gcs.url, "two", "0123456789");
        proxy.fail({ fault: { status: 503 }, match: /^GET/, times: 2 });
        expect((await upload(proxy.url, "three", "3")).status).toBe(200);
        const answers = [
            await media(proxy.url, "two"),
            await media(proxy.url, "two"),
            await media(proxy.url, "two"),
        ];
        expect(answers.map(({ status }) => status)).toEqual([503, 503, 200]);
        expect(proxy.seen).toHaveLength(4);
    });

    test("connections break before, after and within an answer", async () => {
        await upload(gcs.url, "two", "0123456789");
        proxy.fail({ fault: "reset" });
        await expect(upload(proxy.url, "before", "x")).rejects.toThrow("fetch failed");
        expect((await media(gcs.url, "before")).status).toBe(404);
        proxy.fail({ fault: "lost answer" });
        await expect(upload(proxy.url, "after", "x")).rejects.toThrow("fetch failed");
        expect((await media(gcs.url, "after")).status).toBe(200);
        proxy.fail({ fault: "half an answer" });
        await expect(media(proxy.url, "two").then((answer) => answer.text())).rejects.toThrow("terminated");
        proxy.fail({ fault: "wrong bit" });
        expect(await (await media(proxy.url, "two")).text()).toBe("012344" + "6789");
    });
});
