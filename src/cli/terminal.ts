import { formatSeconds, type RunSnapshot } from "../run/snapshot";
import { statusText } from "../provider/engineSink";
import type { FollowItem, LogLine } from "../run/follower";
import type { FollowSink } from "../run/followRun";

type Color = "red" | "green" | "yellow" | "cyan" | "gray" | "bold";
const CODES: Readonly<Record<Color, number>> = { red: 31, green: 32, yellow: 33, cyan: 36, gray: 90, bold: 1 };
const STEP_COLORS: readonly Color[] = ["cyan", "yellow", "green"];
const REDRAW_MS = 250;

/** Where the command writes: colour and a status line only on a terminal. */
export class Terminal {
    private status = "";
    readonly isTerminal: boolean;
    private readonly colors: boolean;

    constructor(
        private readonly out: NodeJS.WriteStream = process.stdout,
        private readonly err: NodeJS.WriteStream = process.stderr,
    ) {
        this.isTerminal = out.isTTY === true && process.env.TERM !== "dumb";
        this.colors = this.isTerminal && !process.env.NO_COLOR;
    }

    line(text = ""): void {
        this.clear();
        this.out.write(`${text}\n${this.status}`);
    }

    lines(texts: readonly string[]): void {
        this.clear();
        this.out.write(`${texts.join("\n")}\n${this.status}`);
    }

    error(text: string): void {
        this.clear();
        this.err.write(`${text}\n`);
    }

    /** The line below all others, written over by the next one. Nothing where there is no terminal. */
    setStatus(text: string): void {
        if (this.isTerminal) {
            this.clear();
            const width = (this.out.columns ?? 80) - 1;
            this.status = text ? this.paint("gray", text.slice(0, width)) : "";
            this.out.write(this.status);
        }
    }

    paint(color: Color, text: string): string {
        return this.colors ? `\u001b[${CODES[color]}m${text}\u001b[0m` : text;
    }

    private clear(): void {
        if (this.status) {
            this.out.write("\r\u001b[2K");
        }
    }
}

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
    ) {
        this.width = Math.max(...steps.map((step) => step.length), 4);
        this.timer = setInterval(() => this.showStatus(), REDRAW_MS);
        this.timer.unref();
    }

    log(lines: readonly LogLine[]): void {
        this.terminal.lines(lines.map(({ step, text }) => `${this.label(step)} ${text}`));
    }

    changed(run: RunSnapshot, item: FollowItem): void {
        this.snapshot = run;
        this.waiting = item.type === "status" ? item.text : this.waiting;
        const line = item.type === "event" ? this.eventLine(item.event, run) : undefined;
        if (line) {
            this.terminal.line(line);
        }
        if (item.type === "interrupted") {
            this.terminal.line(this.terminal.paint("yellow", `! ${item.message}`));
        }
        this.showStatus();
    }

    end(): void {
        clearInterval(this.timer);
        this.terminal.setStatus("");
    }

    private eventLine(event: Extract<FollowItem, { type: "event" }>["event"], run: RunSnapshot): string | undefined {
        const { paint } = this.terminal;
        const mark = (color: Color, sign: string, text: string) => `${paint.call(this.terminal, color, sign)} ${text}`;
        switch (event.type) {
            case "run.started":
                return mark("bold", "▶", `run ${run.runId}, attempt ${run.attempt}`);
            case "step.finished":
                return event.state === "Succeeded"
                    ? mark("green", "✔", `${event.step} · ${formatSeconds(event.durationSeconds)}`)
                    : mark("red", "✘", `${event.step}: ${event.state} (${event.reason || `exit code ${event.exitCode}`}) · ${formatSeconds(event.durationSeconds)}`);
            case "step.retrying":
                return mark("yellow", "↻", `${event.step}: try ${event.try} failed (exit code ${event.exitCode}); again in ${event.delaySeconds} s`);
            case "step.reused":
                return mark("green", "✔", `${event.step} · finished in an earlier attempt`);
            case "step.skipped":
                return mark("gray", "–", `${event.step}: skipped`);
            default:
                return undefined;
        }
    }

    private label(step: string): string {
        const index = this.steps.indexOf(step);
        return this.terminal.paint(STEP_COLORS[Math.max(0, index) % STEP_COLORS.length], `${step.padEnd(this.width)} │`);
    }

    private showStatus(): void {
        if (this.snapshot) {
            this.terminal.setStatus(statusText(this.snapshot, this.waiting, (Date.now() - this.begun) / 1000));
        }
    }
}
