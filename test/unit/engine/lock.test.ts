import { spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { withLock } from "../../../src/engine/lock";
import { compile } from "./compiled";
import { isAlive, lines, MODULES, until, World } from "./world";

let world: World;
beforeEach(() => {
    world = new World();
});
afterEach(() => world.remove());

const OPTIONS = { progressMs: 50, heartbeatMs: 50, staleMs: 60_000 };
const locks = (): string[] => fs.readdirSync(world.engineDir).filter((name) => name.startsWith(".lock-"));

describe("the lock", () => {
    const dir = (): string => world.folder("cache", "engine");
    const take = (work: () => Promise<void>, staleMs = 60_000): Promise<void> =>
        withLock(dir(), "key", { ...OPTIONS, staleMs, log: world.log }, work);
    const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

    it("lets one in at a time, and all in the end", async () => {
        let inside = 0;
        const seen: number[] = [];
        const contenders = Array.from({ length: 12 }, () =>
            take(async () => {
                seen.push(++inside);
                await pause(5);
                inside--;
            }),
        );
        await Promise.all(contenders);
        expect(seen).toEqual(Array(12).fill(1));
        expect(locks()).toEqual([]);
    });

    it("is given back when the work fails", async () => {
        await expect(take(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
        expect(locks()).toEqual([]);
    });

    it("of a process that had the same id as a living one is dead", async () => {
        const holder = {
            pid: process.pid,
            started: "1",
            place: await ownPlace(),
            host: os.hostname(),
            since: 0,
        };
        fs.writeFileSync(path.join(dir(), ".lock-key-0-x"), JSON.stringify(holder));
        await take(async () => expect(locks()).toHaveLength(1));
    });

    it("of another machine lives as long as it beats", async () => {
        const file = path.join(dir(), ".lock-key-7-x");
        const holder = { pid: 7, started: "1", place: "elsewhere", host: "elsewhere", since: Date.now() };
        fs.writeFileSync(file, JSON.stringify(holder));
        let taken = false;
        const work = take(async () => void (taken = true), 1_500);
        await until("it has said whom it waits for", () => world.lines.length > 0);
        expect(taken).toBe(false);
        expect(world.lines[0]).toMatch(
            /^waiting for process 7 on elsewhere \(at it for \d+ s\) to finish .* … \d+ s$/,
        );
        await work;
        expect(locks()).toEqual([]);
    });

    it("that was torn by a crash is dead after a while", async () => {
        const file = path.join(dir(), ".lock-key-7-x");
        fs.writeFileSync(file, "");
        fs.utimesSync(file, 1, 1);
        await take(async () => expect(locks()).toHaveLength(1));
    });

    /** What this process writes about where it runs. */
    async function ownPlace(): Promise<string> {
        let place = "";
        await take(async () => {
            const text = fs.readFileSync(path.join(dir(), locks()[0]), "utf8");
            place = (JSON.parse(text) as { place: string }).place;
        });
        return place;
    }
});

describe("several processes that need an engine", () => {
    const children: ChildProcess[] = [];
    afterEach(() => children.splice(0).forEach((child) => child.kill("SIGKILL")));

    async function start(name: string): Promise<ChildProcess> {
        const program = world.file("ensure.js");
        if (!fs.existsSync(program)) {
            compile(world.root, "engine");
            fs.symlinkSync(MODULES, path.join(world.root, "src", "engine", "modules"));
            const settings = { ...(await world.settings()), progressMs: 100 };
            fs.writeFileSync(
                program,
                `require("./src/engine/ensure").ensureEngineWith({ log: console.log }, ${JSON.stringify(settings)})` +
                    `.then((engine) => console.log("got", engine.source), (error) => console.log(error.message));`,
            );
        }
        const out = fs.openSync(world.file(name), "w");
        const child = spawn(process.execPath, [program], { env: world.env(), stdio: ["ignore", out, out] });
        fs.closeSync(out);
        children.push(child);
        return child;
    }

    const ended = (child: ChildProcess): Promise<void> =>
        until(`process ${child.pid} has ended`, () => child.exitCode !== null || child.signalCode !== null);

    it("make it once; the one that waits says for whom", async () => {
        world.go({ during: "sleep 1" });
        const [first, second] = [await start("1"), await start("2")];
        await Promise.all([ended(first), ended(second)]);
        const said = [...lines(world.file("1")), ...lines(world.file("2"))];
        expect(said.filter((line) => line.startsWith("got")).sort()).toEqual(["got cache", "got go build"]);
        expect(world.goCalls()).toHaveLength(2);
        const waits = said.filter((line) => line.startsWith("waiting for process"));
        expect(waits).not.toEqual([]);
        expect(
            waits.every((line) => /process (\d+)/.exec(line)?.[1].match(`^(${first.pid}|${second.pid})$`)),
        ).toBe(true);
        expect(locks()).toEqual([]);
    });

    it("go on after one was killed in the middle, without what it left", async () => {
        world.go({ during: `echo $$ > '${world.file("pid")}'; exec sleep 60` });
        const first = await start("1");
        await until(
            "it builds",
            () => fs.existsSync(world.file("pid")) && lines(world.file("pid")).length > 0,
        );
        first.kill("SIGKILL");
        await ended(first);
        process.kill(Number(lines(world.file("pid"))[0]));
        expect(fs.readdirSync(world.engineDir)).toHaveLength(2);

        world.go();
        const second = await start("2");
        await ended(second);
        expect(lines(world.file("2")).at(-1)).toBe("got go build");
        expect(fs.readdirSync(world.engineDir)).toEqual([path.basename(world.slot())]);
    });

    it("end on Ctrl-C with what they have started", async () => {
        world.go({ during: `echo $$ > '${world.file("pid")}'; exec sleep 60` });
        const child = await start("1");
        await until(
            "it builds",
            () => fs.existsSync(world.file("pid")) && lines(world.file("pid")).length > 0,
        );
        child.kill("SIGINT");
        await ended(child);
        expect(child.signalCode).toBe("SIGINT");
        await until("the compiler has ended", () => !isAlive(Number(lines(world.file("pid"))[0])));
    });
});
