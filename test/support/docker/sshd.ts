import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as path from "node:path";
import { ensurePackages, findCommand, MissingPackages } from "../aptPackages";
import { freePort } from "../freePort";
import { until } from "../project";
import { unpackServer, type Server } from "./sshdPackage";

/**
 * sshd wants a user and a folder of its own, and refuses a root that is locked: what it needs is there in its namespace
 * only. The input is a pipe from the test's process: when it ends, so does all of the namespace, however that process died.
 */
const SCRIPT = `
mount --bind "$1/passwd" /etc/passwd && { [ ! -e /etc/shadow ] || mount --bind "$1/shadow" /etc/shadow; } &&
    mount -t tmpfs none /run && mkdir /run/sshd || exit
"$2" -D -e -f "$1/config" &
cat >/dev/null
kill $!
wait
`;

/** A real sshd on loopback, that lets root in with one key, and in which `docker` uses one daemon. */
export class Sshd {
    private child?: ChildProcess;
    private ended: Promise<unknown> = Promise.resolve();

    private constructor(
        readonly dir: string,
        private readonly port: number,
    ) {}

    /** Below `dir`, which has to be new; the package is unpacked there, not installed. */
    static async start(dir: string, dockerHost: string): Promise<Sshd> {
        ensurePackages({ ssh: "openssh-client", unshare: "util-linux" });
        const docker = findCommand("docker");
        if (!docker) {
            throw new MissingPackages(["docker.io"]);
        }
        fs.mkdirSync(dir, { mode: 0o700 });
        const sshd = new Sshd(dir, await freePort());
        try {
            await sshd.run(unpackServer(dir), dockerHost, path.dirname(docker));
        } catch (error) {
            await sshd.stop();
            throw error;
        }
        return sshd;
    }

    /** `DOCKER_HOST` of those who use it. */
    get host(): string {
        return `ssh://root@127.0.0.1:${this.port}`;
    }

    /** `DOCKER_SSH_OPTS`: the key, and which server to trust; another file stands for somebody who does not know it. */
    options(knownHosts = this.file("known_hosts")): string {
        const options = [
            `UserKnownHostsFile=${knownHosts}`,
            "IdentitiesOnly=yes",
            "StrictHostKeyChecking=yes",
        ];
        return ["-F", "/dev/null", "-i", this.file("key"), ...options.flatMap((one) => ["-o", one])].join(
            " ",
        );
    }

    log(): string {
        return fs.readFileSync(this.file("log"), "utf8");
    }

    async stop(): Promise<void> {
        this.child?.stdin?.end();
        await this.ended;
    }

    private file(name: string): string {
        return path.join(this.dir, name);
    }

    private async run(server: Server, dockerHost: string, dockerFolder: string): Promise<void> {
        for (const name of ["host_key", "key"]) {
            execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", this.file(name)]);
        }
        const publicHostKey = fs.readFileSync(this.file("host_key.pub"), "utf8");
        fs.writeFileSync(this.file("known_hosts"), `[127.0.0.1]:${this.port} ${publicHostKey}`);
        const config = [
            `ListenAddress 127.0.0.1:${this.port}`,
            `HostKey ${this.file("host_key")}`,
            `AuthorizedKeysFile ${this.file("key.pub")}`,
            `SetEnv DOCKER_HOST=${dockerHost} PATH=${dockerFolder}:/usr/bin:/bin`,
            ...["PidFile none", "UsePAM no", "StrictModes no", "PasswordAuthentication no"],
        ];
        fs.writeFileSync(this.file("config"), `${config.join("\n")}\n`);
        const passwd = `${fs.readFileSync("/etc/passwd", "utf8")}sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n`;
        fs.writeFileSync(this.file("passwd"), passwd);
        fs.writeFileSync(this.file("shadow"), "root:*:1::::::\n", { mode: 0o600 });
        const log = fs.openSync(this.file("log"), "a");
        const namespace = ["--mount", "--pid", "--fork", "--kill-child"];
        this.child = spawn("unshare", [...namespace, "sh", "-c", SCRIPT, "sh", this.dir, server.program], {
            stdio: ["pipe", log, log],
            env: { ...process.env, LD_LIBRARY_PATH: server.libraries.join(":") },
        });
        fs.closeSync(log);
        this.ended = once(this.child, "close");
        await until(
            () => this.log().includes("Server listening"),
            10_000,
            () => `sshd to listen:\n${this.log()}`,
        );
    }
}
