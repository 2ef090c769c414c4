import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { CreateWriteStreamOptions, File } from "@google-cloud/storage";
import { SHA256, type GcsContext } from "./gcs";
import { Broken, gcsHope, statusOf } from "./gcsErrors";
import { whileMoving } from "./idle";
import { retrying } from "./retry";
import type { PutOptions, Source } from "./types";

/** What is larger goes over in pieces of this size, each of which is sent again by itself. */
const PIECE = 8 * 1024 * 1024;
/** What is not larger goes over in one request. */
const SMALL = 512 * 1024;

interface Digest {
    readonly size: number;
    readonly crc32c: string;
    readonly sha256: string;
}

/** Stores an object as a whole: Google's service refuses one whose checksum is not that of the source. */
export async function upload(
    context: GcsContext,
    name: string,
    source: Source,
    { ifAbsent, onProgress, signal }: PutOptions,
): Promise<"stored" | "exists"> {
    const digest = await digestOf(context, source, signal);
    let session: string | undefined;
    let failures = 0;
    return retrying(context.retrying, async (progressed) => {
        const file = context.bucket.file(name);
        try {
            if (failures > 0 && (await isStored(file, digest))) {
                return "stored";
            }
            const stream = file.createWriteStream(optionsFor(digest, ifAbsent ?? false, session));
            stream.on("uri", (uri: string) => (session = uri));
            stream.on("progress", ({ bytesWritten }: { bytesWritten: number }) => {
                onProgress?.(Math.min(bytesWritten, digest.size), digest.size);
            });
            await send(context, source, stream, progressed, signal);
            await refuseOther(file, digest);
            onProgress?.(digest.size, digest.size);
            return "stored";
        } catch (error) {
            if (statusOf(error) === 412 && ifAbsent) {
                return "exists";
            }
            // A session that is over is not gone on with; nor is one that fails again and again.
            const over = [404, 410].includes(statusOf(error) ?? 0) && session !== undefined;
            failures += 1;
            if (over || failures % 3 === 0 || gcsHope(error) === undefined) {
                session = undefined;
            }
            throw over ? new Broken("the upload has to begin anew", { cause: error }) : error;
        }
    });
}

function optionsFor(
    { size, crc32c, sha256 }: Digest,
    ifAbsent: boolean,
    session?: string,
): CreateWriteStreamOptions {
    const resumable = size > SMALL;
    return {
        resumable,
        ...(resumable ? { chunkSize: PIECE, uri: session } : {}),
        // Checked by the service before there is an object, and not after.
        validation: false,
        contentType: "application/octet-stream",
        metadata: { crc32c, metadata: { [SHA256]: sha256 } },
        ...(ifAbsent ? { preconditionOpts: { ifGenerationMatch: 0 } } : {}),
    };
}

async function send(
    { retrying: { patience } }: GcsContext,
    source: Source,
    stream: NodeJS.WritableStream,
    progressed: () => void,
    signal: AbortSignal | undefined,
): Promise<void> {
    await whileMoving(patience.idleMs, signal, async (moved, until) => {
        stream.on("progress", moved);
        // An answer, not a byte that has left this machine, is progress.
        stream.on("response", progressed);
        await pipeline(open(source), stream, { signal: until });
    });
}

function open(source: Source): Readable {
    return "file" in source ? createReadStream(source.file) : Readable.from([Buffer.from(source.bytes)]);
}

async function digestOf({ sdk }: GcsContext, source: Source, signal?: AbortSignal): Promise<Digest> {
    const crc32c = new sdk.CRC32C();
    const sha256 = createHash("sha256");
    let size = 0;
    for await (const chunk of open(source)) {
        signal?.throwIfAborted();
        crc32c.update(chunk as Buffer);
        sha256.update(chunk as Buffer);
        size += (chunk as Buffer).length;
    }
    return { size, crc32c: crc32c.toString(), sha256: sha256.digest("hex") };
}

// The answer to an upload may have been lost, but not what it was the answer to.
async function isStored(file: File, { size, sha256 }: Digest): Promise<boolean> {
    try {
        const [{ size: stored, metadata }] = await file.getMetadata();
        return Number(stored) === size && metadata?.[SHA256] === sha256;
    } catch (error) {
        if (statusOf(error) === 404) {
            return false;
        }
        throw error;
    }
}

async function refuseOther(file: File, { crc32c }: Digest): Promise<void> {
    if (file.metadata.crc32c !== crc32c) {
        await file.delete();
        throw new Broken("what was stored is not what was sent");
    }
}
