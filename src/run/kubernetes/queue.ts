/** Hands items from who makes them to who iterates over them; who makes them waits when nobody takes them. */
export class Queue<T> implements AsyncIterable<T> {
    private readonly items: T[] = [];
    private ended = false;
    private error?: unknown;
    private wakeReader?: () => void;
    private wakeWriters: (() => void)[] = [];

    constructor(private readonly room = 16) {}

    /** Resolves when there is room again; at once when nobody reads any more. */
    async put(item: T): Promise<void> {
        this.items.push(item);
        this.wakeReader?.();
        while (this.items.length > this.room && !this.ended) {
            await new Promise<void>((resolve) => this.wakeWriters.push(resolve));
        }
    }

    end(error?: unknown): void {
        this.ended = true;
        this.error = error;
        this.wakeReader?.();
        this.wakeAllWriters();
    }

    async *[Symbol.asyncIterator](): AsyncIterator<T> {
        for (;;) {
            const item = this.items.shift();
            if (item !== undefined) {
                this.wakeAllWriters();
                yield item;
            } else if (this.ended) {
                if (this.error !== undefined) {
                    throw this.error;
                }
                return;
            } else {
                await new Promise<void>((resolve) => (this.wakeReader = resolve));
            }
        }
    }

    private wakeAllWriters(): void {
        this.wakeWriters.forEach((wake) => wake());
        this.wakeWriters = [];
    }
}
