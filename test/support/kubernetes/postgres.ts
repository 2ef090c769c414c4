import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { ensurePackages } from "../aptPackages";
import { until } from "../project";

export const NEEDED = { psql: "postgresql-client", "../lib/postgresql/15/bin/postgres": "postgresql-15" };

/** A real PostgreSQL on an address of this machine, in a folder of its own. */
export class Postgres {
    private constructor(
        readonly port: number,
        private readonly child: ChildProcess,
        private readonly dir: string,
    ) {}

    /** With a database and a user `postgres`. */
    static async start(address: string, port: number, password: string): Promise<Postgres> {
        ensurePackages(NEEDED);
        const bin = "/usr/lib/postgresql/15/bin";
        const dir = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-postgres-"));
        execFileSync("chown", ["postgres", dir]);
        const passwordFile = path.join(dir, "password");
        fs.writeFileSync(passwordFile, password, { mode: 0o644 });
        const asPostgres = (...command: string[]) => ["-u", "postgres", "--", ...command];
        const data = path.join(dir, "data");
        execFileSync(
            "runuser",
            asPostgres(`${bin}/initdb`, "-D", data, "-A", "scram-sha-256", `--pwfile=${passwordFile}`),
            { stdio: "ignore", cwd: dir },
        );
        fs.appendFileSync(path.join(data, "pg_hba.conf"), "host all all 0.0.0.0/0 scram-sha-256\n");
        const args = asPostgres(`${bin}/postgres`, "-D", data, "-h", address, "-p", String(port), "-k", dir);
        const child = spawn("runuser", args, { stdio: "ignore", cwd: dir });
        const server = new Postgres(port, child, dir);
        try {
            await until(
                () => ready(address, port),
                30_000,
                () => "PostgreSQL to answer",
            );
        } catch (error) {
            await server.stop();
            throw error;
        }
        return server;
    }

    async stop(): Promise<void> {
        const pid = Number(
            fs.readFileSync(path.join(this.dir, "data/postmaster.pid"), "utf8").split("\n")[0],
        );
        process.kill(pid, "SIGINT");
        await until(
            () => this.child.exitCode !== null,
            20_000,
            () => "PostgreSQL to end",
        );
        fs.rmSync(this.dir, { recursive: true, force: true });
    }
}

function ready(address: string, port: number): boolean {
    try {
        execFileSync("/usr/lib/postgresql/15/bin/pg_isready", ["-h", address, "-p", String(port)], {
            stdio: "ignore",
        });
        return true;
    } catch {
        return false;
    }
}
