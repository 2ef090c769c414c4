import type { ProviderServer } from "../provider/server";
import { EXIT } from "./exit";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * Ctrl-C. While a run is followed it is cancelled, and the command waits for its end; before that, the engine is told
 * to stop. A second Ctrl-C leaves at once: the steps have been told to end by then, and the engine ends by itself.
 */
export class Interrupts {
    private readonly abort = new AbortController();
    private count = 0;
    private readonly onSignal = () => this.interrupt();

    constructor(
        private readonly provider: ProviderServer,
        private readonly say: (line: string) => void,
        private readonly restoreTerminal: () => void,
    ) {
        SIGNALS.forEach((name) => process.on(name, this.onSignal));
    }

    /** Aborted: nothing more is to be begun. */
    get signal(): AbortSignal {
        return this.abort.signal;
    }

    get interrupted(): boolean {
        return this.count > 0;
    }

    dispose(): void {
        SIGNALS.forEach((name) => process.off(name, this.onSignal));
    }

    private interrupt(): void {
        this.count++;
        if (this.count > 1) {
            this.restoreTerminal();
            this.say("left; `stackrun status` tells how the run ended");
            process.exit(EXIT.cancelled);
        }
        if (this.provider.busy) {
            // Not the engine: it would stop before the outputs of the cancelled run are recorded.
            this.say("cancelling: the running steps are told to end … (Ctrl-C again: leave at once)");
            this.provider.cancel();
        } else {
            this.say("cancelling …");
            this.provider.cancel();
            this.abort.abort();
        }
    }
}
