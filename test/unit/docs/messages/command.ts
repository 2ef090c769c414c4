import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { main } from "../../../../src/cli/main";
import { World } from "../../engine/world";
import { REPO } from "../pages";

/** Runs the command in a folder, in this process, and returns what it writes to its error output. */
export async function command(folder: string, ...args: string[]): Promise<string> {
    const before = process.cwd();
    const { exitCode } = process;
    let text = "";
    const write = jest.spyOn(process.stderr, "write").mockImplementation((chunk) => {
        text += String(chunk);
        return true;
    });
    const out = jest.spyOn(process.stdout, "write").mockImplementation(() => true);
    process.chdir(folder);
    try {
        await main(args);
    } finally {
        process.chdir(before);
        process.exitCode = exitCode;
        write.mockRestore();
        out.mockRestore();
        // The command's own, one each time.
        [process.stdout, process.stderr].forEach((stream) => stream.removeAllListeners("error"));
    }
    return text;
}

/** A pipeline's file with one step, as `pipeline.yaml` of a folder. */
export function pipelineFile(folder: string, ...more: string[]): void {
    const text = ["name: p", ...more, "steps: [{name: one, run: ls}]", ""].join("\n");
    fs.writeFileSync(path.join(folder, "pipeline.yaml"), text);
}

/** Does something while a variable of the environment has another value. */
export async function withEnv<T>(
    change: Readonly<Record<string, string | undefined>>,
    work: () => Promise<T> | T,
): Promise<T> {
    const before = Object.keys(change).map((name) => [name, process.env[name]] as const);
    const set = ([name, value]: readonly [string, string | undefined]): void => {
        if (value === undefined) {
            delete process.env[name];
        } else {
            process.env[name] = value;
        }
    };
    Object.entries(change).forEach(set);
    try {
        return await work();
    } finally {
        before.forEach(set);
    }
}

/**
 * Runs the command with a Pulumi engine that is a shell script: it knows every stack, and does `onUpdate` when it is to
 * update, preview or destroy one.
 */
export async function withEngine(onUpdate: string, folder: string, ...args: string[]): Promise<string> {
    const world = new World();
    try {
        world.languageHost(world.bin);
        world.script(
            path.join(world.bin, "pulumi"),
            'case "$1 $2" in',
            "'version '*) echo v3.213.0; exit ;;",
            `'stack export') echo '{"version":3,"deployment":{}}'; exit ;;`,
            "'up '* | 'preview '* | 'destroy '*) touch updating ;;",
            "*) exit ;;",
            "esac",
            onUpdate,
        );
        const PATH = `${world.bin}${path.delimiter}${process.env.PATH}`;
        const env = {
            PATH,
            STACKRUN_BACKEND: "local",

            PULUMI_HOME: world.root,
        };
        return await withEnv(env, () => command(folder, ...args));
    } finally {
        world.remove();
    }
}

/** Ctrl-C, as soon as a file is there. */
export async function interruptWhen(file: string): Promise<void> {
    while (!fs.existsSync(file)) {
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
    process.emit("SIGINT");
}

const DIST = path.join(REPO, "dist", "src");

/**
 * What a program says that uses this package, as it is built: `stackrun` and `testing` are its two modules, `pulumi` is
 * the SDK, `folder` holds a pipeline. A process of its own, because an Output that fails is nobody's to catch.
 */
export function program(folder: string, ...body: string[]): string {
    const modules = `const [stackrun, testing, pulumi] = process.argv.slice(1, 4).map((name) => require(name));`;
    const folderIs = "const folder = process.argv[4];";
    const fails = 'process.on("unhandledRejection", (error) => console.error(error.message));';
    const text = [modules, folderIs, fails, "(async () => {", ...body, "})();"].join("\n");
    const sdk = require.resolve("@pulumi/pulumi");
    const names = [path.join(DIST, "index.js"), path.join(DIST, "testing", "index.js"), sdk, folder];
    return spawnSync(process.execPath, ["-e", text, ...names], { encoding: "utf8", cwd: folder }).stderr;
}
