import { statusText } from "../provider/engineSink";
import type { FollowItem, LogLine } from "../run/follower";
import type { FollowSink } from "../run/followRun";
import { formatSeconds, type RunSnapshot } from "../run/snapshot";
import type { Color, Terminal } from "./terminal";

const STEP_COLORS: readonly Color[] = ["cyan", "yellow", "green"];
const REDRAW_MS = 250;

type Event = Extract<FollowItem, { type: "event" }>["event"];

/** Shows a run on the terminal while it is followed: every line of its log, and how its steps fare. */
export class TerminalSink implements FollowSink {
    private readonly begun = Date.now();
    private readonly timer: NodeJS.Timeout;
    private snapshot?: RunSnapshot;
    private waiting = "";
    private readonly width: number;

    constructor(
        private readonly terminal: Terminal,
        private readonly steps: readonly string[],
        headline: string,
    ) {
        this.width = Math.max(...steps.map((step) => step.length), 4);
        terminal.line(this.mark("bold", "▶", headline));
        this.timer = setInterval(() => this.showStatus(), REDRAW_MS);
        this.timer.unref();
    }

    log(lines: readonly LogLine[]): void {
        this.terminal.lines(
            lines.map(({ step, text }) => `${this.label(step)} ${this.terminal.foreign(text)}`),
        );
    }

    changed(run: RunSnapshot, item: FollowItem): void {
        this.snapshot = run;
        this.waiting =
            item.type === "status"
                ? this.terminal.foreign(item.text)
                : item.type === "event"
                  ? ""
                  : this.waiting;
        const line = item.type === "event" ? this.eventLine(item.event) : undefined;
        if (line) {
            this.terminal.line(line);
        }
        if (item.type === "interrupted") {
            this.terminal.line(
                this.terminal.paint(
                    "yellow",
                    `! ${item.message}; the run goes on as soon as it has a machine again`,
                ),
            );
        }
        this.showStatus();
    }

    end(): void {
        clearInterval(this.timer);
        this.terminal.setStatus("");
    }

    private eventLine(event: Event): string | undefined {
        switch (event.type) {
            case "step.finished":
                return event.state === "Succeeded"
                    ? this.mark("green", "✔", `${event.step} · ${formatSeconds(event.durationSeconds)}`)
                    : this.mark(
                          "red",
                          "✘",
                          `${event.step}: ${describeEnd(event)} · ${formatSeconds(event.durationSeconds)}`,
                      );
            case "step.retrying":
                return this.mark(
                    "yellow",
                    "↻",
                    `${event.step}: try ${event.try} failed (exit code ${event.exitCode}); again in ${event.delaySeconds} s`,
                );
            case "step.reused":
                return this.mark("green", "✔", `${event.step} · finished in an earlier attempt`);
            case "step.skipped":
                return this.mark("gray", "–", `${event.step}: skipped`);
            default:
                return undefined;
        }
    }

    private mark(color: Color, sign: string, text: string): string {
        return `${this.terminal.paint(color, sign)} ${text}`;
    }

    private label(step: string): string {
        const index = this.steps.indexOf(step);
        return this.terminal.paint(
            STEP_COLORS[Math.max(0, index) % STEP_COLORS.length] ?? "cyan",
            `${step.padEnd(this.width)} │`,
        );
    }

    private showStatus(): void {
        if (this.snapshot) {
            this.terminal.setStatus(
                statusText(this.snapshot, this.waiting, (Date.now() - this.begun) / 1000),
            );
        }
    }
}

function describeEnd({ state, reason, exitCode }: Extract<Event, { type: "step.finished" }>): string {
    if (state === "Cancelled") {
        return "cancelled";
    }
    return reason && reason !== "StepFailed" ? `failed (${reason})` : `failed with exit code ${exitCode}`;
}
