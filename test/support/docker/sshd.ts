import { execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { ensurePackages, findCommand, MissingPackages } from "../aptPackages";
import { freePort } from "../freePort";
import { endProcess, identityOf } from "../identity";
import { until } from "../project";

/** A real sshd on loopback, that lets root in with one key, and in which `docker` uses one daemon. */
export class Sshd {
    private identity = "";

    private constructor(
        readonly dir: string,
        private readonly port: number,
    ) {}

    /** Below `dir`, which has to be new; the package is unpacked there, not installed. */
    static async start(dir: string, dockerHost: string): Promise<Sshd> {
        ensurePackages({ ssh: "openssh-client", unshare: "util-linux" });
        if (!findCommand("docker")) {
            throw new MissingPackages(["docker-cli"]);
        }
        fs.mkdirSync(dir, { mode: 0o700 });
        const sshd = new Sshd(dir, await freePort());
        await sshd.run(unpackedServer(dir), dockerHost);
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
        await endProcess(this.identity, 10_000);
    }

    private file(name: string): string {
        return path.join(this.dir, name);
    }

    private async run(server: string, dockerHost: string): Promise<void> {
        for (const name of ["host_key", "key"]) {
            execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", this.file(name)]);
        }
        const publicHostKey = fs.readFileSync(this.file("host_key.pub"), "utf8");
        fs.writeFileSync(this.file("known_hosts"), `[127.0.0.1]:${this.port} ${publicHostKey}`);
        const config = [
            `ListenAddress 127.0.0.1:${this.port}`,
            `HostKey ${this.file("host_key")}`,
            `AuthorizedKeysFile ${this.file("key.pub")}`,
            `SetEnv DOCKER_HOST=${dockerHost} PATH=/usr/bin:/bin`,
            ...["PidFile none", "UsePAM no", "StrictModes no", "PasswordAuthentication no"],
        ];
        fs.writeFileSync(this.file("config"), `${config.join("\n")}\n`);
        // sshd wants a user and a folder of its own: they are there in its namespace only.
        const passwd = `${fs.readFileSync("/etc/passwd", "utf8")}sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n`;
        fs.writeFileSync(this.file("passwd"), passwd);
        const script = `mount --bind "$1/passwd" /etc/passwd && mount -t tmpfs none /run && mkdir /run/sshd && exec "$2" -D -e -f "$1/config"`;
        const log = fs.openSync(this.file("log"), "a");
        const child = spawn("unshare", ["--mount", "sh", "-c", script, "sh", this.dir, server], {
            stdio: ["ignore", log, log],
        });
        fs.closeSync(log);
        this.identity = identityOf(child.pid as number);
        await until(
            () => this.log().includes("Server listening"),
            10_000,
            () => `sshd to listen:\n${this.log()}`,
        );
    }
}

function unpackedServer(dir: string): string {
    execFileSync("apt-get", ["-qq", "download", "openssh-server"], { cwd: dir, stdio: "pipe" });
    const [file] = fs.readdirSync(dir).filter((name) => name.endsWith(".deb"));
    execFileSync("dpkg", ["-x", file as string, "server"], { cwd: dir });
    return path.join(dir, "server/usr/sbin/sshd");
}
