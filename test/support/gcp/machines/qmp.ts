import * as net from "node:net";
import * as readline from "node:readline";

/** A connection to the monitor of a QEMU, whose commands are `system_powerdown`, `stop`, `migrate`. */
export class Monitor {
    private readonly waiting: ((answer: Answer) => void)[] = [];

    private constructor(private readonly socket: net.Socket) {
        socket.on("error", () => undefined);
        socket.on("close", () => this.answer({ error: { desc: "QEMU has ended" } }));
        readline.createInterface({ input: socket }).on("line", (line) => {
            const message = JSON.parse(line) as Answer;
            if (message.return !== undefined || message.error) {
                this.answer(message);
            }
        });
    }

    static async connect(path: string): Promise<Monitor> {
        const socket = await new Promise<net.Socket>((resolve, reject) => {
            const connecting = net.connect(path, () => resolve(connecting));
            connecting.once("error", reject);
        });
        const monitor = new Monitor(socket);
        await monitor.run("qmp_capabilities");
        return monitor;
    }

    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    async run(command: string, args?: object): Promise<any> {
        const answered = new Promise<Answer>((resolve) => this.waiting.push(resolve));
        this.socket.write(`${JSON.stringify({ execute: command, ...(args && { arguments: args }) })}\n`);
        const answer = await answered;
        if (answer.error) {
            throw new Error(`QEMU refuses ${command}: ${answer.error.desc}`);
        }
        return answer.return;
    }

    close(): void {
        this.socket.destroy();
    }

    // Answers come in the order of the commands; once the connection is gone, all are answered.
    private answer(answer: Answer): void {
        if (this.socket.destroyed) {
            this.waiting.splice(0).forEach((resolve) => resolve(answer));
        } else {
            this.waiting.shift()?.(answer);
        }
    }
}

interface Answer {
    readonly return?: unknown;
    readonly error?: { readonly desc: string };
}
