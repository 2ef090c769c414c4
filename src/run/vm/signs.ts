import type { Context } from "./context";
import type { Fields } from "./objects";

const CONSOLE_EVERY_MS = 15_000;

/** Signs of life of a machine that is on. Only the time here counts, and whether something changes: clocks may differ. */
export class Signs {
    /** Nothing was heard of this boot. */
    waiting = true;
    private since?: number;
    private last = "";
    private nextConsole = 0;

    constructor(private readonly context: Pick<Context, "clock" | "limits">) {}

    /** Nobody was listening. */
    anew(): void {
        this.since = undefined;
    }

    /** Another boot. */
    reboot(): void {
        this.waiting = true;
        this.since = undefined;
        this.last = "";
    }

    heard(): void {
        this.waiting = false;
        this.since = this.context.clock.now();
    }

    /** Its beat, as it was just read: it stands still, or not. */
    beat(beat: Fields | undefined): void {
        const { clock } = this.context;
        this.since ??= clock.now();
        const count = `${beat?.generation}-${beat?.count}-${beat?.phase}`;
        if (!this.waiting && count !== this.last) {
            this.last = count;
            this.since = clock.now();
        }
    }

    /** For too long. */
    get hang(): boolean {
        const { clock, limits } = this.context;
        const most = this.waiting ? limits.bootMs : limits.silenceMs;
        return this.since !== undefined && clock.now() - this.since >= most;
    }

    /** The console is looked at only while a machine boots, and then now and then. */
    get consoleIsDue(): boolean {
        const now = this.context.clock.now();
        if (now < this.nextConsole) {
            return false;
        }
        this.nextConsole = now + CONSOLE_EVERY_MS;
        return true;
    }
}
