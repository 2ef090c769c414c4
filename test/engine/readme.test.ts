import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { ensureEngine } from "../../src/engine";
import { REPO } from "../support/project";

interface Fence {
    readonly code: string;
    readonly notes: Readonly<Record<string, string>>;
}
// eslint-disable-next-line @typescript-eslint/no-require-imports
const { fences } = require("../../scripts/docs/markdown.js") as { fences(markdown: string): Fence[] };

/** What a clone has, beside its packages. */
const CLONE = [
    ...["bin", "dist", "examples", "schema", "src/engine/modules"],
    ...["package.json", "Pulumi.yaml", "Pulumi.dev.yaml"],
];

// What the README shows, in a folder like a clone of the repository, through the real engine.
describe("the README", () => {
    const readme = fences(fs.readFileSync(path.join(REPO, "README.md"), "utf8"));
    const story = readme.filter(({ notes }) => "story" in notes);
    const shown = readme.filter(({ notes }) => "output" in notes);
    let dir: string;
    let said: Said[];

    beforeAll(async () => {
        const engine = await ensureEngine();
        dir = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-readme-"));
        CLONE.forEach((name) => fs.cpSync(path.join(REPO, name), path.join(dir, name), { recursive: true }));
        fs.symlinkSync(path.join(REPO, "node_modules"), path.join(dir, "node_modules"));
        said = await follow(story[0].code, dir, path.dirname(engine.pulumi));
    }, 240_000);
    afterAll(() => fs.rmSync(dir, { recursive: true, force: true }));

    it("has one story and one output to compare", () => {
        expect([story.length, shown.length]).toEqual([1, 1]);
    });

    it("can be followed command by command", () => {
        expect(said.filter(({ code }) => code !== 0)).toEqual([]);
        expect(said.length).toBe(9);
    });

    it("shows what `pulumi up` prints", () => {
        const [up] = said.filter(({ line }) => line.startsWith("pulumi up"));
        const printed = plain(up.output);
        const cells = shown[0].code
            .split("\n")
            .flatMap((line) =>
                plain(line)
                    .replace(/[│├└─]/g, " ")
                    .split(/\s{2,}|^ [+] /),
            )
            .map((cell) => cell.trim())
            // Headings and counts of the table that only a terminal shows.
            .filter(
                (cell) => !["", "…", "Type", "Name", "Status", "Info", "+", "18 messages"].includes(cell),
            );
        expect(cells.length).toBeGreaterThan(30);
        expect(cells.filter((cell) => !printed.includes(cell))).toEqual([]);
    });

    it("tells that a changed parameter makes a new run, and why", () => {
        const preview = said.find(({ line }) => line.startsWith("pulumi preview"))?.output;
        expect(preview).toMatch(/horizon: 1 => 3/);
        expect(preview).toMatch(/stackrun:index:Run: \(replace\)/);
    });

    it("keeps the records of both runs", () => {
        expect(fs.readdirSync(path.join(dir, ".stackrun/runs"))).toHaveLength(2);
    });
});

interface Said {
    readonly line: string;
    readonly code: number;
    readonly output: string;
}

const MARK = "--- after the command:";

/** Types the lines into one shell. The packages are there already, and there is nobody to answer questions. */
async function follow(story: string, dir: string, bin: string): Promise<Said[]> {
    const lines = story.split("\n").map((line) => line.replace(/\s+#.*$/, ""));
    const script = [
        "npm() { :; }",
        // The real one would note the folder in the cache of whoever runs the tests.
        'npx() { shift; node bin/stackrun "$@"; }',
        'pulumi() { case $1 in up | destroy) set -- "$@" --yes ;; esac; command pulumi "$@" --non-interactive --color never; }',
        ...lines.flatMap((line) => [line, `echo "${MARK} $?"`]),
    ];
    const env = {
        ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PULUMI_"))),
        PATH: `${bin}:${process.env.PATH}`,
        PULUMI_HOME: path.join(dir, ".home"),
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    };
    const shell = spawn("bash", ["-c", script.join("\n")], {
        cwd: dir,
        env,
        stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    shell.stdout.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
    shell.stderr.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
    await new Promise((resolve) => shell.once("close", resolve));
    const parts = output.split(new RegExp(`^${MARK} (\\d+)\n`, "m"));
    return lines.map((line, at) => ({
        line,
        output: parts[2 * at] ?? "",
        code: Number(parts[2 * at + 1] ?? -1),
    }));
}

/** Without what differs from run to run. */
function plain(text: string): string {
    return text.replace(/\d+(\.\d+)?s\b|\d+\.\d+ s\b/g, "T").replace(/\d{8}-\d{6}-[a-z0-9]{4}/g, "ID");
}
