import * as fs from "node:fs/promises";
import { LineSplitter } from "./lines";

const CHUNK_BYTES = 1 << 20;

/** Reads what is appended to a file, in whole lines; memory does not grow with the file or with a line. */
export class Tail {
    private readonly lines = new LineSplitter();
    private readonly chunk = Buffer.allocUnsafe(CHUNK_BYTES);

    constructor(
        private readonly file: string,
        private offset: number,
    ) {}

    /** The next lines, at most about one chunk of them; none at the file's present end. */
    async next(): Promise<string[]> {
        const handle = await fs.open(this.file).catch(() => undefined);
        if (!handle) {
            return [];
        }
        try {
            for (;;) {
                const { bytesRead } = await handle.read(this.chunk, 0, CHUNK_BYTES, this.offset);
                if (bytesRead === 0) {
                    return [];
                }
                this.offset += bytesRead;
                const lines = this.lines.push(this.chunk.subarray(0, bytesRead));
                if (lines.length > 0) {
                    return lines;
                }
            }
        } finally {
            await handle.close();
        }
    }

    /** What stands behind the last line's end, when nothing more will be written. */
    rest(): string[] {
        return this.lines.rest();
    }
}
