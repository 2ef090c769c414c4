import { spawn, type ChildProcess } from "node:child_process";
import * as http from "node:http";
import { Duplex } from "node:stream";

/** A daemon that is reached as `docker` itself does it: by `ssh`, with the user's own keys, known hosts and settings. */
export interface SshTarget {
    readonly host: string;
    readonly port?: string;
    readonly user?: string;
    /** The daemon's socket on that machine, if it is not Docker's own. */
    readonly socket?: string;
    /** More options for `ssh`. */
    readonly options?: readonly string[];
}

/** Makes a connection of its own for each request. */
export function sshAgent(target: SshTarget): http.Agent {
    const agent = new http.Agent({ keepAlive: false });
    return Object.assign(agent, { createConnection: () => new SshConnection(sshArguments(target)) });
}

/** A network that is lost without a word is noticed within a minute; else a follower would wait for ever. */
const FIXED = ["BatchMode=yes", "ConnectTimeout=30", "ServerAliveInterval=15", "ServerAliveCountMax=3"];

/** Those of the command `ssh`. Nobody is there to be asked for a password. */
export function sshArguments({ host, port, user, socket, options = [] }: SshTarget): string[] {
    return [
        // First: of an option that is there twice, ssh takes the first.
        ...options,
        ...["-T", ...FIXED.flatMap((one) => ["-o", one])],
        ...(user ? ["-l", user] : []),
        ...(port ? ["-p", port] : []),
        "--",
        host,
        socket ? `docker --host 'unix://${socket}' system dial-stdio` : "docker system dial-stdio",
    ];
}

/** What `ssh` said when it ended without a connection: the daemon can't be reached. */
class SshError extends Error {
    readonly syscall = "connect";
}

class SshConnection extends Duplex {
    private readonly child: ChildProcess;
    private said = "";

    constructor(args: readonly string[]) {
        super();
        const child = (this.child = spawn("ssh", args, { stdio: "pipe" }));
        child.stdout.on("data", (chunk: Buffer) => {
            if (!this.push(chunk)) {
                child.stdout.pause();
            }
        });
        child.stderr.on("data", (chunk: Buffer) => (this.said = (this.said + chunk.toString()).slice(-2000)));
        // That it has ended is told by `close`.
        child.stdin.on("error", () => undefined);
        child.once("error", (error) => this.destroy(new SshError(`ssh: ${error.message}`)));
        child.once("close", (code) => {
            if (code) {
                const last = this.said.trim().split("\n").at(-1)?.trim();
                this.destroy(new SshError(last || String(code)));
            } else {
                this.push(null);
            }
        });
    }

    override _read(): void {
        this.child.stdout?.resume();
    }

    override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
        this.child.stdin?.write(chunk, () => done());
    }

    override _final(done: () => void): void {
        this.child.stdin?.end(done);
    }

    override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
        this.child.kill();
        done(error);
    }

    // What HTTP's client wants of a socket beside a stream.
    setTimeout(): this {
        return this;
    }
    setNoDelay(): this {
        return this;
    }
    setKeepAlive(): this {
        return this;
    }
    ref(): this {
        return this;
    }
    unref(): this {
        return this;
    }
}
