import { rcloneRemote } from "../../../src/stores/artifacts/rclone";
import { parseStoreUrl, type StorePlace } from "../../../src/stores/artifacts/url";

const place = (url: string) => parseStoreUrl(url) as StorePlace;

describe("a store as rclone's remote", () => {
    test("a bucket is reached with the machine's own identity", () => {
        expect(rcloneRemote(place("gs://bucket/a/b"), undefined)).toEqual({
            remote: "stackrun:bucket/a/b",
            env: {
                RCLONE_CONFIG_STACKRUN_TYPE: "google cloud storage",
                RCLONE_CONFIG_STACKRUN_BUCKET_POLICY_ONLY: "true",
                RCLONE_CONFIG_STACKRUN_NO_CHECK_BUCKET: "true",
                RCLONE_CONFIG_STACKRUN_ENV_AUTH: "true",
            },
        });
        expect(rcloneRemote(place("gs://bucket"), undefined).remote).toBe("stackrun:bucket");
    });

    test.each(["127.0.0.1:4443", "http://127.0.0.1:4443", "http://127.0.0.1:4443/"])(
        "a stand-in at %s is reached without one",
        (emulator) => {
            const { env } = rcloneRemote(place("gs://bucket"), emulator);
            expect(env).toMatchObject({
                RCLONE_CONFIG_STACKRUN_ENDPOINT: "http://127.0.0.1:4443/storage/v1/",
                RCLONE_CONFIG_STACKRUN_ANONYMOUS: "true",
            });
            expect(env).not.toHaveProperty("RCLONE_CONFIG_STACKRUN_ENV_AUTH");
        },
    );

    test("a folder is a remote, too", () => {
        expect(rcloneRemote(place("/a b/c"))).toEqual({
            remote: "stackrun:/a b/c",
            env: { RCLONE_CONFIG_STACKRUN_TYPE: "local" },
        });
    });
});
