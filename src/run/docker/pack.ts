import { createReadStream } from "node:fs";
import * as fs from "node:fs/promises";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Owner } from "./user";

/** What is put into a container: text, or a file of this machine. */
export type Packed =
    | { readonly path: string; readonly type: "folder"; readonly mode: number }
    | { readonly path: string; readonly type: "text"; readonly mode: number; readonly text: string }
    | { readonly path: string; readonly type: "file"; readonly mode: number; readonly source: string };

/** A tar stream for the daemon's archive API; memory does not grow with the files. */
export async function packed(entries: readonly Packed[], { uid, gid }: Owner): Promise<Readable> {
    const { pack } = await import("tar-stream");
    const archive = pack();
    const feed = async () => {
        for (const entry of entries) {
            const { path: name, mode } = entry;
            const header = { name, mode, uid, gid };
            switch (entry.type) {
                case "folder":
                    archive.entry({ ...header, type: "directory" });
                    break;
                case "text":
                    archive.entry(header, entry.text);
                    break;
                case "file": {
                    const { size } = await fs.stat(entry.source);
                    await pipeline(createReadStream(entry.source), archive.entry({ ...header, size }));
                    break;
                }
            }
        }
        archive.finalize();
    };
    feed().catch((error: Error) => archive.destroy(error));
    return archive as unknown as Readable;
}
