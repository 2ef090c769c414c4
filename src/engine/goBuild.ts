import { promises as fs } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { RemedyFailed } from "./errors";
import { findOnPath, lastWords, run } from "./exec";
import { withProgress } from "./progress";
import type { Context, Environment } from "./types";
import { ENGINE_VERSION, LANGUAGE_HOST_VERSION } from "./versions";

interface Target {
    readonly module: string;
    readonly version: string;
    readonly packagePath: string;
    readonly binary: string;
    readonly what: string;
}

const TARGETS: readonly Target[] = [
    {
        module: "pulumi",
        version: ENGINE_VERSION,
        packagePath: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        binary: "pulumi",
        what: `building the Pulumi engine ${ENGINE_VERSION} with Go (once, about 3 minutes)`,
    },
    {
        module: "language-nodejs",
        version: LANGUAGE_HOST_VERSION,
        packagePath: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
        binary: "pulumi-language-nodejs",
        what: `building Pulumi's Node.js language host ${LANGUAGE_HOST_VERSION} with Go (once, about a minute)`,
    },
];

/** Builds the two pinned modules into `<root>/bin`. */
export async function goBuild(root: string, context: Context): Promise<void> {
    const go = (await findOnPath("go", context.env))[0];
    if (!go) {
        throw new RemedyFailed("`go` is not on PATH");
    }
    const env = buildEnvironment(context.env);
    await checkGo(go, env, context);
    await fs.mkdir(path.join(root, "bin"), { recursive: true });
    for (const target of TARGETS) {
        await build(go, target, root, env, context);
    }
}

/** The version of Go that the modules need, from their go.mod. */
export async function goNeeded(modulesDir: string): Promise<string> {
    const text = await fs.readFile(path.join(modulesDir, "pulumi", "go.mod"), "utf8");
    return /^go (\d+\.\d+)/m.exec(text)?.[1] ?? "1.25";
}

async function build(
    go: string,
    target: Target,
    root: string,
    env: Environment,
    context: Context,
): Promise<void> {
    const { settings, signal, log } = context;
    const version = `github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=${target.version}`;
    const args = ["build", "-mod=readonly", "-trimpath", "-ldflags", `-s -w -X ${version}`];
    args.push("-o", path.join(root, "bin", target.binary), target.packagePath);
    const result = await withProgress(target.what, { log, everyMs: settings.progressMs }, () =>
        run(go, args, {
            env,
            signal,
            cwd: path.join(settings.modulesDir, target.module),
            timeoutMs: settings.buildTimeoutMs,
        }),
    );
    if (result.timedOut) {
        throw new RemedyFailed(`not done after ${Math.round(settings.buildTimeoutMs / 1000)} s`);
    }
    if (result.code !== 0) {
        throw new RemedyFailed(`\`go build\` of ${target.binary} failed:\n      ${lastWords(result)}`);
    }
}

/**
 * Flags, workspaces and cross-compilation of the user's own work must not reach this build. An empty variable would
 * leave `go env -w` in force, so each is set; where modules come from (GOPROXY, …) and GOTOOLCHAIN stay the user's.
 */
function buildEnvironment(env: Environment): Environment {
    const architecture: Record<string, string> = { x64: "amd64", ia32: "386" };
    return {
        ...env,
        GOFLAGS: "-buildvcs=false",
        GOWORK: "off",
        CGO_ENABLED: "0",
        GOOS: process.platform,
        GOARCH: architecture[process.arch] ?? process.arch,
    };
}

/** A Go that is too old is told apart from a build that fails; since 1.21 Go may fetch a newer toolchain by itself. */
async function checkGo(go: string, env: Environment, context: Context): Promise<void> {
    const result = await run(go, ["env", "GOVERSION", "GOTOOLCHAIN"], {
        env,
        cwd: os.tmpdir(),
        signal: context.signal,
        timeoutMs: context.settings.answerTimeoutMs,
    });
    const [version = "", toolchain = ""] = result.stdout.split("\n").map((line) => line.trim());
    const found = /go(\d+)\.(\d+)/.exec(version);
    if (result.code !== 0 || !found) {
        throw new RemedyFailed(`\`${go} env\` names no version (${lastWords(result, 2)})`);
    }
    const needed = await goNeeded(context.settings.modulesDir);
    const minor = Number.parseInt(found[2], 10);
    const neededMinor = Number.parseInt(needed.split(".")[1], 10);
    const fetches = minor >= 21 && toolchain !== "local";
    if (found[1] === "1" && minor < neededMinor && !fetches) {
        throw new RemedyFailed(`${go} is ${version.replace(/^go/, "")}, and ${needed} or newer is needed`);
    }
}
