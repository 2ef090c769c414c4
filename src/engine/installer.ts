import { createRequire } from "node:module";
import { RemedyFailed } from "./errors";
import { lastWords, run } from "./exec";
import { withProgress } from "./progress";
import type { Context } from "./types";
import { ENGINE_VERSION } from "./versions";

/**
 * In a process of its own, because `PulumiCommand.install` knows neither a time-out nor an abort, and because the
 * Automation API takes long to load where it isn't needed.
 */
const INSTALL = `
const [, sdk, semver, root, version] = process.argv;
const { PulumiCommand } = require(sdk);
const { SemVer } = require(semver);
PulumiCommand.install({ root, version: new SemVer(version) }).catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
});
`;

/** Has Pulumi's official installer put the engine into `root`. */
export async function install(root: string, context: Context): Promise<void> {
    await probe(context);
    const { env, signal, settings } = context;
    const sdk = settings.installerModule;
    const semver = createRequire(require.resolve("@pulumi/pulumi/package.json")).resolve("semver");
    const what = `installing Pulumi ${ENGINE_VERSION} with its official installer (once)`;
    const result = await withProgress(what, { log: context.log, everyMs: settings.progressMs }, () =>
        run(process.execPath, ["-e", INSTALL, sdk, semver, root, ENGINE_VERSION], {
            env,
            signal,
            timeoutMs: settings.installTimeoutMs,
        }),
    );
    if (result.timedOut) {
        throw new RemedyFailed(`not done after ${Math.round(settings.installTimeoutMs / 1000)} s`);
    }
    if (result.code !== 0) {
        throw new RemedyFailed(lastWords(result));
    }
}

/**
 * The installer itself waits for minutes where its host can't be reached. Like the installer's own first download this
 * is a plain `fetch`, so both agree on proxies. Any answer at all will do.
 */
async function probe({ settings, signal }: Context): Promise<void> {
    const host = new URL(settings.probeUrl).host;
    const timeout = AbortSignal.timeout(settings.probeTimeoutMs);
    try {
        const response = await fetch(settings.probeUrl, {
            method: "HEAD",
            redirect: "manual",
            signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
        });
        await response.body?.cancel();
    } catch (error) {
        signal?.throwIfAborted();
        throw new RemedyFailed(
            timeout.aborted
                ? `${host} did not answer within ${settings.probeTimeoutMs / 1000} s`
                : `${host} can't be reached (${causeOf(error)})`,
        );
    }
}

function causeOf(error: unknown): string {
    const cause = (error as { cause?: NodeJS.ErrnoException }).cause;
    return cause?.code ?? cause?.message ?? (error as Error).message;
}
