import type { Readable } from "node:stream";
import type { Found } from "./container";
import { Demux, type Piece } from "./demux";

/** A container's log from its beginning until the container ends, the daemon goes, or `signal` is aborted. */
export async function* readLogs({ handle }: Found, signal: AbortSignal): AsyncIterable<Piece> {
    const options = { follow: true, stdout: true, stderr: true, abortSignal: signal } as const;
    const stream = (await handle.logs(options)) as unknown as Readable;
    const demux = new Demux();
    try {
        for await (const chunk of stream) {
            yield* demux.push(chunk as Buffer);
        }
    } finally {
        stream.destroy();
    }
}
