/** A piece of what a container printed. */
export interface Piece {
    readonly stream: "stdout" | "stderr";
    readonly bytes: Buffer;
}

const HEADER_BYTES = 8;

/** Splits the daemon's log stream: each frame has a header of the stream's number and the length of what follows. */
export class Demux {
    private header: Buffer = Buffer.alloc(0);
    private left = 0;
    private stream: Piece["stream"] = "stdout";

    /** What is in these bytes; frames may begin and end anywhere. Several frames of a stream become one piece. */
    push(chunk: Buffer): Piece[] {
        const pieces: Piece[] = [];
        let parts: Buffer[] = [];
        let stream = this.stream;
        const flush = () => {
            if (parts.length > 0) {
                pieces.push({ stream, bytes: parts.length === 1 ? parts[0] : Buffer.concat(parts) });
                parts = [];
            }
        };
        for (let at = 0; at < chunk.length;) {
            if (this.left === 0) {
                const needed = HEADER_BYTES - this.header.length;
                this.header = Buffer.concat([this.header, chunk.subarray(at, at + needed)]);
                at += needed;
                if (this.header.length === HEADER_BYTES) {
                    this.stream = this.header[0] === 2 ? "stderr" : "stdout";
                    this.left = this.header.readUInt32BE(4);
                    this.header = Buffer.alloc(0);
                }
                continue;
            }
            if (this.stream !== stream) {
                flush();
                stream = this.stream;
            }
            const bytes = chunk.subarray(at, at + this.left);
            parts.push(bytes);
            this.left -= bytes.length;
            at += bytes.length;
        }
        flush();
        return pieces;
    }
}
