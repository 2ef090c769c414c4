import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { findCommand } from "../aptPackages";
import { endProcess, identityOf, isAlive } from "../identity";
import { freePort } from "../freePort";
import { until } from "../project";

/** Debian's docker-registry, without TLS. It wants a user and a password. */
export class Registry {
    readonly username = "pusher";
    readonly password = randomBytes(12).toString("hex");
    private identity = "";

    constructor(
        private readonly dir: string,
        private readonly host: string,
        private readonly port: number,
    ) {}

    /** `127.0.0.1:<port>`: the first part of an image's name. */
    get address(): string {
        return `${this.host}:${this.port}`;
    }

    async start(): Promise<void> {
        fs.mkdirSync(this.dir, { recursive: true });
        const passwords = path.join(this.dir, "htpasswd");
        fs.writeFileSync(passwords, `${this.username}:${bcrypt(this.password)}\n`);
        const config = {
            version: "0.1",
            log: { level: "warn", accesslog: { disabled: true } },
            storage: {
                filesystem: { rootdirectory: path.join(this.dir, "data") },
                delete: { enabled: true },
            },
            auth: { htpasswd: { realm: "tests", path: passwords } },
            http: { addr: this.address },
        };
        const configFile = path.join(this.dir, "config.yml");
        fs.writeFileSync(configFile, JSON.stringify(config));
        const log = fs.openSync(this.logFile, "a");
        const command = findCommand("docker-registry") as string;
        const child = spawn(command, ["serve", configFile], { stdio: ["ignore", log, log], detached: true });
        child.unref();
        fs.closeSync(log);
        this.identity = identityOf(child.pid as number);
        fs.writeFileSync(`${this.dir}.process`, this.identity);
        await until(
            () => this.ready(),
            20_000,
            () => `the registry to answer:\n${this.log()}`,
        );
    }

    /** `sha256:...` of what was pushed under a tag; `undefined` if there is nothing. */
    async digestOf(repository: string, tag: string): Promise<string | undefined> {
        const accept = [
            "application/vnd.docker.distribution.manifest.v2+json",
            "application/vnd.oci.image.manifest.v1+json",
        ];
        const answer = await this.get(`/v2/${repository}/manifests/${tag}`, { accept: accept.join(", ") });
        return answer.ok ? (answer.headers.get("docker-content-digest") ?? undefined) : undefined;
    }

    async repositories(): Promise<string[]> {
        const answer = (await (await this.get("/v2/_catalog")).json()) as { repositories: string[] };
        return answer.repositories;
    }

    async stop(): Promise<void> {
        await endProcess(this.identity, 10_000);
        fs.rmSync(this.dir, { recursive: true, force: true });
        for (const file of [this.logFile, `${this.dir}.process`]) {
            fs.rmSync(file, { force: true });
        }
    }

    private get logFile(): string {
        return `${this.dir}.log`;
    }

    private log(): string {
        return fs.readFileSync(this.logFile, "utf8").split("\n").slice(-15).join("\n");
    }

    private ready(): Promise<boolean> {
        if (!isAlive(this.identity)) {
            throw new Error(`docker-registry ended at once:\n${this.log()}`);
        }
        return this.get("/v2/").then(
            ({ ok }) => ok,
            () => false,
        );
    }

    private get(where: string, headers: Record<string, string> = {}): Promise<Response> {
        const credentials = Buffer.from(`${this.username}:${this.password}`).toString("base64");
        return fetch(`http://${this.address}${where}`, {
            headers: { ...headers, authorization: `Basic ${credentials}` },
        });
    }
}

/** In the folder of a bed, so that it ends with it at the latest. */
export async function startRegistry(bedDir: string, host = "127.0.0.1"): Promise<Registry> {
    const port = await freePort(host);
    const registry = new Registry(path.join(bedDir, `registry-${port}`), host, port);
    await registry.start();
    return registry;
}

// The only hash that the registry takes; Debian's perl makes it with the C library.
function bcrypt(password: string): string {
    const salt = randomBytes(16).toString("hex").slice(0, 22);
    const hash = execFileSync("perl", ["-e", "print crypt($ARGV[0], $ARGV[1])", password, `$2y$05$${salt}`], {
        encoding: "utf8",
    });
    if (!hash.startsWith("$2y$")) {
        throw new Error("perl makes no bcrypt hashes here");
    }
    return hash;
}
