import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { vmFiles } from "../../../../src/runner/vm";
import { useFolder } from "../../../support/folder";
import { describeShells, toolPath, type Shell } from "../../../support/shells";
import { kill, readProc, until } from "../harness";

/** A store in a folder. Files in `faults`: down (no answer), deaf (it stores, and the answer is lost; so many
 * times). `changed` names pieces that have become others: somebody may have read them already. */
const RCLONE = `
[ ! -e "$FAULTS/down" ] || { echo "2026/01/01 00:00:00 ERROR : connection refused" >&2; exit 1; }
while [ "$1" != copyto ] && [ "$1" != lsf ]; do shift; done
case $1 in
    lsf) cd "$3" 2>/dev/null || exit 3; find . -maxdepth 1 -type f | sed 's/..//' ;;
    copyto)
        echo "$5" >> "$FAULTS/puts"
        mkdir -p "\${5%/*}"
        case $5 in */stream/*) [ ! -e "$5" ] || cmp -s "$4" "$5" || echo "$5" >> "$FAULTS/changed" ;; esac
        cp "$4" "$5"
        if [ -e "$FAULTS/deaf" ] && [ "\${5%/stream/*}" != "$5" ]; then
            n=$(cat "$FAULTS/deaf")
            if [ "$n" -gt 1 ]; then echo $((n - 1)) > "$FAULTS/deaf"; else rm "$FAULTS/deaf"; fi
            exit 1
        fi
        ;;
esac`;

describeShells("stream.sh", (shell: Shell) => {
    afterEach(() => killAll());
    const folder = useFolder();
    const at = (...parts: string[]) => path.join(folder(), ...parts);
    const children: ChildProcess[] = [];
    const [command, ...first] = shell.argv;

    beforeEach(() => {
        for (const name of ["bin", "faults", "out", "pieces", "store"]) {
            fs.mkdirSync(at(name));
        }
        fs.writeFileSync(at("bin/rclone"), `#!/bin/sh\n${RCLONE}\n`, { mode: 0o755 });
        fs.writeFileSync(at("stream.sh"), vmFiles("gce")["stream.sh"]);
    });

    const environment = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
        PATH: `${at("bin")}:${process.env.PATH}`,
        FAULTS: at("faults"),
        STACKRUN_SHIP_TRIES: "2",
        STACKRUN_PIECE_BYTES: "1000",
        ...more,
    });

    function watch(more: NodeJS.ProcessEnv = {}) {
        const args = [...first, at("stream.sh"), "watch", at("store"), at("out"), at("pieces"), "000001"];
        const child = spawn(toolPath(command), args, {
            env: environment(more),
            stdio: ["ignore", "ignore", "pipe"],
        });
        children.push(child);
        let stderr = "";
        child.stderr.on("data", (data: Buffer) => (stderr += data.toString()));
        const ended = new Promise<{ code: number | null; stderr: string }>((resolve) =>
            child.on("close", (code) => resolve({ code, stderr })),
        );
        return { child, ended };
    }

    function ask(...args: string[]) {
        const { status, stdout, stderr } = spawnSync(
            toolPath(command),
            [...first, at("stream.sh"), ...args],
            {
                env: environment(),
                encoding: "utf8",
            },
        );
        return { code: status, said: stdout.trim(), stderr };
    }

    const say = (text: string, boot = "000001") => fs.appendFileSync(at("out", boot), text);
    const fault = (name: string, text = "") => fs.writeFileSync(at("faults", name), text);
    const stored = (name: string) =>
        fs.existsSync(at("store", name)) ? fs.readFileSync(at("store", name), "utf8") : "";
    const pieces = () => (fs.existsSync(at("store/stream")) ? fs.readdirSync(at("store/stream")).sort() : []);
    const all = () =>
        pieces()
            .map((name) => stored(`stream/${name}`))
            .join("");
    const numbers = (count: number) =>
        Array.from({ length: count }, (_, index) => `000001-${String(index + 1).padStart(8, "0")}`);

    async function killAll() {
        children.splice(0);
        const processes = () =>
            fs
                .readdirSync("/proc")
                .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
                .map(Number)
                .filter((pid) =>
                    ["cmdline", "environ"].some((file) => readProc(pid, file).includes(folder())),
                );
        await until(() => {
            processes().forEach((pid) => kill(pid, "SIGKILL"));
            return processes().length === 0;
        });
    }

    test("ships whole lines in the order of their numbers; TERM: the rest, and the last word behind it", async () => {
        const { child, ended } = watch();
        say("one\ntw");
        await until(() => all() === "one\n");
        say("o\nthree\nfour");
        await until(() => all() === "one\ntwo\nthree\n");
        expect(pieces()).toEqual(numbers(pieces().length));
        fs.writeFileSync(at("pieces/last"), "machines/000001.left\nwhy=stopped\n");
        child.kill("SIGTERM");
        expect(await ended).toEqual({ code: 0, stderr: "" });
        expect(all()).toBe("one\ntwo\nthree\nfour");
        expect(stored("machines/000001.left")).toBe("why=stopped\n");
        const puts = fs.readFileSync(at("faults/puts"), "utf8").trim().split("\n");
        expect(puts.at(-1)).toBe(at("store/machines/000001.left"));
        // Nothing that a later boot would ship once more.
        expect(fs.readdirSync(at("out"))).toEqual([]);
        expect(fs.readdirSync(at("pieces")).sort()).toEqual(["beat"]);
    });

    test("a piece is no larger than allowed; one line that is, goes in several", async () => {
        const short = Array.from({ length: 100 }, (_, index) => `line ${index} ${"y".repeat(20)}\n`).join("");
        const giant = `${"x".repeat(3500)}\nend\n`;
        say(short + giant);
        const { child, ended } = watch();
        await until(() => pieces().length > 0);
        child.kill("SIGTERM");
        await ended;
        expect(all()).toBe(short + giant);
        const sizes = pieces().map((name) => stored(`stream/${name}`).length);
        expect(Math.max(...sizes)).toBe(1000);
        const ofShort = pieces().filter((name) => stored(`stream/${name}`).includes("line"));
        expect(ofShort.length).toBeGreaterThan(2);
        expect(ofShort.every((name) => stored(`stream/${name}`).endsWith("\n"))).toBe(true);
    });

    test("bytes of all kinds arrive as they are", async () => {
        const bytes = Buffer.from([...Array(256).keys(), 10, 0, 0, 10, 0]);
        fs.writeFileSync(at("out/000001"), bytes);
        const { child, ended } = watch();
        await until(() => pieces().length > 0);
        child.kill("SIGTERM");
        await ended;
        expect(Buffer.concat(pieces().map((name) => fs.readFileSync(at("store/stream", name))))).toEqual(
            bytes,
        );
    });

    test("an answer that is lost doubles nothing: the piece is the same under the same name, though more was said", async () => {
        fault("deaf", "2");
        say("one\n");
        const { child, ended } = watch();
        await until(() => pieces().length === 1);
        say("two\n");
        await until(() => all() === "one\ntwo\n");
        child.kill("SIGTERM");
        expect((await ended).stderr).toMatch(
            /can't be reached: rclone has ended with exit code 1\n.*is there again/,
        );
        expect(stored("stream/000001-00000001")).toBe("one\n");
        expect(all()).toBe("one\ntwo\n");
        const puts = fs.readFileSync(at("faults/puts"), "utf8").split("\n");
        expect(puts.filter((name) => name.endsWith("-00000001"))).toHaveLength(3);
    });

    test("nor does one after which this is killed", async () => {
        fault("deaf", "99");
        say("one\n");
        const { child, ended } = watch();
        await until(() => pieces().length === 1);
        child.kill("SIGKILL");
        await ended;
        fs.rmSync(at("faults/deaf"));
        say("two\n");
        const second = watch();
        await until(
            () =>
                all() === "one\ntwo\n" && !fs.readdirSync(at("pieces")).some((name) => /^piece-/.test(name)),
        );
        second.child.kill("SIGKILL");
        await second.ended;
        say("three\n");
        watch();
        await until(() => all() === "one\ntwo\nthree\n");
        expect(stored("stream/000001-00000001")).toBe("one\n");
        expect(fs.existsSync(at("faults/changed"))).toBe(false);
    });

    test("a store that is away for a while loses and doubles nothing, also when this is killed meanwhile", async () => {
        const said: string[] = [];
        const more = () => {
            said.push(`line ${said.length} ${"z".repeat(said.length % 50)}\n`);
            say(said.at(-1) as string);
        };
        Array.from({ length: 50 }, more);
        let { child, ended } = watch();
        await until(() => pieces().length > 0);
        fault("down");
        Array.from({ length: 200 }, more);
        await until(() => fs.readdirSync(at("pieces")).some((name) => name.startsWith("piece-")));
        child.kill("SIGKILL");
        await ended;
        Array.from({ length: 50 }, more);
        ({ child, ended } = watch());
        await new Promise((resolve) => setTimeout(resolve, 300));
        fs.rmSync(at("faults/down"));
        await until(() => all() === said.join(""));
        child.kill("SIGTERM");
        await ended;
        expect(all()).toBe(said.join(""));
        expect(fs.existsSync(at("faults/changed"))).toBe(false);
        expect(pieces()).toEqual(numbers(pieces().length));
    });

    test("what an earlier boot could not ship is shipped first, with its last word", () => {
        say("one\ntwo\nthr");
        say("later\n", "000002");
        fs.writeFileSync(at("pieces/sent-000001"), "2 4\n");
        fs.writeFileSync(at("pieces/last"), "end\nexitCode=0\n");
        expect(ask("rest", at("store"), at("out"), at("pieces"))).toMatchObject({ code: 0, stderr: "" });
        expect(pieces()).toEqual(["000001-00000002", "000002-00000001"]);
        expect(all()).toBe("two\nthrlater\n");
        expect(stored("end")).toBe("exitCode=0\n");
        expect([fs.readdirSync(at("out")), fs.readdirSync(at("pieces"))]).toEqual([[], []]);
        fault("down");
        expect(ask("rest", at("store"), at("out"), at("pieces"))).toEqual({
            code: 69,
            said: "",
            stderr: expect.stringMatching(
                /the artifact store can't be reached: ERROR : connection refused\n$/,
            ),
        });
    });

    test("a beat at every change of the status, and again and again", async () => {
        fs.writeFileSync(at("pieces/status"), "phase=pulling\ntext=pulling it\n");
        watch({ STACKRUN_BEAT_SECONDS: "2" });
        const count = () => Number(/count=(\d+)/.exec(stored("beat"))?.[1] ?? 0);
        await until(() => count() > 0);
        expect(stored("beat")).toMatch(/^generation=000001\ncount=\d+\nphase=pulling\ntext=pulling it\n$/);
        const before = count();
        await until(() => count() > before);
        expect(count() - before).toBeGreaterThanOrEqual(200);
        fs.writeFileSync(at("pieces/status"), "phase=running\ntext=it\nimage=i@sha256:a\n");
        await until(() => stored("beat").includes("phase=running\ntext=it\nimage=i@sha256:a\n"));
    });

    test("begin: the next number, or that it is over; the store's failure is told", () => {
        expect(ask("begin", at("store"), "vm-1", "boot-1")).toEqual({ code: 0, said: "000001", stderr: "" });
        expect(stored("machines/000001")).toMatch(
            /^machine=vm-1\nboot=boot-1\ntime=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n$/,
        );
        fs.renameSync(at("store/machines/000001"), at("store/machines/000009"));
        fs.writeFileSync(at("store/machines/000009.left"), "");
        expect(ask("begin", at("store"), "vm-1", "boot-2").said).toBe("000010");
        fs.writeFileSync(at("store/cancel"), "reason=Cancelled\n");
        expect(ask("begin", at("store"), "vm-1", "boot-3").said).toBe("over");
        expect(stored("end")).toMatch(/^exitCode=67\nreason=Cancelled\nmessage=.+\n$/);
        fs.writeFileSync(at("store/end"), "exitCode=0\n");
        expect(ask("begin", at("store"), "vm-1", "boot-3").said).toBe("over");
        expect(stored("end")).toBe("exitCode=0\n");
        fault("down");
        expect(ask("begin", at("store"), "vm-1", "boot-3")).toMatchObject({ code: 69, said: "" });
    });
});
