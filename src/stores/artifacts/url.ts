import * as path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** Where an artifact store is: what its URL says. */
export type StorePlace =
    | {
          readonly kind: "file";
          /** The folder's absolute path. */
          readonly prefix: string;
          /** Its `file://` URL. */
          readonly url: string;
      }
    | {
          readonly kind: "gs";
          readonly bucket: string;
          /** What all keys stand below, without slashes at its ends; empty for the whole bucket. */
          readonly prefix: string;
          readonly url: string;
      };

const ALLOWED = "gs://bucket/prefix, file:///folder, or the path of a folder";
/** An object's key may have 1024 bytes, its prefix included. */
const MAX_PREFIX_BYTES = 512;

/**
 * Reads the URL of a store; a path is relative to `base`.
 * @returns where the store is, or a sentence that says what is wrong and what is allowed.
 */
export function parseStoreUrl(text: string, base = process.cwd()): StorePlace | string {
    const scheme = /^([A-Za-z][A-Za-z0-9+.-]+):/.exec(text)?.[1].toLowerCase();
    switch (scheme) {
        case undefined:
            return pathMistake(text) ?? filePlace(path.resolve(base, text));
        case "file":
            return fileUrl(text) ?? fileUrlMistake(text);
        case "gs":
            return bucketUrl(text);
        default:
            return schemeMistake(text, scheme);
    }
}

function fileUrl(text: string): StorePlace | undefined {
    if (!/^file:\/\//i.test(text)) {
        return undefined;
    }
    try {
        const { search, hash } = new URL(text);
        return search || hash ? undefined : filePlace(path.resolve(fileURLToPath(text)));
    } catch {
        return undefined;
    }
}

function filePlace(prefix: string): StorePlace {
    return { kind: "file", prefix, url: pathToFileURL(prefix).href };
}

function bucketUrl(text: string): StorePlace | string {
    const [, bucket, rest] = /^gs:\/\/([^/]*)(.*)$/is.exec(text) ?? [];
    if (bucket === undefined || !isBucket(bucket)) {
        return bucketMistake(text);
    }
    const prefix = rest.replace(/^\/|\/$/g, "");
    if (prefix !== "" && !isPrefix(prefix)) {
        return prefixMistake(text);
    }
    return { kind: "gs", bucket, prefix, url: prefix ? `gs://${bucket}/${prefix}` : `gs://${bucket}` };
}

function pathMistake(text: string): string | undefined {
    if (text.trim() === "") {
        return `the URL of the artifact store is empty; allowed: ${ALLOWED}`;
    }
    if (text.startsWith("~")) {
        return `${quoted(text)}: ~ is known to shells only; write the whole path`;
    }
    return text.includes("\0") ? `${quoted(text)} is no path; allowed: ${ALLOWED}` : undefined;
}

function schemeMistake(text: string, scheme: string): string {
    return ["s3", "azblob"].includes(scheme)
        ? `${quoted(text)}: stores of the kind ${scheme}:// are not supported yet; allowed: ${ALLOWED}`
        : `${quoted(text)} is no URL of an artifact store; allowed: ${ALLOWED} (./ before a path with a colon)`;
}

function fileUrlMistake(text: string): string {
    return `${quoted(text)} is no URL of a folder on this machine; allowed: file:///folder`;
}

function bucketMistake(text: string): string {
    return (
        `${quoted(text)} names no bucket; allowed: gs://bucket/prefix, the bucket with 3 to 63 lower-case letters, ` +
        "digits, -, _ and ., a letter or digit at both ends"
    );
}

function prefixMistake(text: string): string {
    return (
        `${quoted(text)}: its prefix can't be one; allowed: names between single slashes, none of them . or .., without ` +
        `control characters and \\ " * ? # [ ], at most ${MAX_PREFIX_BYTES} bytes`
    );
}

function isBucket(name: string): boolean {
    // With dots in it, it is a domain: each of its parts may be as long as others are as a whole.
    const parts = name.split(".");
    return (
        /^[a-z0-9][a-z0-9._-]*[a-z0-9]$/.test(name) &&
        name.length >= 3 &&
        name.length <= (parts.length > 1 ? 222 : 63) &&
        parts.every((part) => part.length >= 1 && part.length <= 63)
    );
}

function isPrefix(prefix: string): boolean {
    return (
        // eslint-disable-next-line no-control-regex
        !/[\x00-\x1f\x7f\\"*?#[\]]/.test(prefix) &&
        Buffer.byteLength(prefix) <= MAX_PREFIX_BYTES &&
        prefix.split("/").every((part) => part !== "" && part !== "." && part !== "..")
    );
}

function quoted(text: string): string {
    return JSON.stringify(text);
}
