import * as fs from "node:fs";
import type Docker from "dockerode";
import { ProviderError } from "../../../../src/provider/handler";
import type { Upload } from "./containerOptions";
import { tarStream } from "./tar";

/** Files that are put into a container before it starts. */
export async function uploadFiles(container: Docker.Container, uploads: readonly Upload[]): Promise<void> {
    for (const upload of uploads) {
        const pack = tarStream.pack();
        const mode = upload.permissions
            ? Number.parseInt(upload.permissions, 8)
            : upload.executable
              ? 0o744
              : 0o644;
        const owner = { uid: Number(upload.owner ?? 0), gid: Number(upload.group ?? 0) };
        pack.entry({ name: upload.file.replace(/^\//, ""), mode, ...owner }, contentOf(upload));
        pack.finalize();
        await container.putArchive(pack, { path: "/" });
    }
}

function contentOf({ file, content, contentBase64, source }: Upload): Buffer {
    const given = [content, contentBase64, source].filter((value) => value);
    if (given.length !== 1) {
        throw new ProviderError(
            `error with upload content: ${file}: exactly one of 'content', 'contentBase64' and 'source' must be set`,
        );
    }
    if (source) {
        return fs.readFileSync(source);
    }
    return content ? Buffer.from(content) : Buffer.from(contentBase64 as string, "base64");
}
