import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { adopt, lookUp, slotOf } from "../../../../src/engine/cache";
import { ensureEngineWith } from "../../../../src/engine/ensure";
import type { EngineError } from "../../../../src/engine/errors";
import type { Context, Settings } from "../../../../src/engine/types";
import { checkLanguageHost } from "../../../../src/engine/verify";
import { unsupportedPlatform } from "../../../../src/platform";
import { compile } from "../../engine/compiled";
import { MODULES, serve, World } from "../../engine/world";
import { REPO } from "../pages";
import type { Producers } from "./said";

const ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

type Harm = (world: World) => Partial<Settings> | void;

/** The error of a machine without an engine, to which something was done before. */
async function noEngine(harm: Harm, settings: Partial<Settings> = {}): Promise<EngineError> {
    const world = new World();
    try {
        const more = harm(world) ?? {};
        const all = await world.settings({ ...settings, ...more });
        await ensureEngineWith({ env: world.env(), log: world.log }, all);
    } catch (error) {
        return error as EngineError;
    } finally {
        world.remove();
    }
    throw new Error("there is an engine");
}

/** Why one of the remedies did not help. */
const tried =
    (remedy: string, harm: Harm, settings: Partial<Settings> = {}) =>
    async (): Promise<string> => {
        const { tried: all } = await noEngine(harm, settings);
        return all.find((one) => one.remedy.startsWith(remedy))?.why ?? `${remedy} was not tried`;
    };

const whole = async (): Promise<string> => (await noEngine(() => undefined)).message;

/** The same, while a server gives this answer, or none, in place of the installer's host. */
const installer =
    (answer: string | undefined, settings: Partial<Settings>, body = ""): (() => Promise<string>) =>
    async () => {
        const server = await serve(answer);
        try {
            return await tried("official installer", (world) => ({ installerModule: world.sdk(body) }), {
                probeUrl: server.url,
                ...settings,
            })();
        } finally {
            server.close();
        }
    };

/** What is wrong with an engine in the cache to which something was done. */
const cached = (harm: (root: string) => void) => async (): Promise<string> => {
    const world = new World();
    try {
        const slot = await slotOf(world.folder("cache", "engine"), MODULES);
        const made = world.folder("cache", "made");
        world.pulumi(path.join(made, "bin"), "v3.213.0");
        world.languageHost(path.join(made, "bin"));
        await adopt(made, slot, "go build", context(world));
        harm(slot.root);
        const found = await lookUp(slot, context(world));
        return "why" in found ? found.why : "nothing is wrong";
    } finally {
        world.remove();
    }
};

function context(world: World): Context {
    const settings = { modulesDir: MODULES, answerTimeoutMs: 10_000 } as Settings;
    return { log: world.log, env: world.env(), settings };
}

const bin = (name: string, change: (file: string) => void) =>
    cached((root) => {
        const file = path.join(root, "bin", name);
        change(file);
    });

const NONE: Producers = {
    "There is no Pulumi engine that stackrun can use, and none could be made:": whole,
    "- install Pulumi (https://www.pulumi.com/docs/install/)": whole,
    "- install Go … or newer (https://go.dev/dl/): stackrun then builds the engine, once": whole,
    "- set STACKRUN_CACHE to a folder that can be written": whole,
    "nothing there": tried("cache", () => undefined),
    "can't be written (…)": tried("cache", (world) => fs.writeFileSync(world.cache, "in the way")),
};

const ON_PATH: Producers = {
    "… is …, and … or newer is needed": tried("go build", (world) => world.go({ version: "go1.22.9" })),
    "… is …, and … or a newer 3.x is needed": tried("pulumi", (world) => {
        world.pulumi(world.bin, "v3.100.0");
    }),
    "… has no …, neither beside it nor on PATH": tried("pulumi", (world) => {
        world.pulumi(world.bin, "v3.213.0");
    }),
    "`… version` names no version (…)": tried("pulumi", (world) => {
        world.pulumi(world.bin, "nonsense");
    }),
    "… does not start (…)": async () => {
        const world = new World();
        try {
            const host = world.script(path.join(world.bin, "host"), "exit 3");
            return await checkLanguageHost(host, context(world));
        } finally {
            world.remove();
        }
    },
};

const CACHED: Producers = {
    "it was never finished": cached((root) => fs.rmSync(path.join(root, "complete.json"))),
    "its complete.json is not about this engine": cached((root) =>
        fs.writeFileSync(path.join(root, "complete.json"), '{"version":"3.1.0"}'),
    ),
    "bin/… has … bytes, not …": bin("pulumi", (file) => fs.truncateSync(file, 10)),
    "bin/… has other contents than when it was made": bin("pulumi", (file) => {
        const text = fs.readFileSync(file, "utf8");
        fs.writeFileSync(file, text.replace("3.213.0", "3.213.1"));
        fs.utimesSync(file, 1, 1);
    }),
    "bin/… is missing": bin("pulumi-language-nodejs", (file) => fs.rmSync(file)),
    "it made pulumi …, not …": tried("go build", (world) => world.go({ makes: "v3.0.0" })),
};

const MADE: Producers = {
    "… did not answer within … s": installer(undefined, { probeTimeoutMs: 200 }),
    "… can't be reached (…)": tried("official installer", () => undefined),
    "not done after … s": installer(
        ANSWER,
        { installTimeoutMs: 300 },
        "setInterval(() => {}, 1000); await new Promise(() => {});",
    ),
    "`go` is not on PATH": tried("go build", () => undefined),
    "`… env` names no version (…)": tried("go build", (world) => world.go({ version: "oops" })),
    "`go build` of … failed: …": tried("go build", (world) => world.go({ during: "echo why >&2; exit 2" })),
};

/** What a script says that is started with parts of this package in a folder. */
function node(folder: string, program: string): string {
    return spawnSync(process.execPath, ["-e", program], { cwd: folder, encoding: "utf8" }).stderr.replaceAll(
        /^\w*Error: |^stackrun: /gm,
        "",
    );
}

function copy(folder: string, ...files: string[]): void {
    for (const file of files) {
        fs.mkdirSync(path.join(folder, path.dirname(file)), { recursive: true });
        fs.copyFileSync(path.join(REPO, file), path.join(folder, file));
    }
}

const PACKAGE: Producers = {
    "stackrun needs Linux or macOS": () => unsupportedPlatform("win32"),
    "stackrun needs Node.js … or newer": (folder) => {
        copy(folder, "scripts/bootstrap.js");
        const old = 'const versions = { ...process.versions, node: "18.20.0" };';
        const set = 'Object.defineProperty(process, "versions", { value: versions });';
        return node(folder, `${old} ${set} require("./scripts/bootstrap.js")`);
    },
    "stackrun is not built yet: run `npm ci` in this folder once": (folder) => {
        copy(folder, "bin/program.js");
        fs.symlinkSync(path.join(REPO, "node_modules"), path.join(folder, "node_modules"));
        // eslint-disable-next-line @typescript-eslint/no-require-imports
        return require(path.join(folder, "bin/program.js")) as unknown;
    },
    "stackrun is not installed completely: its folder src/engine/modules is missing": (folder) => {
        compile(folder, "engine");
        return node(folder, 'require("./src/engine/ensure.js").ensureEngine({ env: { PATH: "" } })');
    },
    "stackrun is not installed completely: no package.json above …": (folder) => {
        const place = path.join(folder, "a", "b");
        fs.mkdirSync(place, { recursive: true });
        compile(place, "cli");
        return node(place, 'require("./src/cli/packageRoot.js").packageRoot()');
    },
    "`npm …` failed (…): see above": (folder) => {
        copy(folder, "scripts/bootstrap.js", "scripts/freshness.js", "scripts/copy-assets.js");
        copy(folder, "package.json", "package-lock.json", "tsconfig.json");
        const npm = path.join(folder, "npm");
        fs.writeFileSync(npm, "#!/bin/sh\nexit 1\n", { mode: 0o755 });
        fs.mkdirSync(path.join(folder, "src"));
        const env = { PATH: `${folder}:${process.env.PATH}` };
        const { stderr } = spawnSync(process.execPath, ["scripts/bootstrap.js"], {
            cwd: folder,
            env,
            encoding: "utf8",
        });
        return stderr.replaceAll(/^stackrun: /gm, "");
    },
};

/** Why there is no engine, or no whole package. */
export const ENGINE: Producers = { ...NONE, ...ON_PATH, ...CACHED, ...MADE, ...PACKAGE };
