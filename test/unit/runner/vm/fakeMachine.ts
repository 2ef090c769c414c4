import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { PlanStep } from "../../../../src/runner/plan";
import { planScript } from "../../../../src/runner/planDir";
import { launcherScript } from "../../../../src/runner/launcher";
import { runnerScript } from "../../../../src/runner/script";
import { shipScript } from "../../../../src/runner/ship";
import { vmBootScript, vmFiles, type VmSettings } from "../../../../src/runner/vm";
import { toolPath, type Shell } from "../../../support/shells";
import { kill, NONCE, plan, readProc, until } from "../harness";

const FAKES: Readonly<Record<string, string>> = {
    docker: `exec ${process.execPath} ${path.join(__dirname, "fakeDocker.js")} "$@"`,
    "systemd-run": 'printf "%s\\n" "$@" >> "$FAKE/systemd-run"',
    systemctl: '[ "$1" = --no-block ] || exit 3; echo off >> "$FAKE/off"',
    // The metadata server, and Secret Manager; `secrets` says how often that refuses, and with what.
    curl: `for url; do :; done
        case $url in
            */token) echo '{"access_token":"the-token","expires_in":3599}' ;;
            *wait_for_change*) while [ ! -e "$FAKE/preempted" ]; do sleep 0.1; [ -d "$FAKE" ] || exit 1; done; printf 'ETag: b\\r\\n\\r\\nTRUE' ;;
            *preempted*)
                if [ -e "$FAKE/preempted" ]; then echo TRUE; else
                    case "$*" in *-D*) printf 'ETag: a\\r\\n\\r\\n' ;; esac
                    echo FALSE
                fi ;;
            *:access)
                cat >> "$FAKE/asked"; echo "$*" >> "$FAKE/asked"
                if [ -e "$FAKE/denied" ]; then
                    printf '{"error":{"code":403,"message":"Permission denied on it"}}\\n403'
                else
                    printf '{\\n"name": "x",\\n"payload": {"data": "%s"}\\n}\\n200' "$(base64 -w 0 < "$FAKE/secret")"
                fi ;;
        esac`,
};

export interface Service {
    readonly child: ChildProcess;
    readonly ended: Promise<void>;
}

/** A machine whose programs are stand-ins, but for the scripts and rclone; its store is a folder. */
export class FakeMachine {
    readonly store: string;
    private readonly children: ChildProcess[] = [];
    console = "";

    constructor(
        readonly folder: string,
        private readonly shell: Shell,
    ) {
        this.store = path.join(folder, "store");
        for (const [name, script] of Object.entries(FAKES)) {
            this.write(`bin/${name}`, `#!/bin/sh\n${script}\n`);
            fs.chmodSync(this.at("bin", name), 0o755);
        }
        this.write("fake/secret", "");
    }

    at(...parts: string[]): string {
        return path.join(this.folder, ...parts);
    }

    write(file: string, text: string): void {
        fs.mkdirSync(path.dirname(this.at(file)), { recursive: true });
        fs.writeFileSync(this.at(file), text);
    }

    read(...parts: string[]): string {
        return fs.existsSync(this.at(...parts)) ? fs.readFileSync(this.at(...parts), "utf8") : "";
    }

    /** Of an object of the attempt. */
    object(name: string): string | undefined {
        const file = path.join(this.store, "runs/r1/attempts/1", name);
        return fs.existsSync(file) ? fs.readFileSync(file, "utf8") : undefined;
    }

    objects(below: string): string[] {
        const folder = path.join(this.store, "runs/r1/attempts/1", below);
        return fs.existsSync(folder) ? fs.readdirSync(folder).sort() : [];
    }

    /** All that the runner has said and that is in the store. */
    stream(): string {
        return this.objects("stream")
            .map((name) => this.object(`stream/${name}`))
            .join("");
    }

    settings(more: Partial<VmSettings> = {}): VmSettings {
        return {
            remote: `stackrun:${this.store}`,
            runId: "r1",
            attempt: 1,
            nonce: NONCE,
            image: "registry.example/image:1",
            transferImage: "transfer:1",
            rcloneEnv: { RCLONE_CONFIG_STACKRUN_TYPE: "local" },
            user: String(process.getuid?.()),
            graceSeconds: 2,
            spot: true,
            tries: 2,
            lingerSeconds: 0,
            ...more,
        };
    }

    fill(steps: readonly PlanStep[], secrets: readonly string[] = []): void {
        const options = { stream: "stdout", secrets, graceSeconds: 2, shipSilenceSeconds: 60 } as const;
        const files = {
            ...vmFiles("gce"),
            "ship.sh": shipScript(),
            "launcher.sh": launcherScript(),
            "runner.sh": runnerScript(),
            "plan.sh": planScript(plan(steps, options)),
        };
        for (const [name, text] of Object.entries(files)) {
            this.write(`store/runs/r1/attempts/1/boot/${name}`, text);
        }
    }

    /** The startup script, to its end. */
    boot(more: Partial<VmSettings> = {}): string {
        this.write("boot.sh", vmBootScript("gce", this.settings(more)));
        const [command, ...first] = this.shell.argv;
        const { stdout, stderr } = spawnSync(toolPath(command), [...first, this.at("boot.sh")], {
            env: this.env,
            encoding: "utf8",
        });
        return stdout + stderr;
    }

    /** What the startup script has started. */
    service(): Service {
        const [command, ...first] = this.shell.argv;
        const args = [...first, this.at("fake/volume/boot/vm.sh")];
        const child = spawn(toolPath(command), args, {
            env: this.env,
            stdio: ["ignore", "pipe", "pipe"],
            detached: true,
        });
        this.children.push(child);
        for (const stream of [child.stdout, child.stderr]) {
            stream.on("data", (data: Buffer) => (this.console += data.toString()));
        }
        return { child, ended: new Promise((resolve) => child.on("exit", () => resolve())) };
    }

    /** A boot, and the service to its end. */
    async run(more: Partial<VmSettings> = {}): Promise<void> {
        this.console += this.boot(more);
        await this.service().ended;
    }

    /** Everything that the machine runs is gone. */
    async cutPower(): Promise<void> {
        await until(() => {
            this.processes().forEach((pid) => kill(pid, "SIGKILL"));
            return this.processes().length === 0;
        });
        fs.rmSync(this.at("run"), { recursive: true, force: true });
    }

    /** After `run` has ended in order: what is in memory only is gone. */
    async switchOff(): Promise<void> {
        await this.cutPower();
        fs.rmSync(this.at("fake/containers"), { recursive: true, force: true });
        for (const name of ["off", "preempted"]) {
            fs.rmSync(this.at("fake", name), { force: true });
        }
    }

    private get env(): NodeJS.ProcessEnv {
        return {
            PATH: `${this.at("bin")}:${process.env.PATH}`,
            FAKE: this.at("fake"),
            STACKRUN_MACHINE_DIR: this.at("run"),
        };
    }

    private processes(): number[] {
        return fs
            .readdirSync("/proc")
            .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
            .map(Number)
            .filter((pid) =>
                ["cmdline", "environ"].some((file) => readProc(pid, file).includes(this.folder)),
            );
    }
}
