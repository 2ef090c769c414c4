import { spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { ensureEngine } from "../../src/engine";
import { Checkpoint, type StateResource } from "./checkpoint";
import { processesIn } from "./processes";

export const REPO = path.resolve(__dirname, "../..");

export interface CommandResult {
    readonly code: number | null;
    readonly signal: NodeJS.Signals | null;
    readonly stdout: string;
    readonly stderr: string;
}

/** A command that still runs. */
export interface RunningCommand {
    readonly child: ChildProcess;
    readonly ended: Promise<CommandResult>;
    /** Resolves once the standard output has matched. */
    seen(pattern: RegExp, timeoutMs?: number): Promise<void>;
    output(): string;
}

export interface ProjectOptions {
    /** Plugins beside stackrun's: the provider's name, and the folder of its executable. */
    readonly plugins?: Readonly<Record<string, string>>;
    /** For all commands. */
    readonly env?: NodeJS.ProcessEnv;
}

/**
 * A Pulumi project in a folder of its own, with a program in plain JavaScript that uses the built package, a local
 * backend, and the real plugin in its own process: what a user has.
 */
export class Project {
    readonly dir: string;
    private readonly env: NodeJS.ProcessEnv;

    private constructor(dir: string, bin: string, env: NodeJS.ProcessEnv = {}) {
        this.dir = dir;
        this.env = {
            ...cleanEnv(),
            ...env,
            PATH: `${bin}:${process.env.PATH}`,
            PULUMI_HOME: path.join(dir, ".home"),
            PULUMI_BACKEND_URL: pathToFileURL(path.join(dir, ".state")).href,
            PULUMI_CONFIG_PASSPHRASE: "test passphrase",
            PULUMI_SKIP_UPDATE_CHECK: "true",
            PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        };
    }

    /** What the commands of this project have as PATH: the engine first. */
    get searchPath(): string {
        return this.env.PATH ?? "";
    }

    /** `program` is the body of a CommonJS module in which `stackrun` and `pulumi` are defined. */
    static async create(
        files: Record<string, string>,
        program = DEFAULT_PROGRAM,
        { plugins = {}, env }: ProjectOptions = {},
    ): Promise<Project> {
        const engine = await ensureEngine();
        const dir = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-test-"));
        const project = new Project(dir, path.dirname(engine.pulumi), env);
        const folders = { stackrun: path.join(REPO, "bin"), ...plugins };
        fs.mkdirSync(path.join(dir, ".state"));
        fs.symlinkSync(path.join(REPO, "node_modules"), path.join(dir, "node_modules"));
        project.write({
            "Pulumi.yaml": JSON.stringify({
                name: "test",
                runtime: { name: "nodejs", options: { typescript: false } },
                main: "index.js",
                plugins: {
                    providers: Object.entries(folders).map(([name, folder]) => ({ name, path: folder })),
                },
            }),
            "package.json": JSON.stringify({ name: "test", private: true }),
            ".stackrunignore": ".home\n.state\nindex.js\npackage.json\nPulumi*.yaml\n",
            ...files,
        });
        project.program(program);
        await project.expectOk(["stack", "init", "dev"]);
        return project;
    }

    write(files: Record<string, string>): void {
        for (const [name, content] of Object.entries(files)) {
            const file = path.join(this.dir, name);
            fs.mkdirSync(path.dirname(file), { recursive: true });
            fs.writeFileSync(file, content);
        }
    }

    program(body: string): void {
        const modules = `const pulumi = require("@pulumi/pulumi");\nconst stackrun = require(${JSON.stringify(path.join(REPO, "dist/src"))});\n`;
        this.write({ "index.js": modules + body });
    }

    read(name: string): string {
        return fs.readFileSync(path.join(this.dir, name), "utf8");
    }

    exists(name: string): boolean {
        return fs.existsSync(path.join(this.dir, name));
    }

    start(
        command: string,
        args: readonly string[],
        env: NodeJS.ProcessEnv = {},
        stdin: "ignore" | "pipe" = "ignore",
    ): RunningCommand {
        const child = spawn(command, args, {
            cwd: this.dir,
            env: { ...this.env, ...env },
            stdio: [stdin, "pipe", "pipe"],
            detached: true,
        });
        let stdout = "";
        let stderr = "";
        child.stdout?.on("data", (chunk: Buffer) => (stdout += chunk.toString("utf8")));
        child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
        const ended = new Promise<CommandResult>((resolve, reject) => {
            child.once("error", reject);
            child.once("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
        });
        const seen = async (pattern: RegExp, timeoutMs = 30_000) => {
            await until(
                () => pattern.test(stdout + stderr),
                timeoutMs,
                () => `${pattern} in the output:\n${stdout}${stderr}`,
            );
        };
        return { child, ended, seen, output: () => stdout + stderr };
    }

    pulumi(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CommandResult> {
        return this.start("pulumi", [...args, "--non-interactive", "--color", "never"], env).ended;
    }

    up(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<CommandResult> {
        return this.pulumi(["up", "--yes", "--skip-preview", "--stack", "dev", ...args], env);
    }

    startUp(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): RunningCommand {
        return this.start(
            "pulumi",
            [
                "up",
                "--yes",
                "--skip-preview",
                "--stack",
                "dev",
                "--non-interactive",
                "--color",
                "never",
                ...args,
            ],
            env,
        );
    }

    preview(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<CommandResult> {
        return this.pulumi(["preview", "--stack", "dev", "--diff", ...args], env);
    }

    stackrun(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CommandResult> {
        return this.startStackrun(args, env).ended;
    }

    startStackrun(args: readonly string[], env: NodeJS.ProcessEnv = {}): RunningCommand {
        const own = { PULUMI_BACKEND_URL: undefined, PULUMI_CONFIG_PASSPHRASE: undefined };
        return this.start(process.execPath, [path.join(REPO, "bin/stackrun"), ...args], { ...own, ...env });
    }

    /** The command on a terminal of its own, made by `script`: what goes to its standard input is typed there. */
    startOnTerminal(args: readonly string[]): RunningCommand {
        const words = [process.execPath, path.join(REPO, "bin/stackrun"), ...args];
        const line = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
        const own = { PULUMI_BACKEND_URL: undefined, PULUMI_CONFIG_PASSPHRASE: undefined };
        const env = { ...own, TERM: "xterm", SHELL: "/bin/sh" };
        return this.start("script", ["-qefc", line, "/dev/null"], env, "pipe");
    }

    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    async outputs(stack = "dev"): Promise<any> {
        const { outputs } = this.checkpoint(stack);
        if (outputs) {
            return outputs;
        }
        const args = ["stack", "output", "--json", "--show-secrets", "--stack", stack];
        return JSON.parse((await this.expectOk(args)).stdout);
    }

    /** The resources in the stack's state; secrets are ciphertext. */
    state(): readonly StateResource[] {
        return this.checkpoint().resources;
    }

    checkpoint(stack = "dev"): Checkpoint {
        return new Checkpoint(this.dir, stack);
    }

    async expectOk(args: readonly string[]): Promise<CommandResult> {
        const result = await this.pulumi(args);
        if (result.code !== 0) {
            throw new Error(
                `pulumi ${args.join(" ")} ended with ${result.code}:\n${result.stdout}${result.stderr}`,
            );
        }
        return result;
    }

    /** Ends what is left of the project's runs, and removes its folder. */
    dispose(): void {
        for (const run of listFolder(path.join(this.dir, ".stackrun/runs"))) {
            killMarked(path.join(this.dir, ".stackrun/runs", run, "runner.pid"), false);
            for (const step of listFolder(path.join(this.dir, ".stackrun/runs", run, "steps"))) {
                killMarked(path.join(this.dir, ".stackrun/runs", run, "steps", step, "pid"), true);
            }
        }
        // What `pulumi` leaves when it is killed ends by itself, but not at once.
        for (const pid of processesIn(
            fs.realpathSync(this.dir),
            /pulumi-language-nodejs|pulumi-resource-stackrun/,
        )) {
            kill(pid);
        }
        fs.rmSync(this.dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    }
}

export const DEFAULT_PROGRAM = `
const run = new stackrun.LocalOrchestrator("job", { pipeline: "pipeline.yaml" });
for (const output of ["runId", "attempt", "status", "reason", "message", "steps", "exitCode", "logs", "logUrl", "metrics", "artifacts"]) {
    exports[output] = run[output];
}
`;

/** Waits for something to become true; fails with what was waited for. */
export async function until(
    condition: () => boolean | Promise<boolean>,
    timeoutMs: number,
    what: () => string,
): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!(await condition())) {
        if (Date.now() > deadline) {
            throw new Error(`waited ${timeoutMs / 1000} s for ${what()}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 25));
    }
}

// Neither the developer's Pulumi settings nor CI's may have a say.
function cleanEnv(): NodeJS.ProcessEnv {
    return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PULUMI_")));
}

function listFolder(dir: string): string[] {
    return fs.existsSync(dir) ? fs.readdirSync(dir) : [];
}

function killMarked(file: string, group: boolean): void {
    const pid = Number((fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "").split(" ")[0]);
    if (pid > 1) {
        kill(group ? -pid : pid);
    }
}

function kill(pid: number): void {
    try {
        process.kill(pid, "SIGKILL");
    } catch {
        // It has ended.
    }
}
