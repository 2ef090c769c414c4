import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import fc from "fast-check";
import { scanCode } from "../../../src/bundle";
import { leftOut, paths, Tree } from "./tree";

let tree: Tree;
beforeEach(() => {
    tree = new Tree();
});
afterEach(() => tree.remove());

/** The paths that are bundled, without the ignore files. */
async function bundled(files: Record<string, string>): Promise<string[]> {
    tree.write(files);
    return paths(await scanCode(tree.dir)).filter((file) => !/\.(git|stackrun)ignore$/.test(file));
}

describe(".gitignore", () => {
    it.each<[string, Record<string, string>, string[]]>([
        ["a name anywhere", { ".gitignore": "*.csv", "a.csv": "", "b/c.csv": "", "d.py": "" }, ["d.py"]],
        ["a path from its own folder", { ".gitignore": "/a", a: "", "b/a": "" }, ["b/a"]],
        ["folders only", { ".gitignore": "out/", "out/x": "", "b/out": "" }, ["b/out"]],
        ["back in", { ".gitignore": "*.csv\n!keep.csv", "a.csv": "", "b/keep.csv": "" }, ["b/keep.csv"]],
        [
            "not back in below a folder that is out",
            { ".gitignore": "d/\n!d/keep", "d/keep": "", e: "" },
            ["e"],
        ],
        ["case counts", { ".gitignore": "DATA", data: "", DATA2: "" }, ["DATA2", "data"]],
        [
            "comments, blanks, CRLF, BOM",
            { ".gitignore": "\ufeff# a\r\n\r\na\r\n", a: "", "# a": "" },
            ["# a"],
        ],
        [
            "nested: deeper lines win",
            { ".gitignore": "*.x", "d/.gitignore": "!a.x", "d/a.x": "", "d/b.x": "" },
            ["d/a.x"],
        ],
        [
            "nested: anchored there",
            { "d/.gitignore": "/a\nb/c", "d/a": "", "d/e/a": "", a: "", "d/b/c": "" },
            ["a", "d/e/a"],
        ],
        ["nested: odd folder names", { "[d]*/.gitignore": "a", "[d]*/a": "", "d/a": "" }, ["d/a"]],
    ])("%s", async (_, files, expected) => {
        expect(await bundled(files)).toEqual(expected);
    });

    it("of the folders above counts, up to the repository's root and no further", async () => {
        const outside = path.join(tree.top, ".gitignore");
        fs.writeFileSync(outside, "a\n");
        tree.write({ ".git/": "", ".gitignore": "b\nproject/sub/c\n/d\n", "project/.gitignore": "e\n" });
        tree.write({
            "project/sub/a": "",
            "project/sub/b": "",
            "project/sub/c": "",
            "project/sub/d": "",
            "project/sub/e": "",
        });
        const found = await scanCode(tree.at("project/sub"));
        expect(paths(found)).toEqual(["a", "d"]);
        expect(leftOut(found)).toEqual({
            b: "../../.gitignore:1: b",
            c: "../../.gitignore:2: project/sub/c",
            e: "../.gitignore:1: e",
        });
    });

    it("does not leave out the very folder that was asked for", async () => {
        tree.write({
            ".git/": "",
            ".gitignore": "build/\n*.log",
            "build/deep/a.py": "",
            "build/deep/b.log": "",
        });
        expect(paths(await scanCode(tree.at("build/deep")))).toEqual(["a.py"]);
    });

    it("says nothing about a repository inside", async () => {
        const files = {
            ".gitignore": "*.bin",
            "sub/.git": "gitdir: x",
            "sub/.gitignore": "*.o",
            "sub/a.bin": "",
            "sub/a.o": "",
        };
        expect(await bundled(files)).toEqual(["sub/a.bin"]);
    });

    it("leaves out what git leaves out", async () => {
        const name = fc.constantFrom("a", "b", "c.x", "d e", "[f]");
        const file = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
        const piece = fc.constantFrom(
            "a",
            "b",
            "c.x",
            "*.x",
            "*",
            "**",
            "?",
            "[ab]",
            "d e",
            "d\\ e",
            "\\[f]",

            "[!a]",
        );
        const line = fc
            .tuple(
                fc.constantFrom("", "!", "/", "!/"),
                fc.array(piece, { minLength: 1, maxLength: 3 }),
                fc.constantFrom("", "/"),
            )
            .map(([start, pieces, end]) => start + pieces.join("/") + end);
        const text = fc.array(line, { maxLength: 4 }).map((lines) => lines.join("\n"));
        const ignores = fc.dictionary(fc.constantFrom(".gitignore", "a/.gitignore", "b/a/.gitignore"), text);
        const property = fc.asyncProperty(
            fc.array(file, { maxLength: 12 }),
            ignores,
            async (files, texts) => {
                const one = new Tree();
                try {
                    fill(one, [...files.map((name) => [name, ""] as const), ...Object.entries(texts)]);
                    execFileSync("git", ["init", "-q"], { cwd: one.dir });
                    const listed = execFileSync("git", ["ls-files", "-coz", "--exclude-standard"], {
                        cwd: one.dir,
                        encoding: "utf8",
                    });
                    expect(paths(await scanCode(one.dir)).sort()).toEqual(
                        listed.split("\0").filter(Boolean).sort(),
                    );
                } finally {
                    one.remove();
                }
            },
        );
        await fc.assert(property, { numRuns: 60 });
    });

    /** As far as it goes: a name can't be a file and a folder. */
    function fill(one: Tree, files: (readonly [string, string])[]): void {
        for (const [file, content] of files) {
            const taken = file.split("/").some((_, n, names) => {
                const stat = fs.statSync(one.at(names.slice(0, n + 1).join("/")), { throwIfNoEntry: false });
                return stat && (n === names.length - 1 || !stat.isDirectory());
            });
            if (!taken) {
                one.write({ [file]: content });
            }
        }
    }
});

describe(".stackrunignore", () => {
    it.each<[string, Record<string, string>, string[]]>([
        ["adds to .gitignore", { ".gitignore": "a", ".stackrunignore": "b", a: "", b: "", c: "" }, ["c"]],
        [
            "brings back a file",
            { ".gitignore": "*.csv", ".stackrunignore": "!k.csv", "a.csv": "", "d/k.csv": "" },
            ["d/k.csv"],
        ],
        [
            "brings back a folder",
            { ".gitignore": "d/", ".stackrunignore": "!d/", "d/a": "", "d/e/b": "" },
            ["d/a", "d/e/b"],
        ],
        [
            "brings back a file of a folder that is out",
            { ".gitignore": "d/", ".stackrunignore": "!d/e/k", "d/e/k": "", "d/e/l": "", "d/k": "" },
            ["d/e/k"],
        ],
        [
            "brings back a folder of a folder that is out",
            { ".gitignore": "d/\n*.o", ".stackrunignore": "!/d/e/", "d/e/f/k": "", "d/e/x.o": "", "d/k": "" },
            ["d/e/f/k"],
        ],
        [
            "brings back by a path with **",
            { ".gitignore": "d/", ".stackrunignore": "!d/**/k", "d/k": "", "d/e/f/k": "", "d/e/l": "" },
            ["d/e/f/k", "d/k"],
        ],
        [
            "does not search folders that are out for a mere name",
            { ".gitignore": "d/", ".stackrunignore": "!k", "d/k": "", k: "" },
            ["k"],
        ],
        [
            "stands above a deeper .gitignore",
            { ".stackrunignore": "!a", "d/.gitignore": "a", "d/a": "" },
            ["d/a"],
        ],
        ["nested", { "d/.stackrunignore": "*\n!k", "d/a": "", "d/k": "", a: "" }, ["a", "d/k"]],
        ["last line wins", { ".stackrunignore": "*.x\n!a.x\nd/a.x", "a.x": "", "d/a.x": "" }, ["a.x"]],
        [
            "brings back node_modules",
            { ".stackrunignore": "!node_modules/", "node_modules/m/i.js": "" },
            ["node_modules/m/i.js"],
        ],
        [
            "brings back a virtual environment",
            { ".stackrunignore": "!v/", "v/pyvenv.cfg": "", "v/a": "" },
            ["v/a", "v/pyvenv.cfg"],
        ],
    ])("%s", async (_, files, expected) => {
        expect(await bundled(files)).toEqual(expected);
    });

    it("is named as the rule, with its line", async () => {
        tree.write({ "d/.stackrunignore": "# big\n/raw/ \n", "d/raw/a": "", "d/b": "" });
        expect(leftOut(await scanCode(tree.dir))).toEqual({ "d/raw/": "d/.stackrunignore:2: /raw/" });
    });
});

describe("left out by default", () => {
    it.each([
        "node_modules/m/i.js",
        "d/.venv/x",
        "__pycache__/a.pyc",
        ".DS_Store",
        "env2/pyvenv.cfg",
        ".hg/x",
    ])("%s, though .gitignore asks for it", async (file) => {
        expect(await bundled({ ".gitignore": "!node_modules/\n!.venv\n!*", [file]: "", a: "" })).toEqual([
            "a",
        ]);
    });
});

describe("never bundled", () => {
    it.each([
        ".git/config",
        ".pulumi/x",
        "d/.stackrun/runs/1",
        ".env",
        "d/.env.local",
        ".envrc",
        "id_rsa",
        "d/id_ed25519",
        "x.pfx",
        "Pulumi.dev.yaml",
    ])("%s, whatever .stackrunignore says", async (file) => {
        const top = file.split("/")[0];
        expect(
            await bundled({ ".stackrunignore": `!${file}\n!${top}\n!${top}/\n!*`, [file]: "", a: "" }),
        ).toEqual(["a"]);
        expect((await scanCode(tree.dir)).warnings.join()).toMatch(
            /\.stackrunignore asks for .*, which is never bundled/,
        );
    });

    it.each(["id_rsa.pub", "Pulumi.yaml", ".environment/../env.py", "git/x", "my.env"])(
        "but %s is",
        async (file) => {
            expect(await bundled({ [file]: "" })).toEqual([path.normalize(file)]);
        },
    );
});

describe("private keys", () => {
    const pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n";
    const certificate = "-----BEGIN CERTIFICATE-----\nMIIC\n";
    it.each([
        ["any", pem],
        ["deploy_key", `\n${pem.replace("RSA", "OPENSSH")}`],
        ["server.pem", certificate + pem.replace("RSA ", "")],
        ["SERVER.KEY", `Bag Attributes\n${pem.replace("RSA", "ENCRYPTED")}`],
        ["pgp.asc", "-----BEGIN PGP PRIVATE KEY BLOCK-----\n"],
        ["account.json", `{"type": "service_account", "private_key": "-----BEGIN PRIVATE KEY-----\\n"}`],
        ["binary.key", Buffer.from([0x30, 0x82, 4, 0xbe, 2, 1, 0, 0x30]).toString("latin1")],
    ])("are found in %s by their content", async (name, content) => {
        tree.write({ [name]: Buffer.from(content, "latin1"), a: "" });
        const found = await scanCode(tree.dir);
        expect(leftOut(found)).toEqual({ [name]: "a private key, by its content" });
    });

    it.each([
        ["server.pem", certificate],
        ["test_keys.py", `KEY = """${pem}"""`],
        ["keys.md", `An example:\n${pem}`],
        ["translations.key", "hello = Hallo"],
        ["cert.der", Buffer.from([0x30, 0x82, 4, 0xbe, 0x30, 0x82, 2, 1]).toString("latin1")],
    ])("are not seen in %s", async (name, content) => {
        tree.write({ [name]: Buffer.from(content, "latin1") });
        expect(paths(await scanCode(tree.dir))).toEqual([name]);
    });
});
