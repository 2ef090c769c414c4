import { createWriteStream } from "node:fs";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Header } from "tar-stream";

/**
 * Unpacks a tar stream into a folder that is new and empty. What a container holds is not to be trusted: nothing is
 * written outside of the folder, and no link is written through, because links are made last.
 */
export async function unpack(archive: NodeJS.ReadableStream, folder: string): Promise<void> {
    const { extract } = await import("tar-stream");
    const entries = extract();
    const links: { at: string; header: Header }[] = [];
    const read = async () => {
        for await (const entry of entries) {
            const { header } = entry;
            const at = inside(folder, header.name);
            if (header.type === "directory") {
                await fs.mkdir(at, { recursive: true });
            } else if (header.type === "file" || header.type === "contiguous-file") {
                await fs.mkdir(path.dirname(at), { recursive: true });
                const mode = (header.mode ?? 0) & 0o111 ? 0o755 : 0o644;
                await pipeline(entry as unknown as Readable, createWriteStream(at, { flags: "wx", mode }));
                continue;
            } else if (header.type === "symlink" || header.type === "link") {
                links.push({ at, header });
            }
            // What else there may be (sockets, devices, pipes) is no output.
            entry.resume();
        }
    };
    await Promise.all([pipeline(archive, entries as unknown as NodeJS.WritableStream), read()]);
    for (const { at, header } of links) {
        await link(folder, at, header);
    }
}

async function link(folder: string, at: string, { type, linkname }: Header): Promise<void> {
    const target = linkname ?? "";
    await fs.mkdir(path.dirname(at), { recursive: true });
    if (type === "link") {
        await fs.copyFile(inside(folder, target), at, fs.constants.COPYFILE_EXCL);
        return;
    }
    // One that leads elsewhere would name other things here than it did there.
    const leadsTo = path.resolve(path.dirname(at), target);
    if (!path.isAbsolute(target) && isInside(folder, leadsTo)) {
        await fs.symlink(target, at);
    }
}

function inside(folder: string, name: string): string {
    const at = path.resolve(folder, name);
    if (path.isAbsolute(name) || !isInside(folder, at)) {
        throw new Error(`the archive has an entry outside of its folder: ${JSON.stringify(name)}`);
    }
    return at;
}

function isInside(folder: string, file: string): boolean {
    return file === folder || file.startsWith(folder + path.sep);
}
