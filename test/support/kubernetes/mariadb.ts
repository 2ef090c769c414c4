import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { ensurePackages, findCommand } from "../aptPackages";
import { until } from "../project";

export const NEEDED = { mysql: "mariadb-client", mariadbd: "mariadb-server" };

/** A real MariaDB on an address of this machine, in a folder of its own; it speaks MySQL's protocol. */
export class MariaDb {
    private constructor(
        private readonly child: ChildProcess,
        private readonly dir: string,
    ) {}

    /** With a database `runs` and a user `runs`. */
    static async start(address: string, port: number, password: string): Promise<MariaDb> {
        ensurePackages(NEEDED);
        const dir = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-mariadb-"));
        execFileSync("chown", ["mysql", dir]);
        const data = path.join(dir, "data");
        const own = ["--no-defaults", `--datadir=${data}`, "--user=mysql"];
        execFileSync("mariadb-install-db", [...own, "--auth-root-authentication-method=socket"], {
            stdio: "ignore",
        });
        const socket = path.join(dir, "socket");
        const init = path.join(dir, "init.sql");
        fs.writeFileSync(
            init,
            [
                "CREATE DATABASE runs;",
                `CREATE USER 'runs'@'%' IDENTIFIED BY '${password}';`,
                "GRANT ALL ON runs.* TO 'runs'@'%';",
            ].join("\n"),
        );
        const place = [`--bind-address=${address}`, `--port=${port}`, `--socket=${socket}`];
        const args = [...own, ...place, `--pid-file=${dir}/pid`, `--init-file=${init}`];
        // The shell's input is a pipe from here: when it ends, so does the server, however this process died.
        const script = '"$0" "$@" & cat >/dev/null; kill $!; wait';
        const program = findCommand("mariadbd") as string;
        const child = spawn("sh", ["-c", script, program, ...args], {
            stdio: ["pipe", "ignore", "ignore"],
            cwd: dir,
        });
        const server = new MariaDb(child, dir);
        const answers = () => {
            try {
                const asked = [
                    "--no-defaults",
                    "-h",
                    address,
                    "-P",
                    String(port),
                    "-u",
                    "runs",
                    "-e",
                    "select 1",
                ];
                execFileSync("mysql", [...asked, "runs"], {
                    stdio: "ignore",
                    env: { ...process.env, MYSQL_PWD: password },
                });
                return true;
            } catch {
                return false;
            }
        };
        try {
            await until(answers, 30_000, () => "MariaDB to answer");
        } catch (error) {
            await server.stop();
            throw error;
        }
        return server;
    }

    async stop(): Promise<void> {
        this.child.stdin?.end();
        await until(
            () => this.child.exitCode !== null || this.child.signalCode !== null,
            20_000,
            () => "MariaDB to end",
        );
        fs.rmSync(this.dir, { recursive: true, force: true });
    }
}
