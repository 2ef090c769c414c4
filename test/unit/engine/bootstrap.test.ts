import { spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { lines, World } from "./world";

const SCRIPTS = path.resolve(__dirname, "../../../scripts");
const LOCK = {
    packages: {
        "": {},
        "node_modules/a": { version: "1.0.0", integrity: "x" },
        "node_modules/b": { optional: true },
    },
};
const ENGINE = `exports.ensureEngine = async ({ log }) => { if (process.env.NO_ENGINE) {
    throw Object.assign(new Error("no engine"), { name: "EngineError" }); } };`;

let world: World;
beforeEach(() => {
    world = new World();
    write("package-lock.json", JSON.stringify(LOCK));
    write("tsconfig.json", `{"compilerOptions": {"tsBuildInfoFile": "node_modules/.cache/info"}}`);
    write("src/a.ts", "1");
    for (const script of ["bootstrap.js", "freshness.js", "copy-assets.js"]) {
        write(`scripts/${script}`, fs.readFileSync(path.join(SCRIPTS, script), "utf8"));
    }
    fakeNpm();
});
afterEach(() => world.remove());

function write(file: string, content: string): void {
    fs.mkdirSync(path.dirname(world.file(file)), { recursive: true });
    fs.writeFileSync(world.file(file), content);
}

/** Notes each call; `ci` installs as the lock file says, `run build` makes dist. */
function fakeNpm(during = ":"): void {
    write("engine.js", ENGINE);
    world.script(
        path.join(world.bin, "npm"),
        `echo "$1" >> '${world.file("npm.calls")}'`,
        "echo to standard output",
        during,
        `if [ "$1" = ci ]; then mkdir -p node_modules/a; cp package-lock.json node_modules/.package-lock.json; exit; fi`,
        `mkdir -p dist/src/engine; cp engine.js dist/src/engine/index.js`,
        `printf %s "$STACKRUN_SOURCE_HASH" > dist/.stamp`,
    );
}

function bootstrap(
    args: string[] = [],
    env: Record<string, string> = {},
): { code: number | null; out: string; err: string } {
    const result = spawnSync(process.execPath, [world.file("scripts/bootstrap.js"), ...args], {
        env: { ...world.env(), ...env },
        encoding: "utf8",
    });
    return { code: result.status, out: result.stdout, err: result.stderr };
}

/** The npm commands that were run since the last look. */
function npmCalls(): string[] {
    const file = world.file("npm.calls");
    const calls = fs.existsSync(file) ? lines(file) : [];
    fs.rmSync(file, { force: true });
    return calls;
}

describe("the bootstrap", () => {
    it("installs and builds a fresh checkout, and then has nothing to do or say", () => {
        const first = bootstrap();
        expect(first).toMatchObject({ code: 0, out: "" });
        expect(first.err).toContain(
            "stackrun: installing the dependencies (the dependencies are not installed) …",
        );
        expect(first.err).toContain("stackrun: building (there is no complete build) …");
        expect(npmCalls()).toEqual(["ci", "run"]);
        expect(bootstrap()).toEqual({ code: 0, out: "", err: "" });
        expect(npmCalls()).toEqual([]);
    });

    it.each<[string, () => void, string[]]>([
        [
            "a dependency of another version",
            () => write("package-lock.json", JSON.stringify(LOCK).replace("1.0.0", "1.0.1")),
            ["ci"],
        ],
        ["a dependency that is gone", () => fs.rmdirSync(world.file("node_modules/a")), ["ci"]],
        [
            "an interrupted installation",
            () => fs.rmSync(world.file("node_modules/.package-lock.json")),
            ["ci"],
        ],
        ["a changed source", () => write("src/a.ts", "2"), ["run"]],
        ["a new source", () => write("components/b.ts", ""), ["run"]],
        ["an interrupted build", () => fs.rmSync(world.file("dist/.stamp")), ["run"]],
    ])("does only what is needed after %s", (_, change, calls) => {
        bootstrap();
        npmCalls();
        change();
        expect(bootstrap().code).toBe(0);
        expect(npmCalls()).toEqual(calls);
    });

    it("has the compiler forget what it once wrote when dist is gone", () => {
        bootstrap();
        write("node_modules/.cache/info", "");
        fs.rmSync(world.file("dist"), { recursive: true });
        bootstrap();
        expect(fs.existsSync(world.file("node_modules/.cache/info"))).toBe(false);
    });

    it("says which command failed", () => {
        fakeNpm("exit 3");
        const { code, err } = bootstrap();
        expect(code).toBe(1);
        expect(err).toContain(
            "stackrun: `npm ci --include=dev --no-audit --no-fund` failed (exit code 3): see above\n",
        );
    });

    it("before tests tells which of them need no engine", () => {
        const { code, err } = bootstrap(["--tests"], { NO_ENGINE: "1" });
        expect(code).toBe(1);
        expect(err).toMatch(/stackrun: no engine\nstackrun: tests that need no engine: npm run test:unit\n$/);
    });

    it("installs once when two run at the same time, and passes over the locks of dead ones", async () => {
        fakeNpm("sleep 0.5");
        write(".stackrun/bootstrap-999999999.lock", "");
        // Its number was given to another process since.
        write(`.stackrun/bootstrap-${process.pid}.lock`, "1");
        const run = (): Promise<number | null> =>
            new Promise((resolve) =>
                spawn(process.execPath, [world.file("scripts/bootstrap.js")], {
                    env: world.env(),
                    stdio: "ignore",
                }).once("close", resolve),
            );
        expect(await Promise.all([run(), run()])).toEqual([0, 0]);
        expect(npmCalls()).toEqual(["ci", "run"]);
        expect(fs.readdirSync(world.file(".stackrun"))).toEqual([]);
    });
});

describe("copying assets", () => {
    const copy = (): { status: number | null } =>
        spawnSync(process.execPath, [world.file("scripts/copy-assets.js")]);

    it("keeps modes, leaves the Go modules where they are, and removes what has no source", () => {
        write("src/run.sh", "#!/bin/sh");
        write("src/x/schema.json", "{}");
        write("src/engine/modules/m/go.mod", "");
        write("dist/src/a.js", "");
        write("dist/src/gone.js", "");
        fs.chmodSync(world.file("src/run.sh"), 0o755);
        expect(copy().status).toBe(0);
        expect(fs.statSync(world.file("dist/src/run.sh")).mode & 0o777).toBe(0o755);
        expect(fs.readdirSync(world.file("dist/src")).sort()).toEqual(["a.js", "run.sh", "x"]);
        expect(fs.readdirSync(world.file("dist/src/x"))).toEqual(["schema.json"]);
    });

    it("marks dist as complete only if no source can have changed while it was compiled", () => {
        write("dist/src/a.js", "");
        copy();
        expect(fs.existsSync(world.file("dist/.stamp"))).toBe(false);
        fs.utimesSync(world.file("src/a.ts"), 1, 1);
        copy();
        expect(fs.readFileSync(world.file("dist/.stamp"), "utf8")).toMatch(/^[0-9a-f]{64}$/);
    });
});
