import { execFileSync, spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { inflateRawSync } from "node:zlib";
import { scanCode, writeBundle, type BundleFormat } from "../../../src/bundle";
import { compile } from "../engine/compiled";
import { failure, Tree } from "./tree";

const FORMATS: BundleFormat[] = ["tar.gz", "zip"];
const LARGE = "0123456789abcdef".repeat(40_000);

let tree: Tree;
beforeEach(() => {
    tree = new Tree();
});
afterEach(() => tree.remove());

const target = (name = "bundle"): string => path.join(tree.top, "out", name);
const written = (): string[] =>
    fs.existsSync(path.dirname(target())) ? fs.readdirSync(path.dirname(target())) : [];

/** Names, modes, and contents of a zip, by its central directory. */
function readZip(file: string): Record<string, { mode: number; time: number; content: string }> {
    const zip = fs.readFileSync(file);
    const end = zip.lastIndexOf(Buffer.from("PK\x05\x06", "latin1"));
    const found: ReturnType<typeof readZip> = {};
    for (let at = zip.readUInt32LE(end + 16), n = zip.readUInt16LE(end + 10); n > 0; n--) {
        const [nameLength, extra, comment] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset));
        const name = zip.toString("utf8", at + 46, at + 46 + nameLength);
        const local = zip.readUInt32LE(at + 42);
        const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
        const data = zip.subarray(start, start + zip.readUInt32LE(at + 20));
        const content = zip.readUInt16LE(at + 10) === 8 ? inflateRawSync(data) : data;
        found[name] = {
            mode: zip.readUInt32LE(at + 38) >>> 16,
            time: zip.readUInt32LE(at + 12),
            content: content.toString(),
        };
        at += 46 + nameLength + extra + comment;
    }
    return found;
}

describe("an archive", () => {
    const files = {
        "a b\nc": "1",
        "-x": "2",
        "12:30.csv": "3",
        "é/ü": "4",
        large: LARGE,
        empty: "",
        "run.sh": "#!/bin/sh\n",
    };

    beforeEach(() => {
        tree.write({ ...files, [`${"long/".repeat(30)}name`]: "5" });
        fs.chmodSync(tree.at("run.sh"), 0o700);
        tree.link("é/link", "../large");
    });

    it("as tar.gz unpacks to what was scanned", async () => {
        const bundle = await writeBundle(await scanCode(tree.dir), target());
        expect(bundle.size).toBe(fs.statSync(target()).size);
        expect(bundle.sha256).toBe(createHash("sha256").update(fs.readFileSync(target())).digest("hex"));
        const copy = path.join(tree.top, "copy");
        fs.mkdirSync(copy);
        execFileSync("tar", ["-xzf", target(), "-C", copy]);
        for (const [name, content] of Object.entries(files)) {
            expect(fs.readFileSync(path.join(copy, name), "utf8")).toBe(content);
        }
        expect(fs.readlinkSync(path.join(copy, "é/link"))).toBe("../large");
        expect((await scanCode(copy)).hash).toBe((await scanCode(tree.dir)).hash);
        expect(written()).toEqual(["bundle"]);
    });

    it("as tar.gz has fixed times, owners and modes", async () => {
        await writeBundle(await scanCode(tree.dir), target());
        const list = execFileSync("tar", ["-tvzf", target(), "--numeric-owner"], {
            encoding: "utf8",
            env: { ...process.env, TZ: "UTC" },
        });
        const heads = list
            .trim()
            .split("\n")
            .map((line) => line.split(/\s+/));
        expect(new Set(heads.map(([mode]) => mode))).toEqual(
            new Set(["-rw-r--r--", "-rwxr-xr-x", "lrwxrwxrwx"]),
        );
        expect(new Set(heads.map(([, owner, , date, time]) => `${owner} ${date} ${time}`))).toEqual(
            new Set(["0/0 1970-01-01 00:00"]),
        );
        expect([...fs.readFileSync(target()).subarray(4, 10)]).toEqual([0, 0, 0, 0, 0, 255]);
    });

    it("as zip has what was scanned", async () => {
        await writeBundle(await scanCode(tree.dir), target(), { format: "zip" });
        const zip = readZip(target());
        expect(Object.keys(zip)).toHaveLength(Object.keys(files).length + 2);
        expect(zip["a b\nc"]).toEqual({ mode: 0o100644, time: 0x210000, content: "1" });
        expect(zip["./12:30.csv"].content).toBe("3");
        expect(zip["run.sh"].mode).toBe(0o100755);
        expect(zip.large.content).toBe(LARGE);
        expect(zip["é/link"]).toMatchObject({ mode: 0o120777, content: "../large" });
    });

    it.each(FORMATS)("of nothing is a good %s", async (format) => {
        const empty = new Tree();
        const bundle = await writeBundle(await scanCode(empty.dir), target(), { format });
        empty.remove();
        expect(bundle.size).toBeGreaterThan(10);
    });
});

describe("the same tree", () => {
    it("gives the same bytes, whatever made it and whoever archives it", async () => {
        compile(tree.top, "bundle");
        const program = [
            `const { scanCode, writeBundle } = require(${JSON.stringify(path.join(tree.top, "src/bundle"))});`,
            `process.umask(Number(process.argv[4]));`,
            `scanCode(process.argv[1]).then(async (tree) => {`,
            `    for (const format of ["tar.gz", "zip"])`,
            `        console.log(tree.hash, (await writeBundle(tree, process.argv[2] + format, { format })).sha256);`,
            `});`,
        ].join("\n");
        const names = ["a", "B", "ä", "z/y", "z.x", "m/n/o", "m/-", "\u{1F600}"];
        const archive = (
            index: number,
            order: string[],
            umask: number,
            env: Record<string, string>,
        ): string => {
            const dir = path.join(tree.top, `copy${index}`);
            const old = process.umask(umask);
            for (const name of order) {
                const file = path.join(dir, name);
                fs.mkdirSync(path.dirname(file), { recursive: true });
                fs.writeFileSync(file, `content of ${name}`, { mode: name === "a" ? 0o777 : 0o666 });
                fs.utimesSync(file, 1000 * index, 86_400 * 1000 * index);
            }
            fs.symlinkSync("n/o", path.join(dir, "m", "link"));
            process.umask(old);
            const result = spawnSync(process.execPath, ["-e", program, dir, `${dir}.`, "", String(umask)], {
                env: { ...process.env, ...env },
                encoding: "utf8",
            });
            return result.stdout + result.stderr;
        };
        const one = archive(1, names, 0o022, { LC_ALL: "C", TZ: "UTC" });
        const two = archive(2, [...names].reverse(), 0o077, { LC_ALL: "de_DE.UTF-8", TZ: "Asia/Tokyo" });
        const three = archive(3, [...names].sort(), 0o000, {
            LC_ALL: "",
            LANG: "tr_TR",
            TZ: "America/New_York",
        });
        expect(one.trim().split("\n")).toHaveLength(2);
        expect([two, three]).toEqual([one, one]);
    });

    it.each(FORMATS)("is archived as %s in memory that does not grow with it", (format) => {
        compile(tree.top, "bundle");
        for (const name of ["one", "two"]) {
            fs.writeFileSync(tree.at(name), "");
            fs.truncateSync(tree.at(name), 150 * 1024 * 1024);
        }
        const program = [
            `const { scanCode, writeBundle } = require(${JSON.stringify(path.join(tree.top, "src/bundle"))});`,
            `scanCode(process.argv[1], { maxBytes: 1e9 })`,
            `    .then((tree) => writeBundle(tree, process.argv[2], { format: ${JSON.stringify(format)} }))`,
            `    .then(({ size }) => console.log(JSON.stringify({ size, rss: process.resourceUsage().maxRSS })));`,
        ].join("\n");
        const result = spawnSync(process.execPath, ["-e", program, tree.dir, target()], { encoding: "utf8" });
        const { size, rss } = JSON.parse(result.stdout) as { size: number; rss: number };
        expect(size).toBeGreaterThan(100_000);
        expect(rss / 1024).toBeLessThan(220);
    });
});

describe("a tree that has changed since it was scanned", () => {
    it.each<[string, (file: string) => void]>([
        [
            "has other contents",
            (file) => fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace(/^0/, "9")),
        ],
        ["has grown", (file) => fs.appendFileSync(file, "x".repeat(300_000))],
        ["has shrunk", (file) => fs.truncateSync(file, 3)],
        ["is gone", (file) => fs.rmSync(file)],
        ["is a link now", (file) => (fs.rmSync(file), fs.symlinkSync("/etc/hostname", file))],
    ])("is refused by name: a file %s", async (_, change) => {
        for (const format of FORMATS) {
            for (const content of [LARGE, LARGE.slice(0, 100)]) {
                tree.write({ a: "first", "d/f": content, z: "last" });
                const scanned = await scanCode(tree.dir);
                change(tree.at("d/f"));
                const error = await failure(writeBundle(scanned, target(), { format }));
                expect(error.name).toBe("BundleChangedError");
                expect(error.message).toBe("d/f has changed since the code was scanned: try again");
                expect(written()).toEqual([]);
                fs.rmSync(tree.at("d/f"), { force: true });
            }
        }
    });
});

describe("a target", () => {
    it("is replaced only by a complete archive", async () => {
        tree.write({ a: "1" });
        const scanned = await scanCode(tree.dir);
        const { sha256 } = await writeBundle(scanned, target());
        tree.write({ a: "2" });
        await failure(writeBundle(scanned, target()));
        expect(createHash("sha256").update(fs.readFileSync(target())).digest("hex")).toBe(sha256);
        expect(written()).toEqual(["bundle"]);
    });

    it("that can't be written is named", async () => {
        tree.write({ a: "1" });
        fs.writeFileSync(path.join(tree.top, "out"), "a file in the way");
        const error = await failure(writeBundle(await scanCode(tree.dir), target()));
        expect(error.name).toBe("BundleError");
        expect(error.message).toMatch(/^The bundle can't be written to .*\/out \(E/);
    });

    it.each(FORMATS)("on a full disk fails with that reason, and ends nothing else (%s)", (format) => {
        compile(tree.top, "bundle");
        tree.write({ random: randomBytes(4_000_000) });
        const program = [
            `const { scanCode, writeBundle } = require(${JSON.stringify(path.join(tree.top, "src/bundle"))});`,
            `scanCode(process.argv[1])`,
            `    .then((tree) => writeBundle(tree, process.argv[2], { format: ${JSON.stringify(format)} }))`,
            `    .catch((error) => setTimeout(() => console.log(error.name, error.message), 200));`,
        ].join("\n");
        // A limit on the size of files stands for the full disk.
        const limited = `trap '' XFSZ; ulimit -f 1000; exec "$0" -e "$@"`;
        const result = spawnSync("sh", ["-c", limited, process.execPath, program, tree.dir, target()], {
            encoding: "utf8",
        });
        expect(result.stdout).toMatch(/^BundleError The bundle can't be written to .*\/out \(EFBIG\)\n$/);
        expect(result.stderr).toBe("");
        expect(written()).toEqual([]);
    });

    it("is left alone when the writing is aborted", async () => {
        tree.write(Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`${n}`, LARGE])));
        const owner = new AbortController();
        const work = writeBundle(await scanCode(tree.dir), target(), { signal: owner.signal });
        setTimeout(() => owner.abort(), 20);
        await expect(work).rejects.toMatchObject({ name: "AbortError" });
        expect(written()).toEqual([]);
    });
});
