import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

const REPO = path.resolve(__dirname, "../../..");

// Prints, at the end, which packages were loaded that take long, or are not in the package.
const TRACER = `
const Module = require("node:module");
const load = Module._load;
const heavy = new Set();
Module._load = function (name) {
    if (/^(@pulumi|@grpc|google-protobuf)\\b/.test(name)) heavy.add(name);
    return load.apply(this, arguments);
};
process.on("exit", () => process.stderr.write("loaded: " + [...heavy].join(" ")));
`;

describe("the command starts without the Pulumi SDK", () => {
    let dir: string;
    beforeAll(() => {
        dir = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-startup-"));
        fs.writeFileSync(path.join(dir, "tracer.js"), TRACER);
        fs.writeFileSync(
            path.join(dir, "pipeline.yaml"),
            "name: p\nparams: {n: 1}\nsteps: [{name: one, run: ls}]\n",
        );
    });
    afterAll(() => fs.rmSync(dir, { recursive: true }));

    const stackrun = (...args: string[]) =>
        spawnSync(
            process.execPath,
            ["-r", path.join(dir, "tracer.js"), path.join(REPO, "bin/stackrun"), ...args],
            { cwd: dir, encoding: "utf8" },
        );

    it.each([
        [0, "run --help"],
        [0, "--version"],
        [0, "validate"],
        [2, "validate nowhere.yaml"],
        [2, "status"],
        [2, "logs x"],
        [2, "run -p n=many"],
        [0, "runs"],
        [2, "runs --limit none"],
        [2, "cancel"],
        [2, "destroy"],
        [2, "completion tcsh"],
        [0, "completion bash"],
        [2, "init pipeline.yaml"],
        [2, "nothing-like-this"],
    ])("exit code %d: %s", (code, command) => {
        const { status, stderr } = stackrun(...command.split(" "));
        expect(stderr).toMatch(/loaded: $/);
        expect(stderr).not.toMatch(/^\s+at /m);
        expect(status).toBe(code);
        expect(fs.readdirSync(dir).sort()).toEqual(["pipeline.yaml", "tracer.js"]);
    });

    it.each("init run validate status logs runs cancel destroy doctor env completion".split(" "))(
        "%s --help shows examples",
        (command) => {
            const { status, stdout } = stackrun(command, "--help");
            expect(stdout).toMatch(/^Examples?:\n {2}.*stackrun /m);
            expect(status).toBe(0);
        },
    );

    it("the trace sees what `run` itself loads", () => {
        const { stderr } = spawnSync(
            process.execPath,
            [
                "-r",
                path.join(dir, "tracer.js"),
                "-e",
                `require(${JSON.stringify(path.join(REPO, "dist/src/cli/run.js"))})`,
            ],
            {
                cwd: dir,
                encoding: "utf8",
            },
        );
        expect(stderr).toMatch(/loaded: .*@pulumi\/pulumi/);
    });

    it("with --json prints nothing but JSON", () => {
        const { stdout } = stackrun("validate", "--json");
        expect(JSON.parse(stdout)).toMatchObject({ name: "p", steps: [{ name: "one" }] });
    });
});
