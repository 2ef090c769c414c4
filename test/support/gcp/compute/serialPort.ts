const CAPACITY = 1024 * 1024;

export interface SerialOutput {
    readonly contents: string;
    readonly start: string;
    readonly next: string;
}

/** What a machine writes to its first serial port: the last MB of it is kept. Positions are bytes since the first start. */
export class SerialPort {
    private kept = Buffer.alloc(0);
    private dropped = 0;

    constructor(private readonly capacity = CAPACITY) {}

    write(chunk: Buffer): void {
        const all = Buffer.concat([this.kept, chunk]);
        const excess = Math.max(0, all.length - this.capacity);
        this.kept = all.subarray(excess);
        this.dropped += excess;
    }

    /** From a position, or with a negative one the last bytes; what is gone is left out, and `start` says so. */
    read(start: number): SerialOutput {
        const end = this.dropped + this.kept.length;
        const from = Math.min(end, Math.max(this.dropped, start < 0 ? end + start : start));
        const bytes = this.kept.subarray(from - this.dropped);
        const whole = bytes.subarray(0, bytes.length - cutCharacter(bytes));
        return { contents: whole.toString("utf8"), start: String(from), next: String(from + whole.length) };
    }

    get text(): string {
        return this.kept.toString("utf8");
    }
}

// How many bytes at the end begin a character whose rest has not come yet.
function cutCharacter(bytes: Buffer): number {
    for (let back = 1; back <= Math.min(3, bytes.length); back++) {
        const byte = bytes[bytes.length - back] as number;
        if (byte >= 0xc0) {
            const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
            return length > back ? back : 0;
        }
        if (byte < 0x80) {
            return 0;
        }
    }
    return 0;
}
