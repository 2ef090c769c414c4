import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { Project, REPO, until, type CommandResult, type RunningCommand } from "../support/project";

/** No value is part of anything that is meant to be readable. */
const SECRETS: Readonly<Record<string, string>> = {
    PLAIN: "correct-horse-battery-staple",
    // One contains the other: masking the short one first would leave the rest of the long one.
    SHORT: "Tr0ub4dor",
    LONG: "Tr0ub4dor&3-and-more",
    // As sed, awk, printf, a regular expression and a shell would like them.
    SPECIAL: "^a.*[z]\\1&/|$HOME`id`$(id)'q\"%s%n\\n{2}+?(x)~#; -e",
    KEY: "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n\tindented-line-of-the-key \nx}\n-----END KEY-----\n",
};
const NAMES = Object.keys(SECRETS);

/** What must not be found anywhere: every value, and every line of one that tells something. */
const CLEAR = Object.values(SECRETS)
    .flatMap((value) => [value, ...value.split("\n").map((line) => line.trim())])
    .filter((text) => text.length >= 4);

const STEP = `
const { createHash } = require("node:crypto"), fs = require("node:fs"), { env } = process;
const names = ${JSON.stringify(NAMES)};
const sums = Object.fromEntries(names.map((name) => [name, createHash("sha256").update(env[name] ?? "").digest("hex")]));
const others = Object.keys(env).filter((name) => /PULUMI|PASSPHRASE/i.test(name) || env[name].includes("test passphrase"));
fs.writeFileSync(env.STACKRUN_OUTPUTS + "/seen.json", JSON.stringify({ sums, others, argv: process.argv }));
for (const name of names) {
    console.log("log " + name + "=<" + env[name] + ">");
    console.error("twice " + env[name] + env[name]);
    // Without an end of line in between, and in pieces that end anywhere.
    for (const piece of env[name].match(/[^]{1,3}/g)) process.stdout.write(piece);
    console.log("");
}
fs.appendFileSync(env.STACKRUN_METRICS, "score=1\\n" + env.PLAIN + "\\n" + env.SPECIAL + "=1\\n");
`;

const PIPELINE = `
name: secrets
params: {colour: {type: string, default: red}}
secrets: [${NAMES.join(", ")}]
steps:
  - name: look
    run: [node, step.js]
    outputs: [seen.json]
  - name: wait
    run: while ! [ -e "$GO" ]; do sleep 0.05; done
  - name: fail
    run: [sh, -c, 'printf "%s\\n" "$PLAIN $LONG $SHORT $SPECIAL" >&2; printf %s "$KEY"; exit 3']
`;

const PROGRAM = `
const config = new pulumi.Config("own");
const all = config.requireSecretObject("all");
const value = all.PLAIN;
const extra = config.getObject("extra") ?? {};
const job = new stackrun.LocalOrchestrator("job", {
    pipeline: "pipeline.yaml",
    secrets: Object.fromEntries(${JSON.stringify(NAMES)}.map((name) => [name, all[name]])),
    params: extra.param ? { colour: value } : {},
    env: extra.env ? { ["AS_" + "VARIABLE"]: value } : {},
});
for (const output of ["runId", "attempt", "status", "reason", "message", "steps", "exitCode", "logs", "metrics", "artifacts"]) {
    exports[output] = job[output];
}
`;

describe("the value of a secret", () => {
    let project: Project;
    let go: string;
    let up: RunningCommand;
    let failed: CommandResult;
    let commandLines: string[];

    beforeAll(async () => {
        project = await Project.create({ "pipeline.yaml": PIPELINE, "step.js": STEP }, PROGRAM);
        go = path.join(project.dir, ".home/go");
        await setSecrets(project);
        up = project.startUp([], { GO: go });
        await until(
            () => started(project, "wait") || up.child.exitCode !== null,
            60_000,
            () => `the step that waits:\n${up.output()}`,
        );
        commandLines = readCommandLines();
        fs.writeFileSync(go, "");
        failed = await up.ended;
    }, 120_000);

    afterAll(() => project.dispose());

    it("is what the step gets", () => {
        const { sums } = JSON.parse(project.read(`${runDir(project)}/steps/look/outputs/seen.json`)) as {
            sums: Record<string, string>;
        };
        const expected = NAMES.map((name) => [
            name,
            createHash("sha256").update(SECRETS[name]).digest("hex"),
        ]);
        expect(sums).toEqual(Object.fromEntries(expected));
    });

    it("is in no command line while a step runs", () => {
        expect(commandLines.some((line) => line.includes("pulumi-resource-stackrun"))).toBe(true);
        expect(commandLines.some((line) => line.includes("runner.sh"))).toBe(true);
        expectClear(commandLines.join("\n"));
    });

    it("is not in what a failed `up` prints, though the steps print it", () => {
        expect(failed.code).not.toBe(0);
        expect(failed.stdout).toContain("fail | *** *** *** ***");
        expect(failed.stdout).toContain("log PLAIN=<***>");
        expect(failed.stdout + failed.stderr).toMatch(
            /Failed \(StepFailed\): step fail failed with exit code 3/,
        );
        expectClear(failed.stdout + failed.stderr);
    });

    it("is in the stack's state in no other form than encrypted", async () => {
        const { stdout } = await project.expectOk(["stack", "export", "--stack", "dev"]);
        expectClear(stdout);
        const resources = project.state();
        const run = resources.find(({ type }) => type === "stackrun:index:Run");
        expect(run?.inputs?.secrets).toMatchObject({ ciphertext: expect.any(String) as string });
        expect(run?.outputs?.logs).toEqual(expect.stringContaining("look | log LONG=<***>"));
        expect(run?.outputs?.logs).toEqual(expect.stringContaining("look | twice ******"));
        // The outputs are no secrets: whoever may see the stack may see how its run went.
        expect(run?.outputs).toMatchObject({
            status: "Failed",
            message: "step fail failed with exit code 3",
        });
    });

    it("is in no file of the run, the stack, Pulumi's home or the project", () => {
        const files = listFiles(project.dir);
        const relative = files.map((file) => path.relative(project.dir, file));
        for (const name of [
            "plan/plan.sh",
            "plan/env.sh",
            "events.jsonl",
            "log",
            "run.json",
            "runner.sh",
            "steps/look/log",
            "steps/fail/log",
        ]) {
            expect(relative).toContain(`${runDir(project)}/${name}`);
        }
        expect(relative.filter((name) => name.startsWith(".state/")).length).toBeGreaterThan(0);
        // Into its own file, a step may write what it likes.
        const ours = files.filter((file) => !file.endsWith("/steps/look/metrics"));
        const found = ours.filter((file) => {
            const text = fs.readFileSync(file, "utf8");
            return CLEAR.some((clear) => text.includes(clear));
        });
        expect(found).toEqual([]);
    });

    it("is kept from a step that has no need of it: Pulumi's own", () => {
        const { others } = JSON.parse(project.read(`${runDir(project)}/steps/look/outputs/seen.json`)) as {
            others: string[];
        };
        expect(others).toEqual([]);
    });

    it("is refused as a parameter, by name, and nothing runs", async () => {
        const before = runs(project);
        await project.expectOk(["config", "set", "--stack", "dev", "own:extra", '{"param":true}']);
        const result = await project.up([], { GO: go });
        expect(result.code).not.toBe(0);
        expect(result.stdout + result.stderr).toMatch(/params.colour is a secret/);
        expectClear(result.stdout + result.stderr);
        expect(runs(project)).toEqual(before);
    }, 60_000);

    it("is refused as an environment variable, by name, and nothing runs", async () => {
        const before = runs(project);
        await project.expectOk(["config", "set", "--stack", "dev", "own:extra", '{"env":true}']);
        const result = await project.up([], { GO: go });
        expect(result.code).not.toBe(0);
        expect(result.stdout + result.stderr).toMatch(/env.AS_VARIABLE is a secret/);
        expectClear(result.stdout + result.stderr);
        expect(runs(project)).toEqual(before);
    }, 60_000);

    it("is refused as a parameter in the configuration of the package's own program", async () => {
        const before = runs(project);
        project.program(`module.exports = require(${JSON.stringify(path.join(REPO, "dist/stacks"))});`);
        await project.expectOk(["config", "set", "--stack", "dev", "test:pipeline", "pipeline.yaml"]);
        await project.expectOk([
            "config",
            "set",
            "--stack",
            "dev",
            "--secret",
            "--path",
            "test:params.colour",
            SECRETS.PLAIN,
        ]);
        const result = await project.up([], { GO: go });
        expect(result.code).not.toBe(0);
        expect(result.stdout + result.stderr).toMatch(/test:params\b.*secret/);
        expectClear(result.stdout + result.stderr);
        expect(runs(project)).toEqual(before);
    }, 60_000);
});

/** From standard input: on a command line, it could be read by others. */
async function setSecrets(project: Project): Promise<void> {
    const file = path.join(project.dir, "secrets.json");
    fs.writeFileSync(file, JSON.stringify(SECRETS));
    const set = await project.start("sh", [
        "-c",
        "pulumi config set --stack dev --secret own:all < secrets.json",
    ]).ended;
    fs.rmSync(file);
    if (set.code !== 0) {
        throw new Error(set.stdout + set.stderr);
    }
}

function expectClear(text: string): void {
    expect(CLEAR.filter((clear) => text.includes(clear))).toEqual([]);
}

function runs(project: Project): string[] {
    const folder = path.join(project.dir, ".stackrun/runs");
    return fs.existsSync(folder) ? fs.readdirSync(folder) : [];
}

function runDir(project: Project): string {
    return `.stackrun/runs/${runs(project)[0]}`;
}

function started(project: Project, step: string): boolean {
    const file = `${runDir(project)}/events.jsonl`;
    return project.exists(file) && project.read(file).includes(`"type":"step.started","step":"${step}"`);
}

function readCommandLines(): string[] {
    const pids = fs.readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name));
    return pids.map((pid) => {
        try {
            return fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
        } catch {
            return ""; // It has ended.
        }
    });
}

/** All files below a folder; what a link leads to is not below it. */
function listFiles(folder: string): string[] {
    return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
        const file = path.join(folder, entry.name);
        return entry.isDirectory() ? listFiles(file) : entry.isFile() ? [file] : [];
    });
}
