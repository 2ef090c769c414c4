import { execFileSync, spawn } from "node:child_process";
import * as net from "node:net";
import * as path from "node:path";
import { findCommand } from "../../aptPackages";
import { HOST_FROM_INSTANCE, METADATA_ADDRESS } from "./machine";

/** A network namespace with nothing in it but loopback, and on it the two addresses that an instance reaches. */
export class NetworkNamespace {
    readonly file: string;
    private readonly servers: net.Server[] = [];

    private constructor(private readonly name: string) {
        this.file = `/run/netns/${name}`;
    }

    static create(name: string): NetworkNamespace {
        ip("netns", "add", name);
        const namespace = new NetworkNamespace(name);
        ip("-n", name, "link", "set", "lo", "up");
        for (const address of [METADATA_ADDRESS, HOST_FROM_INSTANCE]) {
            ip("-n", name, "addr", "add", `${address}/32`, "dev", "lo");
        }
        return namespace;
    }

    /**
     * A server of this process that listens inside: a child enters the namespace, listens, and hands the socket over, which
     * stays in the namespace that it was made in.
     */
    listen(host: string, port: number): Promise<net.Server> {
        const command = [
            "--net=" + this.file,
            process.execPath,
            path.join(__dirname, "listen.js"),
            host,
            String(port),
        ];
        const child = spawn(findCommand("nsenter") as string, command, {
            stdio: ["ignore", "ignore", "pipe", "ipc"],
        });
        let errors = "";
        child.stderr?.on("data", (chunk: Buffer) => (errors += chunk.toString("utf8")));
        return new Promise((resolve, reject) => {
            child.once("error", reject);
            child.once("exit", () =>
                reject(new Error(`can't listen on ${host}:${port} in ${this.name}: ${errors}`)),
            );
            child.once("message", (_, handle) => {
                const server = handle as net.Server;
                this.servers.push(server);
                child.disconnect();
                resolve(server);
            });
        });
    }

    /** A port of this machine's loopback, to be reached at {@link HOST_FROM_INSTANCE}. */
    async expose(port: number): Promise<void> {
        const server = await this.listen(HOST_FROM_INSTANCE, port);
        server.on("connection", (inside: net.Socket) => {
            const outside = net.connect({ host: "127.0.0.1", port, allowHalfOpen: true });
            inside.pipe(outside);
            outside.pipe(inside);
            inside.on("error", () => outside.destroy());
            outside.on("error", () => inside.destroy());
            inside.once("close", () => outside.destroy());
            outside.once("close", () => inside.destroy());
        });
    }

    remove(): void {
        this.servers.splice(0).forEach((server) => server.close());
        deleteNamespace(this.name);
    }
}

export function deleteNamespace(name: string): void {
    ip("netns", "del", name);
}

function ip(...args: string[]): void {
    execFileSync(findCommand("ip") as string, args, { stdio: ["ignore", "ignore", "pipe"] });
}
