import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { engineDirOf } from "../../../src/engine/cache";
import { ensureEngineWith } from "../../../src/engine/ensure";
import type { Engine, Settings } from "../../../src/engine/types";
import { isAlive, lines, serve, until, World } from "./world";

const ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

let world: World;
beforeEach(() => {
    world = new World();
});
afterEach(() => world.remove());

async function ensure(
    settings: Partial<Settings> = {},
    env: Record<string, string> = {},
    signal?: AbortSignal,
): Promise<Engine> {
    return ensureEngineWith({ env: world.env(env), log: world.log, signal }, await world.settings(settings));
}

/** The message of the error that it rejects with. */
async function failure(work: Promise<unknown>): Promise<string> {
    return work.then(
        () => "it did not fail",
        (error: Error) => error.message,
    );
}

/** All that is left beside finished engines. */
function leftovers(): string[] {
    return fs.readdirSync(world.engineDir).filter((name) => name.startsWith("."));
}

describe("an engine on PATH", () => {
    it("is taken with the language host beside it", async () => {
        world.pulumi(world.bin, "v3.213.0");
        const languageHost = world.languageHost(world.bin);
        const engine = await ensure();
        expect(engine).toMatchObject({ root: world.root, version: "3.213.0", source: "path", languageHost });
        expect(engine.pulumi).toBe(path.join(world.bin, "pulumi"));
        expect(fs.existsSync(world.cache)).toBe(false);
    });

    it("is taken with a language host from elsewhere on PATH", async () => {
        const other = world.folder("other");
        world.pulumi(world.bin, "3.206.0-alpha.1+dirty");
        const languageHost = world.languageHost(other);
        const engine = await ensure({}, { PATH: `${world.bin}:${other}` });
        expect(engine).toMatchObject({ version: "3.206.0", languageHost });
    });

    it("is passed over for the next one when it is too old", async () => {
        const newer = world.folder("newer", "bin");
        world.pulumi(world.bin, "v3.205.9");
        world.languageHost(world.bin);
        world.pulumi(newer, "v3.206.0");
        world.languageHost(newer);
        const engine = await ensure({}, { PATH: `${world.bin}:${newer}` });
        expect(engine.pulumi).toBe(path.join(newer, "pulumi"));
    });

    it("gets a root with bin/pulumi when its folder has another name", async () => {
        const tools = world.folder("tools");
        world.pulumi(tools, "v3.213.0");
        world.languageHost(tools);
        const first = await ensure({}, { PATH: tools });
        const second = await ensure({}, { PATH: tools });
        expect(fs.realpathSync(path.join(first.root, "bin", "pulumi"))).toBe(path.join(tools, "pulumi"));
        expect(fs.readdirSync(path.join(first.root, "bin")).sort()).toEqual([
            "pulumi",
            "pulumi-language-nodejs",
        ]);
        expect(second).toEqual(first);
    });

    it.each([
        ["v3.100.0", "is 3.100.0, and 3.206.0 or a newer 3.x is needed"],
        ["v4.0.0", "is 4.0.0, and 3.206.0 or a newer 3.x is needed"],
        ["v3.213.0", "has no pulumi-language-nodejs, neither beside it nor on PATH"],
        ["nonsense", "names no version (nonsense)"],
    ])("that answers %s without a language host is refused with its reason", async (version, reason) => {
        world.pulumi(world.bin, version);
        expect(await failure(ensure())).toContain(reason);
    });
});

describe("without any remedy", () => {
    it("the error names each one that was tried, why it failed, and what to do", async () => {
        const message = await failure(ensure());
        expect(message).toContain("pulumi on PATH: not there");
        expect(message).toMatch(/cache \(.*engine\/3\.213\.0-[0-9a-f]{12}\): nothing there/);
        expect(message).toMatch(/official installer: 127\.0\.0\.1:\d+ can't be reached \(ECONNREFUSED\)/);
        expect(message).toContain("go build: `go` is not on PATH");
        expect(message).toContain("install Go 1.25 or newer");
        expect(message).toContain("STACKRUN_CACHE");
        expect(leftovers()).toEqual([]);
    });

    it("a cache that can't be written is named", async () => {
        fs.writeFileSync(world.cache, "a file in the way");
        expect(await failure(ensure())).toMatch(/cache \(.*cache\/engine\): can't be written \(E/);
    });
});

describe("the official installer", () => {
    const good = [
        `fs.mkdirSync(root + "/bin");`,
        `for (const name of ["pulumi", "pulumi-language-nodejs"])`,
        `    fs.copyFileSync(process.env.PARTS + "/" + name, root + "/bin/" + name);`,
        `fs.writeFileSync(process.env.PARTS + "/asked", String(version));`,
    ].join("\n");

    async function installWith(body: string, settings: Partial<Settings> = {}): Promise<Engine> {
        const parts = world.folder("parts");
        world.pulumi(parts, "v3.213.0");
        world.languageHost(parts);
        const server = await serve(ANSWER);
        try {
            const all = { probeUrl: server.url, installerModule: world.sdk(body), ...settings };
            return await ensure(all, { PARTS: parts });
        } finally {
            server.close();
        }
    }

    it("is used when its host answers, once", async () => {
        const engine = await installWith(good);
        expect(engine).toMatchObject({ source: "installer", version: "3.213.0", root: world.slot() });
        expect(fs.readFileSync(path.join(world.root, "parts", "asked"), "utf8")).toBe("3.213.0");
        expect(leftovers()).toEqual([]);
        expect(await ensure()).toMatchObject({ source: "cache", root: engine.root, pulumi: engine.pulumi });
    });

    it("that fails is followed by the next remedy, and its reason is kept", async () => {
        world.go();
        const engine = await installWith(`throw new Error("disk quota exceeded");`);
        expect(engine.source).toBe("go build");
        expect(engine.why).toContain("official installer: disk quota exceeded");
    });

    it("that installs nothing that runs is not believed", async () => {
        const message = await failure(installWith(`fs.mkdirSync(root + "/bin");`));
        expect(message).toMatch(/official installer: .*bin\/pulumi version` names no version/);
    });

    it("that hangs is ended, with what it has started", async () => {
        const pids = world.file("pids");
        const hang = [
            `const child = require("child_process").spawn("/bin/sleep", ["60"]);`,
            `fs.writeFileSync(${JSON.stringify(pids)}, process.pid + "\\n" + child.pid + "\\n");`,
            `setInterval(() => {}, 1000);`,
            `await new Promise(() => {});`,
        ].join("\n");
        expect(await failure(installWith(hang, { installTimeoutMs: 3_000 }))).toContain("not done after 3 s");
        const started = lines(pids).map(Number);
        expect(started).toHaveLength(2);
        await until("both have ended", () => !started.some(isAlive));
    });

    it("whose host is silent is given up soon", async () => {
        const server = await serve();
        world.go();
        try {
            const engine = await ensure({ probeUrl: server.url, probeTimeoutMs: 200 });
            expect(engine.why).toMatch(/official installer: 127\.0\.0\.1:\d+ did not answer within 0.2 s/);
        } finally {
            server.close();
        }
    });
});

describe("go build", () => {
    it("builds both pinned modules, with nothing of the user's own flags", async () => {
        world.go();
        const engine = await ensure({}, { GOFLAGS: "-mod=vendor", GOWORK: "/else/go.work", GOOS: "plan9" });
        expect(engine).toMatchObject({ source: "go build", version: "3.213.0" });
        const [first, second] = world.goCalls().map((call) => call.split("|"));
        expect(world.goCalls()).toHaveLength(2);
        expect(first[0]).toMatch(/modules\/pulumi$/);
        expect(second[0]).toMatch(/modules\/language-nodejs$/);
        expect(first.slice(1, 4)).toEqual(["-buildvcs=false", "off", "0"]);
        expect(first[4]).toMatch(
            /^build -mod=readonly -trimpath -ldflags -s -w -X .*version\.Version=3\.213\.0 -o /,
        );
        expect(second[4]).toContain("version.Version=3.68.0");
    });

    it("says what it does, and for how long it has done so", async () => {
        world.go({ during: "sleep 0.5" });
        await ensure({ progressMs: 100 });
        expect(world.lines[0]).toBe("building the Pulumi engine 3.213.0 with Go (once, about 3 minutes) …");
        expect(
            world.lines.filter((line) => /^building the Pulumi engine .* … \d+ s$/.test(line)),
        ).not.toEqual([]);
        expect(world.lines.at(-1)).toBe(`the Pulumi engine 3.213.0 is built: ${world.slot()}`);
    });

    it.each([
        ["is too old", { version: "go1.22.9" }, "bin/go is 1.22.9, and 1.25 or newer is needed"],
        ["names no version", { version: "oops" }, "names no version (oops"],
        [
            "fails",
            { during: "echo 'no space left' >&2; exit 2" },
            "`go build` of pulumi failed:\n      no space left",
        ],
        ["makes another version", { makes: "v3.0.0" }, "it made pulumi 3.0.0, not 3.213.0"],
    ])("with a Go that %s leaves a reason and no engine", async (_, options, reason) => {
        world.go(options);
        const message = await failure(ensure());
        expect(message).toContain("- go build: ");
        expect(message).toContain(reason);
        expect(fs.readdirSync(world.engineDir)).toEqual([]);
    });

    it("that is aborted ends the compiler and leaves nothing", async () => {
        const pid = world.file("pid");
        world.go({ during: `echo $$ > '${pid}'; exec sleep 60` });
        const owner = new AbortController();
        const work = ensure({}, {}, owner.signal);
        await until("the build runs", () => fs.existsSync(pid) && lines(pid).length === 1);
        owner.abort();
        await expect(work).rejects.toMatchObject({ name: "AbortError" });
        await until("the compiler has ended", () => !isAlive(Number(lines(pid)[0])));
        expect(leftovers()).toEqual([]);
    });
});

describe("an engine in the cache", () => {
    const pulumi = (): string => path.join(world.slot(), "bin", "pulumi");
    const complete = (): string => path.join(world.slot(), "complete.json");

    beforeEach(async () => {
        world.go();
        await ensure();
        fs.rmSync(world.file("go.calls"));
        world.lines.length = 0;
    });

    it("is used without running anything", async () => {
        fs.utimesSync(pulumi(), new Date(), fs.statSync(pulumi()).mtime);
        fs.rmSync(path.join(world.bin, "go"));
        expect(await ensure()).toMatchObject({ source: "cache", why: "made before (go build)" });
        expect(world.lines).toEqual([]);
    });

    it.each<[string, () => void, string]>([
        ["lacks a binary", () => fs.rmSync(pulumi()), "bin/pulumi is missing"],
        ["is cut short", () => fs.truncateSync(pulumi(), 10), "bin/pulumi has 10 bytes"],
        ["was never finished", () => fs.rmSync(complete()), "it was never finished"],
        ["has a torn record", () => fs.truncateSync(complete(), 20), "JSON"],
        [
            "is of another version",
            () => replace(complete(), '"3.213.0"', '"3.212.0"'),
            "not about this engine",
        ],
        ["has other contents", () => replace(pulumi(), "3.213.0", "3.213.1"), "other contents"],
    ])("that %s is made again", async (_, harm, reason) => {
        harm();
        const engine = await ensure();
        expect(engine.source).toBe("go build");
        expect(world.goCalls()).toHaveLength(2);
        expect(world.lines[0]).toMatch(/^the Pulumi engine in .* is broken \(.*\): making it again$/);
        expect(world.lines[0]).toContain(reason);
        expect(leftovers()).toEqual([]);
        expect(await ensure()).toMatchObject({ source: "cache" });
    });

    it("restored with other times and modes is tried out and kept", async () => {
        fs.utimesSync(pulumi(), 1, 1);
        fs.chmodSync(pulumi(), 0o644);
        expect(await ensure()).toMatchObject({ source: "cache" });
        expect(world.goCalls()).toEqual([]);
        expect(fs.statSync(pulumi()).mode & 0o777).toBe(0o755);
    });

    it("loses what a killed process left half made when one is made again", async () => {
        const key = path.basename(world.slot());
        world.folder("cache", "engine", `.new-${key}-dead0000`, "bin");
        world.folder("cache", "engine", `.new-3.1.0-other-dead0000`);
        fs.rmSync(pulumi());
        await ensure();
        expect(leftovers()).toEqual([".new-3.1.0-other-dead0000"]);
    });
});

describe("the plugins that are scripts", () => {
    const NAMES = ["pulumi-analyzer-policy", "pulumi-resource-pulumi-nodejs"];
    const scripts = () => NAMES.map((name) => path.join(world.slot(), "bin", name));
    const start = (file: string, cwd: string) =>
        spawnSync(file, ["127.0.0.1:1", "a b"], { cwd, encoding: "utf8" });

    it("lie beside an engine that was built, and start the SDK that the current folder has", async () => {
        world.go();
        await ensure();
        const project = world.folder("project", "deep");
        for (const [index, module] of ["run-policy-pack", "dynamic-provider"].entries()) {
            const sdk = world.folder("project", "node_modules", "@pulumi", "pulumi", "cmd", module);
            const body = `console.log("${module}", process.argv.slice(2))`;
            fs.writeFileSync(path.join(sdk, "index.js"), body);
            const { status, stdout } = start(scripts()[index], project);
            expect([status, stdout]).toEqual([0, `${module} [ '127.0.0.1:1', 'a b' ]\n`]);
        }
    });

    it("say what is missing where there is no SDK", async () => {
        world.go();
        await ensure();
        const folder = fs.realpathSync(world.folder("nothing"));
        for (const script of scripts()) {
            expect(start(script, folder)).toMatchObject({
                status: 1,
                stderr: `@pulumi/pulumi is not installed in ${folder} or above: run npm install there\n`,
            });
        }
    });

    it("are added to a cache that lacks them, without a new build", async () => {
        world.go();
        await ensure();
        const made = scripts().map((file) => fs.readFileSync(file, "utf8"));
        fs.rmSync(world.file("go.calls"));
        fs.rmSync(scripts()[0]);
        fs.truncateSync(scripts()[1], 20);
        expect(await ensure()).toMatchObject({ source: "cache" });
        expect(world.goCalls()).toEqual([]);
        expect(scripts().map((file) => fs.readFileSync(file, "utf8"))).toEqual(made);
        expect(scripts().map((file) => fs.statSync(file).mode & 0o777)).toEqual([0o755, 0o755]);
        const names = ["pulumi", "pulumi-language-nodejs", ...NAMES];
        expect(fs.readdirSync(path.join(world.slot(), "bin")).sort()).toEqual(names.sort());
    });

    it("stay as the official installer brought them", async () => {
        const parts = world.folder("parts");
        world.pulumi(parts, "v3.213.0");
        world.languageHost(parts);
        world.script(path.join(parts, NAMES[0]), "echo official");
        const server = await serve(ANSWER);
        const install = `fs.cpSync(process.env.PARTS, root + "/bin", { recursive: true });`;
        try {
            const settings = { probeUrl: server.url, installerModule: world.sdk(install) };
            expect(await ensure(settings, { PARTS: parts })).toMatchObject({ source: "installer" });
        } finally {
            server.close();
        }
        expect(await ensure()).toMatchObject({ source: "cache" });
        expect(fs.readFileSync(scripts()[0], "utf8")).toContain("echo official");
        expect(fs.readFileSync(scripts()[1], "utf8")).toContain("dynamic-provider");
    });

    it("are no reason to fail where the cache can't be written", async () => {
        world.go();
        await ensure();
        // In the way of the script: nothing can be moved there, whoever runs this.
        fs.rmSync(scripts()[0]);
        fs.mkdirSync(path.join(scripts()[0], "full"), { recursive: true });
        expect(await ensure()).toMatchObject({ source: "cache" });
        expect(fs.readdirSync(path.join(world.slot(), "bin"))).toHaveLength(4);
    });
});

describe("the cache's place", () => {
    it.each([
        [{ STACKRUN_CACHE: "/a", XDG_CACHE_HOME: "/b", HOME: "/c" }, undefined, "/a/engine"],
        [{ STACKRUN_CACHE: "", XDG_CACHE_HOME: "/b", HOME: "/c" }, undefined, "/b/stackrun/engine"],
        [{ XDG_CACHE_HOME: "", HOME: "/c" }, undefined, "/c/.cache/stackrun/engine"],
        [{ STACKRUN_CACHE: "/a", HOME: "/c" }, "/d", "/d/engine"],
    ])("for %j and %s is %s", (env, cacheDir, place) => {
        expect(engineDirOf(env, cacheDir)).toBe(place);
    });
});

function replace(file: string, from: string, to: string): void {
    const text = fs.readFileSync(file, "utf8");
    fs.writeFileSync(file, text.replace(from, to));
    fs.utimesSync(file, 1, 1);
}
