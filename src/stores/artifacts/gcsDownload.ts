import { randomUUID } from "node:crypto";
import { createWriteStream, promises as fs } from "node:fs";
import * as path from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { File, FileMetadata } from "@google-cloud/storage";
import type { GcsContext } from "./gcs";
import { Broken, statusOf } from "./gcsErrors";
import { whileMoving } from "./idle";
import { retrying } from "./retry";
import type { TransferOptions } from "./types";

/** Writes an object to a file; a connection that breaks is taken up where it broke, as long as the object is the same. */
export async function download(
    context: GcsContext,
    name: string,
    target: string,
    options: TransferOptions,
): Promise<FileMetadata> {
    await fs.mkdir(path.dirname(target), { recursive: true });
    const temporary = `${target}.${randomUUID()}`;
    let of: FileMetadata | undefined;
    try {
        return await retrying(context.retrying, async (progressed) => {
            of ??= (await context.bucket.file(name).getMetadata())[0];
            // As it was at the beginning: another one may take its place meanwhile.
            const file = context.bucket.file(name, { generation: of.generation });
            try {
                await fetchRest(context, file, of, temporary, options, progressed);
                await check(context, of, temporary);
            } catch (error) {
                const replaced = statusOf(error) === 404;
                if (error instanceof Other || replaced) {
                    await fs.rm(temporary, { force: true });
                    of = undefined;
                }
                throw replaced ? new Broken("the object is another one now", { cause: error }) : error;
            }
            await fs.rename(temporary, target);
            return of;
        });
    } finally {
        await fs.rm(temporary, { force: true });
    }
}

/** What has come over is not what is stored. */
class Other extends Broken {}

async function fetchRest(
    { retrying: { patience } }: GcsContext,
    file: File,
    of: FileMetadata,
    temporary: string,
    { onProgress, signal }: TransferOptions,
    progressed: () => void,
): Promise<void> {
    const total = Number(of.size);
    let done = (await sizeOf(temporary)) ?? 0;
    if (total === 0) {
        return fs.writeFile(temporary, "");
    }
    if (done >= total) {
        return;
    }
    await whileMoving(patience.idleMs, signal, async (moved, until) => {
        const watch = new Transform({
            transform(chunk: Buffer, _encoding, next) {
                done += chunk.length;
                moved();
                progressed();
                onProgress?.(done, total);
                next(null, chunk);
            },
        });
        const range = done > 0 ? { start: done, end: total - 1 } : {};
        const input = file.createReadStream({ ...range, validation: false, decompress: false });
        await pipeline(input, watch, createWriteStream(temporary, { flags: "a", flush: true }), {
            signal: until,
        });
    });
    if (done < total) {
        throw new Broken(`the connection broke after ${done} of ${total} bytes`);
    }
}

async function check({ sdk }: GcsContext, { crc32c, size }: FileMetadata, file: string): Promise<void> {
    const found = (await sdk.CRC32C.fromFile(file)).toString();
    if ((await sizeOf(file)) !== Number(size) || (crc32c !== undefined && found !== crc32c)) {
        throw new Other("what has come over is not what is stored");
    }
}

async function sizeOf(file: string): Promise<number | undefined> {
    try {
        return (await fs.stat(file)).size;
    } catch {
        return undefined;
    }
}
