type Color = "red" | "green" | "yellow" | "cyan" | "gray" | "bold";
const CODES: Readonly<Record<Color, number>> = {
    red: 31,
    green: 32,
    yellow: 33,
    cyan: 36,
    gray: 90,
    bold: 1,
};

/** Where the command writes: colour and a status line only on a terminal. */
export class Terminal {
    private status = "";
    private gone = false;
    readonly isTerminal: boolean;
    private readonly colors: boolean;

    constructor(
        private readonly out: NodeJS.WriteStream = process.stdout,
        private readonly err: NodeJS.WriteStream = process.stderr,
    ) {
        this.isTerminal = out.isTTY === true && process.env.TERM !== "dumb";
        this.colors = this.isTerminal && !process.env.NO_COLOR;
    }

    /** What to do when nobody reads any more (`… | head`): without `leave`, the rest is written nowhere. */
    whenGone(leave?: () => void): void {
        const onError = (error: NodeJS.ErrnoException) => {
            if (error.code !== "EPIPE" && error.code !== "EIO") {
                throw error;
            }
            this.gone = true;
            leave?.();
        };
        this.out.on("error", onError);
        this.err.on("error", onError);
    }

    line(text = ""): void {
        this.lines([text]);
    }

    lines(texts: readonly string[]): void {
        this.clear();
        this.write(`${texts.join("\n")}\n${this.status}`);
    }

    error(text: string): void {
        this.clear();
        this.status = "";
        this.err.write(`${text}\n`);
    }

    /** The line below all others, written over by the next one. Nothing where there is no terminal. */
    setStatus(text: string): void {
        if (this.isTerminal) {
            this.clear();
            // One column is left free: a full line would wrap, and could not be cleared again.
            const width = Math.max(0, (this.out.columns || 80) - 1);
            this.status = text ? this.paint("gray", text.slice(0, width)) : "";
            this.write(this.status);
        }
    }

    paint(color: Color, text: string): string {
        return this.colors ? `\u001b[${CODES[color]}m${text}\u001b[0m` : text;
    }

    /**
     * A line that somebody else wrote. On a terminal it may have colours, but not move the cursor, and of a progress
     * bar only the last state is shown; elsewhere it is passed on as it is.
     */
    foreign(text: string): string {
        if (!this.isTerminal) {
            return text;
        }
        const last = text.replace(/\r+$/, "").split("\r").pop() ?? "";
        const plain = last.replaceAll(ESCAPES, (sequence) =>
            this.colors && COLOR.test(sequence) ? sequence : "",
        );
        return plain.includes("\u001b") ? `${plain}\u001b[0m` : plain;
    }

    private write(text: string): void {
        if (!this.gone && text) {
            this.out.write(text);
        }
    }

    private clear(): void {
        if (this.status) {
            this.write("\r\u001b[2K");
        }
    }
}

/* eslint-disable no-control-regex -- these are what is looked for */
const COLOR = /^\u001b\[[\d;:]*m$/;
// Control sequences (colours, cursor movements), titles, and single control characters except the tab.
const ESCAPES =
    /\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[@-Z\\-_]?|[\u0000-\u0008\u000a-\u001a\u001c-\u001f\u007f]/g;
/* eslint-enable no-control-regex */

export type { Color };
