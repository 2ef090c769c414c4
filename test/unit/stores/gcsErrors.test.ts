import { StoreError } from "../../../src/stores/artifacts/errors";
import { gcsError, gcsHope, statusOf } from "../../../src/stores/artifacts/gcsErrors";

const error = (message: string, more: object = {}) => Object.assign(new Error(message), more);

describe("errors of Google's clients", () => {
    it.each([
        ["ApiError", error("x", { code: 503 }), 503, "busy"],
        ["a code as text", error("x", { code: "429" }), 429, "busy"],
        ["gaxios", error("x", { code: "ERR_BAD", response: { status: 500 } }), 500, "busy"],
        ["a session that is not over", error("Upload failed", { code: 308 }), 308, "busy"],
        ["refused", error("x", { code: 403 }), 403, undefined],
        ["an answer that ends early", error("timeout", { response: { statusCode: 200 } }), undefined, "busy"],
        ["a reset", error("read ECONNRESET", { code: "ECONNRESET" }), undefined, "busy"],
        ["a reset inside", error("failed", { cause: error("x", { code: "EPIPE" }) }), undefined, "busy"],
        ["a reset among reasons", error("x", { errors: [{ reason: "ECONNRESET" }] }), undefined, "busy"],
        ["nobody there", error("connect ECONNREFUSED 127.0.0.1:1"), undefined, "unreached"],
        ["no such name", error("x", { code: "ENOTFOUND" }), undefined, "unreached"],
        ["a mistake of ours", error("x is not a function"), undefined, undefined],
    ])("%s", (_title, one, status, hope) => {
        expect(statusOf(one)).toBe(status);
        expect(gcsHope(one)).toBe(hope);
    });

    it.each([
        [error("Could not load the default credentials. Browse to …"), "does not know who asks for gs://b"],
        [error("Anonymous caller does not have access", { code: 401 }), "does not know who asks for gs://b"],
        [error("invalid_grant", { response: { status: 400 } }), "gcloud auth application-default login"],
        [error("no", { code: 403 }), "gs://b can't be used without the right storage.objects.create: no."],
        [error("lacks storage.buckets.get", { code: 403 }), "without the right storage.buckets.get"],
        [
            error("x", { code: 404 }),
            "there is no bucket b in Google Cloud Storage. Create it with `gcloud storage",
        ],
        [error("x", { code: 503 }), "gs://b can't be reached: x. Look after the network"],
        [error("first\nsecond", { code: 400 }), "gs://b refuses what is asked of it: first. Look up"],
        [
            error("Multiple errors occurred during the request.\n\n    1. Not here\n    2. x", { code: 400 }),
            "refuses what is asked of it: Not here.",
        ],
    ])("%s", (one, sentence) => {
        const told = gcsError(one, "create", "b") as Error;
        expect(told).toBeInstanceOf(StoreError);
        expect(told.message).toContain(sentence);
        expect(told.cause).toBe(one);
    });

    it("one that is for people already stays as it is", () => {
        const one = new StoreError("a sentence");
        expect(gcsError(one, "get", "b")).toBe(one);
    });
});
