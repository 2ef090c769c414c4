import { RemedyFailed } from "./errors";
import { lastWords, run } from "./exec";
import type { Context } from "./types";
import { findVersion } from "./versions";

/** The version that this `pulumi` says it is. */
export async function pulumiVersion(pulumi: string, context: Context): Promise<string> {
    const result = await run(pulumi, ["version"], {
        env: { ...context.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
        timeoutMs: context.settings.answerTimeoutMs,
        signal: context.signal,
    });
    const version = result.code === 0 ? findVersion(result.stdout) : undefined;
    if (!version) {
        const said = result.timedOut ? "no answer in time" : lastWords(result, 2);
        throw new RemedyFailed(`\`${pulumi} version\` names no version (${said})`);
    }
    return version;
}

/** A language host has no `version` command: it works if it starts and names the port that it serves. */
export async function checkLanguageHost(host: string, context: Context): Promise<void> {
    const result = await run(host, [], {
        env: context.env,
        timeoutMs: context.settings.answerTimeoutMs,
        signal: context.signal,
        until: (stdout) => /^\d+\s*\n/.test(stdout),
    });
    if (!result.satisfied) {
        const said = result.timedOut ? "no answer in time" : lastWords(result, 2);
        throw new RemedyFailed(`${host} does not start (${said})`);
    }
}
