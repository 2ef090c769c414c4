/** Looked at again, even if nothing has been heard: times run out. */
const LOOK_MS = 1_000;

/** Whether something has changed since it was last looked at. */
export class News {
    private fresh = false;
    private wake?: () => void;

    constructor(private readonly signal: AbortSignal) {}

    come(): void {
        this.fresh = true;
        this.wake?.();
    }

    /** Until something has changed, a second is over, or nobody wants to know any more. */
    async wait(): Promise<void> {
        if (!this.fresh) {
            await this.untilSomething();
        }
        this.fresh = false;
    }

    private untilSomething(): Promise<void> {
        return new Promise((resolve) => {
            const { signal } = this;
            const done = () => {
                clearTimeout(timer);
                signal.removeEventListener("abort", done);
                resolve();
            };
            const timer = setTimeout(done, LOOK_MS);
            signal.addEventListener("abort", done);
            this.wake = done;
        });
    }
}
