import { createHash } from "node:crypto";
import { constants, promises as fs, type BigIntStats } from "node:fs";
import { isPrivateKey, LOOK_AT } from "./never";
import type { Digest } from "./hashCache";

const CHUNK = 1024 * 1024;

/** The file is not, or no longer, what was seen before. */
export class FileChanged extends Error {
    override readonly name = "FileChanged";
}

/** Never through a link that took the file's place, and never waiting for the other end of a pipe that did. */
export const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Reads a file's content. Throws `FileChanged` if it changed since `seen`, or while it was read. */
export async function digest(file: string, shownAs: string, seen: BigIntStats): Promise<Digest> {
    const handle = await open(file);
    try {
        if (!isSame(await handle.stat({ bigint: true }), seen)) {
            throw new FileChanged();
        }
        const size = Number(seen.size);
        const buffer = Buffer.allocUnsafe(Math.max(1, Math.min(size + 1, CHUNK)));
        const hash = createHash("sha256");
        let privateKey = false;
        let read = 0;
        for (let count = -1; count !== 0; read += count) {
            count = (await handle.read(buffer, 0, buffer.length)).bytesRead;
            const chunk = buffer.subarray(0, count);
            hash.update(chunk);
            privateKey ||= read === 0 && isPrivateKey(shownAs, chunk.subarray(0, LOOK_AT));
        }
        if (read !== size || !isSame(await handle.stat({ bigint: true }), seen)) {
            throw new FileChanged();
        }
        return { sha256: hash.digest("hex"), privateKey };
    } finally {
        await handle.close();
    }
}

async function open(file: string): Promise<fs.FileHandle> {
    try {
        return await fs.open(file, READ_FLAGS);
    } catch (error) {
        throw isGone(error as NodeJS.ErrnoException) ? new FileChanged() : error;
    }
}

/** Whether what was a file is none any more. */
export function isGone({ code }: NodeJS.ErrnoException): boolean {
    return ["ENOENT", "ENOTDIR", "ELOOP", "ENXIO"].includes(code ?? "");
}

function isSame(a: BigIntStats, b: BigIntStats): boolean {
    return a.ino === b.ino && a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs;
}
