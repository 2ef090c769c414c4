import { parseStoreUrl } from "../../../src/stores/artifacts/url";

describe("the URL of an artifact store", () => {
    test.each([
        ["gs://bucket", { kind: "gs", bucket: "bucket", prefix: "", url: "gs://bucket" }],
        ["gs://bucket/", { kind: "gs", bucket: "bucket", prefix: "", url: "gs://bucket" }],
        [
            "gs://b-1_x.org/a b/ü/",
            { kind: "gs", bucket: "b-1_x.org", prefix: "a b/ü", url: "gs://b-1_x.org/a b/ü" },
        ],
        ["GS://bucket/Up/per", { kind: "gs", bucket: "bucket", prefix: "Up/per", url: "gs://bucket/Up/per" }],
        ["store", { kind: "file", prefix: "/base/store", url: "file:///base/store" }],
        ["./gs:x", { kind: "file", prefix: "/base/gs:x", url: "file:///base/gs:x" }],
        ["../a b", { kind: "file", prefix: "/a b", url: "file:///a%20b" }],
        ["/abs/", { kind: "file", prefix: "/abs", url: "file:///abs" }],
        ["file:///a%20b/../c", { kind: "file", prefix: "/c", url: "file:///c" }],
        ["file://localhost/c", { kind: "file", prefix: "/c", url: "file:///c" }],
    ])("%s is read", (text, place) => {
        expect(parseStoreUrl(text, "/base")).toEqual(place);
    });

    test("what it says of itself is read as the same place", () => {
        for (const text of ["gs://bucket/a b", "relative/folder", "/with space/%41"]) {
            const place = parseStoreUrl(text, "/base");
            expect(typeof place).toBe("object");
            expect(parseStoreUrl((place as { url: string }).url, "/elsewhere")).toEqual(place);
        }
    });

    test.each([
        [
            "",
            "the URL of the artifact store is empty; allowed: gs://bucket/prefix, file:///folder, or the path of a folder",
        ],
        [" ", "the URL of the artifact store is empty"],
        ["s3://bucket/x", "stores of the kind s3:// are not supported yet; allowed: gs://"],
        ["azblob://container", "stores of the kind azblob:// are not supported yet"],
        ["https://storage.googleapis.com/bucket", "is no URL of an artifact store; allowed: gs://"],
        ["gcs:bucket", "is no URL of an artifact store"],
        ["~/store", "~ is known to shells only; write the whole path"],
        ["a\0b", "is no path"],
        ["file:store", "is no URL of a folder on this machine; allowed: file:///folder"],
        ["file://host/store", "is no URL of a folder on this machine"],
        ["file:///store?x=1", "is no URL of a folder on this machine"],
        ["file:///a%2Fb", "is no URL of a folder on this machine"],
        ["gs://", "names no bucket"],
        ["gs:bucket/x", "names no bucket"],
        ["gs:///x", "names no bucket"],
        ["gs://ab", "names no bucket"],
        ["gs://Bucket", "names no bucket"],
        ["gs://-bucket", "names no bucket"],
        ["gs://a..b", "names no bucket"],
        [`gs://${"a".repeat(64)}`, "names no bucket"],
        ["gs://user@bucket", "names no bucket"],
        ["gs://bucket/a//b", "its prefix can't be one; allowed: names between single slashes"],
        ["gs://bucket//a", "its prefix can't be one"],
        ["gs://bucket/../a", "its prefix can't be one"],
        ["gs://bucket/a?x=1", "its prefix can't be one"],
        ["gs://bucket/a\nb", "its prefix can't be one"],
        [`gs://bucket/${"a".repeat(513)}`, "its prefix can't be one"],
    ])("%j is refused", (text, sentence) => {
        expect(parseStoreUrl(text, "/base")).toContain(sentence);
    });
});
