import { PassThrough } from "node:stream";
import { Terminal } from "../../../src/cli/terminal";
import { TerminalSink } from "../../../src/cli/terminalSink";
import { newSnapshot } from "../../../src/run/snapshot";
import { pipelineOf } from "../../support/pipelines";

/** What a terminal, or a pipe, was sent. */
class Screen extends PassThrough {
    readonly isTTY: boolean;
    columns = 20;
    private readonly chunks: string[] = [];

    constructor(isTTY: boolean) {
        super();
        this.isTTY = isTTY;
        this.on("data", (chunk: Buffer) => this.chunks.push(chunk.toString("utf8")));
    }

    get text(): string {
        return this.chunks.join("");
    }
}

const open = (isTTY: boolean) => {
    const screen = new Screen(isTTY);
    const stream = screen as unknown as NodeJS.WriteStream;
    return { screen, terminal: new Terminal(stream, stream) };
};
const CLEAR = "\r\u001b[2K";

describe("Terminal", () => {
    const { TERM, NO_COLOR } = process.env;
    beforeEach(() => {
        process.env.TERM = "xterm";
        delete process.env.NO_COLOR;
    });
    afterAll(() => {
        Object.assign(
            process.env,
            TERM === undefined ? {} : { TERM },
            NO_COLOR === undefined ? {} : { NO_COLOR },
        );
    });

    it("keeps the status line below all others, and no longer than a line", () => {
        const { screen, terminal } = open(true);
        terminal.setStatus("a status of more than twenty columns");
        terminal.line("text");
        const status = "\u001b[90ma status of more th\u001b[0m";
        expect(screen.text).toBe(`${status}${CLEAR}text\n${status}`);
    });

    it("has neither colours nor a status line where there is no terminal", () => {
        const { screen, terminal } = open(false);
        terminal.setStatus("status");
        terminal.line(terminal.paint("red", "text"));
        expect(screen.text).toBe("text\n");
    });

    it("has no colours with NO_COLOR, but a status line", () => {
        process.env.NO_COLOR = "1";
        const { screen, terminal } = open(true);
        terminal.setStatus("status");
        terminal.line(terminal.paint("red", terminal.foreign("\u001b[31mtext\u001b[0m")));
        expect(screen.text).toBe(`status${CLEAR}text\nstatus`);
    });

    it.each([
        ["\u001b[32mgreen", "\u001b[32mgreen\u001b[0m"],
        ["\u001b[2J\u001b[Hover\u001b[1A", "over"],
        ["10 %\r50 %\r100 %\r", "100 %"],
        ["\u001b]0;title\u0007text\u0007\ttab", "text\ttab"],
        ["plain ü 😀", "plain ü 😀"],
    ])("shows %j, which a step wrote, as %j; a pipe gets it as it is", (text, shown) => {
        expect(open(true).terminal.foreign(text)).toBe(shown);
        expect(open(false).terminal.foreign(text)).toBe(text);
    });

    it("writes nothing more when its reader has gone, and says so once", () => {
        const { screen, terminal } = open(false);
        let left = 0;
        terminal.whenGone(() => left++);
        screen.emit("error", Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
        terminal.line("nobody reads this");
        expect(left).toBeGreaterThan(0);
        expect(screen.text).toBe("");
    });
});

describe("TerminalSink", () => {
    const head = { n: 1, nonce: "x", time: "2026-11-22T12:00:00Z", attempt: 1 };
    const run = { runId: "r", attempt: 1, runDir: "/nowhere" };

    it("shows every line with its step, and how each step ends", () => {
        const { screen, terminal } = open(false);
        const pipeline = pipelineOf("load", "training");
        const sink = new TerminalSink(terminal, ["load", "training"], "run r, attempt 1");
        const snapshot = newSnapshot(run, pipeline);
        sink.log([
            { step: "load", text: "1" },
            { step: "", text: "of the runner" },
        ]);
        const end = { type: "step.finished", try: 1, durationSeconds: 2, exitCode: 0, reason: "" } as const;
        sink.changed(snapshot, {
            type: "event",
            event: { ...head, ...end, step: "load", state: "Succeeded" },
        });
        sink.changed(snapshot, {
            type: "event",
            event: {
                ...head,
                type: "step.retrying",
                step: "training",
                try: 1,
                exitCode: 3,
                delaySeconds: 5,
                reason: "StepFailed",
            },
        });
        sink.changed(snapshot, { type: "interrupted", message: "the machine was taken" });
        sink.changed(snapshot, {
            type: "event",
            event: { ...head, ...end, step: "training", state: "Failed", exitCode: 3, reason: "StepFailed" },
        });
        sink.changed(snapshot, {
            type: "event",
            event: {
                ...head,
                ...end,
                step: "training",
                state: "Failed",
                exitCode: 143,
                reason: "StepTimedOut",
            },
        });
        sink.changed(snapshot, {
            type: "event",
            event: {
                ...head,
                ...end,
                step: "training",
                state: "Cancelled",
                exitCode: 143,
                reason: "Cancelled",
            },
        });
        sink.end();
        expect(screen.text.split("\n")).toEqual([
            "▶ run r, attempt 1",
            "load     │ 1",
            "         │ of the runner",
            "✔ load · 2.0 s",
            "↻ training: try 1 failed (exit code 3); again in 5 s",
            "! the machine was taken; the run goes on as soon as it has a machine again",
            "✘ training: failed with exit code 3 · 2.0 s",
            "✘ training: failed (StepTimedOut) · 2.0 s",
            "✘ training: cancelled · 2.0 s",
            "",
        ]);
    });

    it("shows what the run waits for, and clears the status line at its end", () => {
        const { screen, terminal } = open(true);
        const sink = new TerminalSink(terminal, ["load"], "run r");
        sink.changed(newSnapshot(run, pipelineOf("load")), { type: "status", text: "pulling" });
        expect(screen.text).toContain("pulling · 0.0 s");
        sink.end();
        expect(screen.text.endsWith(CLEAR)).toBe(true);
    });
});
