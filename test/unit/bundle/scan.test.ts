import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import { BundleTooLargeError, scanCode } from "../../../src/bundle";
import { failure, leftOut, paths, Tree } from "./tree";

let tree: Tree;
beforeEach(() => {
    tree = new Tree();
});
afterEach(() => tree.remove());

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

describe("the entries", () => {
    it("have a path, a mode kept to the executable bit, a size and a hash", async () => {
        tree.write({ "run.sh": "#!/bin/sh\n", "lib/a.py": "x", "empty/": "" });
        fs.chmodSync(tree.at("run.sh"), 0o4710);
        fs.chmodSync(tree.at("lib/a.py"), 0o666);
        tree.link("latest", "lib/a.py");
        const found = await scanCode(tree.dir);
        expect(found.entries).toEqual([
            { path: "latest", type: "link", linkTarget: "lib/a.py" },
            { path: "lib/a.py", type: "file", mode: 0o644, size: 1, sha256: sha256("x") },
            { path: "run.sh", type: "file", mode: 0o755, size: 10, sha256: sha256("#!/bin/sh\n") },
        ]);
        expect(found).toMatchObject({
            dir: tree.dir,
            totalSize: 11,
            leftOut: [],
            leftOutCount: 0,
            warnings: [],
        });
    });

    it("are sorted by the bytes of their paths", async () => {
        const names = ["b", "B", "a/z", "a-z", "a.z", "é", "\u{1F600}", "\uFB01", "z"];
        tree.write(Object.fromEntries(names.map((name) => [name, ""])));
        const sorted = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        expect(paths(await scanCode(tree.dir))).toEqual(sorted);
    });

    it("may have any UTF-8 name", async () => {
        const names = ["-rf", "a b", "a\nb", "12:30.csv", "tab\there", "'\"$x`"];
        tree.write(Object.fromEntries(names.map((name) => [name, ""])));
        expect(paths(await scanCode(tree.dir)).sort()).toEqual([...names].sort());
    });

    it("are found through a link to the folder itself", async () => {
        tree.write({ a: "" });
        fs.symlinkSync("code", path.join(tree.top, "alias"));
        const found = await scanCode(path.join(tree.top, "alias"));
        expect(found.dir).toBe(tree.dir);
        expect(paths(found)).toEqual(["a"]);
    });
});

describe("the hash", () => {
    const hash = async (): Promise<string> => (await scanCode(tree.dir)).hash;

    it.each<[string, () => void]>([
        ["content", () => tree.write({ a: "2" })],
        ["a name", () => fs.renameSync(tree.at("a"), tree.at("b"))],
        ["the executable bit", () => fs.chmodSync(tree.at("a"), 0o755)],
        ["a link's target", () => (fs.rmSync(tree.at("l")), tree.link("l", "./a"))],
        ["a file more", () => tree.write({ "d/a": "" })],
        ["a file in a link's place", () => (fs.rmSync(tree.at("l")), tree.write({ l: "a" }))],
    ])("changes with %s", async (_, change) => {
        tree.write({ a: "1" });
        tree.link("l", "a");
        const before = await hash();
        change();
        expect(await hash()).not.toBe(before);
    });

    it("does not change with times, other modes, empty folders, or what is left out", async () => {
        tree.write({ a: "1", "d/b": "2" });
        const before = await hash();
        fs.utimesSync(tree.at("a"), 1, 1);
        fs.chmodSync(tree.at("a"), 0o640);
        tree.write({ "e/f/": "", ".env": "x", "__pycache__/a.pyc": "y" });
        expect(await hash()).toBe(before);
    });

    it("can't be had by a name that looks like two", async () => {
        tree.write({ 'a","x"]\n["file","b': "" });
        const one = await hash();
        fs.rmSync(tree.dir, { recursive: true });
        tree.write({ a: "", b: "" });
        expect(await hash()).not.toBe(one);
    });
});

describe("links", () => {
    it.each([
        ["to a file", "d/l", "../a", undefined],
        ["to a folder", "l", "d", undefined],
        ["to the folder itself", "d/l", "..", undefined],
        ["through another link", "l", "m/b", undefined],
        ["that leaves the folder", "d/l", "../../x", "a link that leaves the folder"],
        ["that leaves the folder and comes back", "l", "../code/a", "a link that leaves the folder"],
        ["that leaves it where nothing is", "l", "none/../../x", "a link that leaves the folder"],
        ["that leaves it through another link", "l", "m/../../x", "a link that leaves the folder"],
        ["to an absolute path", "l", "/etc/hostname", "a link to an absolute path"],
        ["to itself", "l", "l", "a link that leads in a circle"],
        ["to what is left out", "l", ".env", "a link to something that is left out"],
        ["to a link that is left out", "l", "bad", "a link to something that is left out"],
    ])("%s", async (_, at, target, rule) => {
        tree.write({ a: "", "d/b": "", ".env": "secret" });
        fs.writeFileSync(path.join(tree.top, "x"), "outside");
        tree.link("m", "d");
        tree.link("bad", `${tree.dir}/a`);
        tree.link(at, target);
        const found = await scanCode(tree.dir);
        expect(leftOut(found)[at]).toBe(rule);
        expect(paths(found).includes(at)).toBe(rule === undefined);
    });

    it("to nothing are kept, with a warning: a program may make it", async () => {
        tree.link("l", "out/result.csv");
        const found = await scanCode(tree.dir);
        expect(paths(found)).toEqual(["l"]);
        expect(found.warnings).toEqual(["the link l leads to out/result.csv, which does not exist"]);
    });

    it("to folders are not walked through", async () => {
        tree.write({ "d/a": "" });
        tree.link("d/up", "..");
        expect(paths(await scanCode(tree.dir))).toEqual(["d/a", "d/up"]);
    });
});

describe("what can't be bundled", () => {
    it("sockets and pipes are left out, by name", async () => {
        const server = net.createServer().listen(tree.at("s"));
        await new Promise((resolve) => server.once("listening", resolve));
        execFileSync("mkfifo", [tree.at("p")]);
        const found = await scanCode(tree.dir);
        await new Promise((resolve) => server.close(resolve));
        expect(leftOut(found)).toEqual({ p: "a named pipe", s: "a socket" });
        expect(found.warnings).toEqual([`the bundle is empty: everything is left out (${tree.dir})`]);
    });

    it("names that are not UTF-8, or hold a backslash, are refused, unless they are left out", async () => {
        const raw = Buffer.concat([Buffer.from(`${tree.dir}/caf`), Buffer.from([0xe9])]);
        fs.writeFileSync(raw, "");
        tree.write({ "a\\b": "", "ok\\x": "", ".stackrunignore": "ok*" });
        const { message } = await failure(scanCode(tree.dir));
        expect(message).toContain('- "caf\ufffd"');
        expect(message).toContain("- a\\b");
        expect(message).not.toContain("ok");
        tree.write({ ".stackrunignore": "ok*\ncaf*\n*b" });
        expect(paths(await scanCode(tree.dir))).toEqual([".stackrunignore"]);
    });

    it("all that can't be read is named in one error", async () => {
        tree.write({ a: "", b: "", "c/d": "", e: "" });
        ["a", "b", "c"].forEach((file) => fs.chmodSync(tree.at(file), 0));
        fs.chmodSync(tree.top, 0o755);
        const message = await asNobody(async () => (await failure(scanCode(tree.dir))).message);
        fs.chmodSync(tree.at("c"), 0o755);
        expect(message).toContain("c/ (EACCES)");
        const files = await asNobody(async () => (await failure(scanCode(tree.dir))).message);
        expect(files).toBe("The code can't be read:\n  - a (EACCES)\n  - b (EACCES)");
    });

    it.each([
        ["none", /The code folder .*\/none can't be read \(ENOENT\)/],
        ["file", /The code folder .*\/file is not a folder/],
    ])("a folder that is no folder: %s", async (name, message) => {
        fs.writeFileSync(path.join(tree.top, "file"), "");
        expect((await failure(scanCode(path.join(tree.top, name)))).message).toMatch(message);
    });

    /** Root may read everything: then as someone else. */
    async function asNobody<T>(work: () => Promise<T>): Promise<T> {
        if (process.geteuid?.() !== 0) {
            return work();
        }
        process.seteuid?.(65534);
        try {
            return await work();
        } finally {
            process.seteuid?.(0);
        }
    }
});

describe("the limit", () => {
    it("names the ten largest files and folders, and the remedy", async () => {
        const names = Array.from({ length: 15 }, (_, n) => `data/${n}.bin`);
        tree.write(Object.fromEntries(names.map((name, n) => [name, "x".repeat(1000 + n)])));
        tree.write({ "model.bin": "y".repeat(3 * 1024), small: "" });
        const error = await failure(scanCode(tree.dir, { maxBytes: 10_000 }));
        expect(error).toBeInstanceOf(BundleTooLargeError);
        const { largest, message } = error as BundleTooLargeError;
        expect(largest.slice(0, 3).map(({ path: file }) => file)).toEqual([
            "data/",
            "model.bin",
            "data/14.bin",
        ]);
        expect(largest).toHaveLength(10);
        expect(message).toMatch(/^The code has 17\.8 KiB, over the limit of 9\.8 KiB\. .*\.stackrunignore/);
        expect(message).toContain("\n    3.0 KiB  model.bin");
    });

    it("counts only what is bundled, and includes the last byte", async () => {
        tree.write({ a: "12345", b: "12345", ".gitignore": "b" });
        await expect(scanCode(tree.dir, { maxBytes: 6 })).resolves.toMatchObject({ totalSize: 6 });
        await expect(scanCode(tree.dir, { maxBytes: 5 })).rejects.toBeInstanceOf(BundleTooLargeError);
    });
});

describe("the list of what is left out", () => {
    it("is bounded and sorted; the count is whole", async () => {
        tree.write({ ".gitignore": "*.x" });
        tree.write(Object.fromEntries(Array.from({ length: 250 }, (_, n) => [`${n}.x`, ""])));
        const found = await scanCode(tree.dir);
        expect(found.leftOutCount).toBe(250);
        expect(found.leftOut).toHaveLength(200);
        expect(found.leftOut.slice(0, 2).map(({ path: file }) => file)).toEqual(["0.x", "1.x"]);
    });
});

describe("files that change while they are read", () => {
    /** Writes in every turn of the event loop, until told to stop. */
    function keepWriting(file: string): () => void {
        let going = true;
        const write = (): void => {
            if (going) {
                fs.appendFileSync(file, "x");
                setImmediate(write);
            }
        };
        write();
        return () => {
            going = false;
        };
    }

    it("are named when they don't come to rest", async () => {
        tree.write({ "a.log": "", b: "" });
        const stop = keepWriting(tree.at("a.log"));
        const error = await failure(scanCode(tree.dir));
        stop();
        expect(error.name).toBe("BundleChangedError");
        expect(error.message).toMatch(
            /^These files change while they are read; .*\.stackrunignore:\n {2}- a\.log$/,
        );
    });

    it("are read again once", async () => {
        tree.write({ "a.log": "", b: "" });
        const stop = keepWriting(tree.at("a.log"));
        setTimeout(stop, 50);
        const found = await scanCode(tree.dir);
        const [first] = found.entries;
        expect(first).toMatchObject({ sha256: sha256(fs.readFileSync(tree.at("a.log"), "utf8")) });
    });
});

describe("the cache", () => {
    const cacheFile = (): string => path.join(tree.top, "state", "bundle-cache.json");
    const scan = (): ReturnType<typeof scanCode> => scanCode(tree.dir, { cacheFile: cacheFile() });
    const cached = (): Record<string, [string, string, number]> =>
        (
            JSON.parse(fs.readFileSync(cacheFile(), "utf8")) as {
                files: Record<string, [string, string, number]>;
            }
        ).files;
    const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2_100));

    it("is trusted for files that have rested, and only while they do", async () => {
        tree.write({ a: "1", b: "2", key: "-----BEGIN PRIVATE KEY-----" });
        await scan();
        expect(fs.existsSync(cacheFile()) ? cached() : {}).toEqual({});
        await rest();
        const truth = await scan();
        expect(Object.keys(cached()).sort()).toEqual(["a", "b", "key"]);

        // A wrong hash in the cache shows what is taken from it.
        const lie = "0".repeat(64);
        fs.writeFileSync(
            cacheFile(),
            fs.readFileSync(cacheFile(), "utf8").replaceAll(sha256("1"), lie).replaceAll(sha256("2"), lie),
        );
        tree.write({ b: "2" });
        const found = await scan();
        expect(found.entries).toMatchObject([
            { path: "a", sha256: lie },
            { path: "b", sha256: sha256("2") },
        ]);
        expect(leftOut(found)).toEqual({ key: "a private key, by its content" });
        expect(truth.hash).not.toBe(found.hash);
    });

    it.each([
        ["torn", '{"version":1,"files":{"a":["1'],
        ["of another kind", "[]"],
        ["of another folder", '{"version":1,"dir":"/else","files":{"a":["x","y",0]}}'],
        ["of nonsense", '{"version":1,"files":{"a":7}}'],
    ])("that is %s is ignored", async (_, content) => {
        tree.write({ a: "1" });
        fs.mkdirSync(path.dirname(cacheFile()));
        fs.writeFileSync(cacheFile(), content);
        expect((await scan()).entries).toMatchObject([{ sha256: sha256("1") }]);
    });

    it("that can't be written is no error", async () => {
        tree.write({ a: "1" });
        fs.writeFileSync(path.join(tree.top, "state"), "a file in the way");
        await rest();
        expect(paths(await scan())).toEqual(["a"]);
    });
});

it("a scan can be aborted", async () => {
    tree.write({ a: "" });
    await expect(scanCode(tree.dir, { signal: AbortSignal.abort() })).rejects.toMatchObject({
        name: "AbortError",
    });
});
