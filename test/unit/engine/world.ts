import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import type { Settings } from "../../../src/engine/types";

export const MODULES = path.resolve(__dirname, "../../../src/engine/modules");

/** A machine of our own: a PATH, a home, a cache, and stand-ins for the commands that ensureEngine runs. */
export class World {
    readonly root = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-engine-"));
    readonly bin = this.folder("bin");
    readonly cache = path.join(this.root, "cache");
    readonly lines: string[] = [];
    readonly log = (line: string): void => void this.lines.push(line);

    get engineDir(): string {
        return path.join(this.cache, "engine");
    }

    env(more: Record<string, string> = {}): Record<string, string> {
        return { PATH: this.bin, HOME: path.join(this.root, "home"), STACKRUN_CACHE: this.cache, ...more };
    }

    folder(...names: string[]): string {
        const folder = path.join(this.root, ...names);
        fs.mkdirSync(folder, { recursive: true });
        return folder;
    }

    /** A shell script; its own PATH is the system's. */
    script(file: string, ...lines: string[]): string {
        fs.mkdirSync(path.dirname(file), { recursive: true });
        fs.writeFileSync(file, ["#!/bin/sh", "PATH=/usr/bin:/bin", ...lines, ""].join("\n"), { mode: 0o755 });
        return file;
    }

    pulumi(folder: string, version: string): string {
        return this.script(path.join(folder, "pulumi"), `echo ${version}`);
    }

    languageHost(folder: string): string {
        return this.script(path.join(folder, "pulumi-language-nodejs"), "echo 12345", "exec sleep 60");
    }

    /** A `go` that notes each call and "builds" copies of stand-ins; `during` runs in the middle of each build. */
    go(options: { version?: string; makes?: string; during?: string } = {}): void {
        const parts = this.folder("parts");
        this.pulumi(parts, options.makes ?? "v3.213.0");
        this.languageHost(parts);
        this.script(
            path.join(this.bin, "go"),
            `if [ "$1" = env ]; then printf '%s\\nlocal\\n' '${options.version ?? "go1.26.1"}'; exit; fi`,
            `echo "$PWD|$GOFLAGS|$GOWORK|$CGO_ENABLED|$*" >> '${this.file("go.calls")}'`,
            `while [ $# -gt 0 ]; do if [ "$1" = -o ]; then out=$2; fi; shift; done`,
            options.during ?? ":",
            `cp '${parts}'/"\${out##*/}" "$out"`,
        );
    }

    goCalls(): string[] {
        return fs.existsSync(this.file("go.calls")) ? lines(this.file("go.calls")) : [];
    }

    file(name: string): string {
        return path.join(this.root, name);
    }

    /** An SDK whose PulumiCommand.install runs `body` (with `root` and `version` at hand). */
    sdk(body: string): string {
        const file = this.file("sdk.js");
        const install = `static async install({ root, version }) { const fs = require("fs"); ${body} }`;
        fs.writeFileSync(file, `exports.PulumiCommand = class { ${install} };`);
        return file;
    }

    /** The slot of the pinned engine, once it is there. */
    slot(): string {
        const names = fs.readdirSync(this.engineDir).filter((name) => name.startsWith("3."));
        return path.join(this.engineDir, names[0]);
    }

    async settings(more: Partial<Settings> = {}): Promise<Partial<Settings>> {
        return { modulesDir: MODULES, probeUrl: `http://127.0.0.1:${await closedPort()}/`, ...more };
    }

    remove(): void {
        fs.rmSync(this.root, { recursive: true, force: true });
    }
}

export function lines(file: string): string[] {
    return fs.readFileSync(file, "utf8").split("\n").filter(Boolean);
}

/** Waits until it is so, or fails the test. */
export async function until(what: string, isSo: () => boolean): Promise<void> {
    for (const end = Date.now() + 90_000; !isSo(); await sleep(20)) {
        if (Date.now() > end) {
            throw new Error(`never came true: ${what}`);
        }
    }
}

export function isAlive(pid: number): boolean {
    try {
        process.kill(pid, 0);
        return true;
    } catch {
        return false;
    }
}

/** Listens like an HTTP server that gives this answer, or none; returns its URL and what ends it. */
export async function serve(answer?: string): Promise<{ url: string; close: () => void }> {
    const sockets: net.Socket[] = [];
    const server = net.createServer((socket) => {
        sockets.push(socket);
        socket.on("error", () => undefined);
        socket.on("data", () => answer && socket.end(answer));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const close = (): void => {
        sockets.forEach((socket) => socket.destroy());
        server.close();
    };
    return { url: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}/`, close };
}

async function closedPort(): Promise<string> {
    const { url, close } = await serve();
    close();
    return new URL(url).port;
}

function sleep(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
}
