import { execFile, spawn } from "node:child_process";
import * as path from "node:path";
import { promisify } from "node:util";
import { freePort } from "../freePort";

export interface GcsOptions {
    /**
     * The address to listen on: one of this machine's that the pods of a cluster reach, for example.
     * @default "127.0.0.1"
     */
    readonly host?: string;
}

/** A stand-in for Google Cloud Storage, in memory. */
export interface GcsServer {
    readonly url: string;
    /** For clients of Google's, which would else look for a machine's identity in the network. */
    readonly env: Readonly<Record<string, string>>;
    createBucket(name: string): Promise<void>;
    stop(): Promise<void>;
}

/** The path of fake-gcs-server, which is built if it is not there yet. */
export async function buildGcs(): Promise<string> {
    const { stdout } = await promisify(execFile)(path.join(__dirname, "build.sh"));
    return stdout.trim();
}

/** What keeps Google's clients on this machine; `url` is that of the stand-in. */
export function gcsEnvironment(url: string): Record<string, string> {
    return { STORAGE_EMULATOR_HOST: url, GCE_METADATA_HOST: "127.0.0.1:1", NO_GCE_CHECK: "true" };
}

/** It ends with `stop`, or with the process that started it. */
export async function startGcs({ host = "127.0.0.1" }: GcsOptions = {}): Promise<GcsServer> {
    const program = await buildGcs();
    const address = `${host}:${await freePort(host)}`;
    const url = `http://${address}`;
    // The shell's input is a pipe from here: when it ends, so does the server, however this process died.
    const script = 'program=$1; shift; "$program" "$@" & cat >/dev/null; kill $!; wait';
    const child = spawn("sh", ["-c", script, "sh", program, ...flags(host, address)], {
        stdio: ["pipe", "ignore", "pipe"],
    });
    let log = "";
    child.stderr.on("data", (chunk) => (log = `${log}${chunk}`.slice(-10_000)));
    const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
    const stop = () => {
        child.stdin.end();
        return ended;
    };
    try {
        await answers(`${url}/_internal/healthcheck`);
    } catch (error) {
        await stop();
        throw new Error(`fake-gcs-server does not start: ${log}`, { cause: error });
    }
    return { url, env: gcsEnvironment(url), createBucket: (name) => createBucket(url, name), stop };
}

function flags(host: string, address: string): string[] {
    const values = {
        scheme: "http",
        host,
        port: address.split(":").pop() ?? "",
        backend: "memory",
        location: "US",
        "log-level": "error",
        "external-url": `http://${address}`,
        "public-host": address,
    };
    return Object.entries(values).flatMap(([name, value]) => [`-${name}`, value]);
}

async function createBucket(url: string, name: string): Promise<void> {
    const response = await fetch(`${url}/storage/v1/b?project=test`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ name }),
    });
    if (!response.ok) {
        throw new Error(`the bucket ${name} can't be made: ${await response.text()}`);
    }
}

async function answers(url: string): Promise<void> {
    const end = Date.now() + 20_000;
    for (;;) {
        try {
            if ((await fetch(url)).ok) {
                return;
            }
        } catch (error) {
            if (Date.now() > end) {
                throw error;
            }
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}
