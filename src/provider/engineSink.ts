import type { FollowItem, LogLine } from "../run/follower";
import type { FollowSink } from "../run/followRun";
import { formatSeconds, isFinal, type RunSnapshot } from "../run/snapshot";
import type { ResourceLog } from "./engineLog";

// The engine keeps every line in its event stream, and prints it once more under Diagnostics.
const LINES_IN_ALL = 1000;
const LINES_PER_SECOND = 100;
const LINES_AT_ONCE = 300;
/** Shown of a step that failed, even when the budget was used up by then. */
const LAST_LINES = 20;
const STATUS_EVERY_MS = 1000;

export interface EngineSinkOptions {
    readonly log: ResourceLog;
    /** Tells where the whole log is. */
    readonly whereLog: string;
    readonly now?: () => number;
}

/**
 * Shows a run under its resource: log lines within a budget, and a status text such as `train 3/7 · 12 s`. Secrets are masked
 * before: by `followRun`.
 */
export class EngineSink implements FollowSink {
    private shown = 0;
    private leftOut = 0;
    private tokens = LINES_AT_ONCE;
    private refilled: number;
    private readonly last = new Map<string, { text: string; shown: boolean }[]>();
    private readonly timer: NodeJS.Timeout;
    private snapshot?: RunSnapshot;
    private waiting = "";
    private readonly now: () => number;
    private readonly begun: number;

    constructor(private readonly options: EngineSinkOptions) {
        this.now = options.now ?? Date.now;
        this.begun = this.refilled = this.now();
        this.timer = setInterval(() => this.showStatus(), STATUS_EVERY_MS);
        this.timer.unref();
    }

    log(lines: readonly LogLine[]): void {
        this.refill();
        // Only the last lines of a batch can become the last lines of a step: the others need not be kept.
        lines.forEach((line, index) => this.line(line, index >= lines.length - 50 * LAST_LINES));
    }

    changed(run: RunSnapshot, item: FollowItem): void {
        this.snapshot = run;
        if (item.type === "status") {
            this.waiting = item.text;
        } else if (item.type === "interrupted") {
            this.options.log.warn(`${item.message}; the run goes on as soon as it has a machine again`);
        } else if (item.type === "event") {
            this.event(item.event);
        }
        this.showStatus();
    }

    /** Says what was left out; to be called once, at the end. */
    end(): void {
        clearInterval(this.timer);
        if (this.leftOut > 0) {
            const lines = this.leftOut === 1 ? "1 line is" : `${this.leftOut.toLocaleString("en")} lines are`;
            this.options.log.info(`${lines} not shown here; the whole log: ${this.options.whereLog}`);
        }
    }

    private event(event: Extract<FollowItem, { type: "event" }>["event"]): void {
        switch (event.type) {
            case "step.started":
                this.waiting = "";
                this.last.delete(event.step);
                break;
            case "step.retrying":
                this.options.log.info(
                    `${event.step}: try ${event.try} failed (exit code ${event.exitCode}); again in ${event.delaySeconds} s`,
                );
                break;
            case "step.reused":
                this.options.log.info(`${event.step}: finished in an earlier attempt, not run again`);
                break;
            case "step.finished":
                if (event.state === "Failed") {
                    this.showLast(event.step);
                }
                this.last.delete(event.step);
                break;
        }
    }

    private line(line: LogLine, keep: boolean): void {
        const within = this.shown < LINES_IN_ALL && this.tokens >= 1;
        if (within) {
            this.tokens--;
            this.shown++;
            this.options.log.info(render(line));
        } else {
            this.leftOut++;
        }
        if (keep) {
            this.remember(line, within);
        }
    }

    private remember({ step, text }: LogLine, shown: boolean): void {
        const last = this.last.get(step) ?? [];
        last.push({ text, shown });
        if (last.length > LAST_LINES) {
            last.shift();
        }
        this.last.set(step, last);
    }

    private showLast(step: string): void {
        const missing = (this.last.get(step) ?? []).filter((line) => !line.shown);
        if (missing.length > 0) {
            this.options.log.info(`the last lines of step ${step}:`);
            missing.forEach(({ text }) => this.options.log.info(render({ step, text })));
            this.leftOut -= missing.length;
        }
    }

    private refill(): void {
        const now = this.now();
        this.tokens = Math.min(
            LINES_AT_ONCE,
            this.tokens + ((now - this.refilled) / 1000) * LINES_PER_SECOND,
        );
        this.refilled = now;
    }

    private showStatus(): void {
        if (this.snapshot) {
            this.options.log.status(
                statusText(this.snapshot, this.waiting, (this.now() - this.begun) / 1000),
            );
        }
    }
}

/** `train 3/7 · 12 s`, and after the end `Succeeded: 7 steps in 14 s`. */
export function statusText(run: RunSnapshot, waiting: string, seconds: number): string {
    if (isFinal(run.status)) {
        return `${run.status}: ${run.message}`;
    }
    const running = run.steps.filter((step) => step.state === "Running").map((step) => step.name);
    const begun = run.steps.filter((step) => step.state !== "Pending").length;
    const what =
        running.length > 0 ? `${running.join(", ")} ${begun}/${run.steps.length}` : waiting || run.status;
    return `${what} · ${formatSeconds(seconds)}`;
}

function render({ step, text }: LogLine): string {
    return step ? `${step} | ${text}` : text;
}
