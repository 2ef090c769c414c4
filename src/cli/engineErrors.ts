import * as os from "node:os";
import { fileURLToPath } from "node:url";

/** Who holds the lock of a stack, as the engine tells it. */
export interface LockHolder {
    readonly user: string;
    readonly host: string;
    readonly pid: number;
    readonly since: string;
    /** The lock itself. */
    readonly file: string;
}

/** Those who hold the stack's lock, if that is what the engine complains of. */
export function lockHolders(message: string): LockHolder[] {
    const holders = message.matchAll(
        /(file:\S+?\.json)(?:\?\S*)?: created by (\S+?)@(\S+) \(pid (\d+)\) at (\S+)/g,
    );
    return [...holders].map(([, file = "", user = "", host = "", pid, since = ""]) => ({
        file: fileURLToPath(file),
        user,
        host,
        pid: Number(pid),
        since,
    }));
}

/** True if the holder was a process of this machine that has ended without giving the lock back. */
export function hasEnded({ host, pid }: LockHolder): boolean {
    if (host !== os.hostname()) {
        return false;
    }
    try {
        process.kill(pid, 0);
        return false;
    } catch (error) {
        return (error as NodeJS.ErrnoException).code === "ESRCH";
    }
}

interface Remedy {
    readonly pattern: RegExp;
    readonly text: (stack: string) => string;
}

// What the engine says of the environment, and what helps.
const REMEDIES: readonly Remedy[] = [
    {
        pattern: /currently locked by|Another update is currently in progress/,
        text: (stack) =>
            "Wait for the other update to end, and run the command again. If its process is gone for good, give the lock back:\n" +
            `  eval "$(npx stackrun env)" && pulumi cancel --yes --stack ${stack}`,
    },
    {
        pattern: /incorrect passphrase|passphrase must be set|failed to decrypt/,
        text: () =>
            "The stack's secrets are encrypted with another passphrase: set PULUMI_CONFIG_PASSPHRASE or " +
            "PULUMI_CONFIG_PASSPHRASE_FILE to that with which the stack was made (or unset it, to use .stackrun/passphrase).",
    },
    {
        pattern: /PULUMI_ACCESS_TOKEN|pulumi login|Unauthorized|invalid access token/i,
        text: () =>
            "Log in with `pulumi login`, or set STACKRUN_BACKEND=local to keep the stack in .stackrun.",
    },
    {
        pattern:
            /unable to open bucket|could not list bucket|no such host|connection refused.*backend|read ".*": .*permission denied/i,
        text: () =>
            "The place that PULUMI_BACKEND_URL names can't be used: correct it, or unset it to keep the stack in .stackrun.",
    },
    {
        pattern: /no space left on device|ENOSPC/,
        text: () =>
            "The disk is full: make room, and run the command again; finished steps are not run twice.",
    },
];

/** What helps against a fault of the environment; undefined if the engine complains of something else. */
export function remedyFor(message: string, stack: string): string | undefined {
    return REMEDIES.find(({ pattern }) => pattern.test(message))?.text(stack);
}

/** The engine's complaint in plain lines: without prefixes, repetitions, and what only says that something failed. */
export function plainMessage(message: string): string {
    const lines = message
        .split("\n")
        .map((line) => line.replace(/^\s*(error: |warning: )+/, "").trimEnd())
        .filter((line) => line.trim() !== "" && !NOISE.some((pattern) => pattern.test(line)));
    const text = [...new Set(lines)].join("\n");
    return WORDS.reduce((words, [engine, command]) => words.replace(engine, command), text);
}

// What helps users of `pulumi`, and what it is called here.
const WORDS: readonly (readonly [string, string])[] = [
    ["`pulumi refresh` tells", "`stackrun logs --follow` tells"],
    ['set whileRunning: "replace"', "give --replace"],
    ["give `trigger` a new value", "give --again"],
];

const NOISE = [
    /^\s*at .+[:(]\d+/,
    /^(update|preview) failed$/,
    /^resource monitor shut down/,
    /^Running program .* failed with an unhandled exception/,
    /^unhandled rejection|^inline source runtime error/i,
    /^\s*$/,
];
