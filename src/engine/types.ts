/** A Pulumi engine that can be run: the command, and the host that runs Node.js programs for it. */
export interface Engine {
    /** The folder that has `bin/pulumi`, as `PulumiCommand.get({ root })` wants it. */
    readonly root: string;
    /** The `pulumi` command. */
    readonly pulumi: string;
    /** `pulumi-language-nodejs`; put its folder on PATH if it isn't the one of `pulumi`. */
    readonly languageHost?: string;
    readonly version: string;
    readonly source: EngineSource;
    /** A sentence for people: why this one. */
    readonly why: string;
}

export type EngineSource = "path" | "cache" | "installer" | "go build";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface EnsureEngineOptions {
    /** Gets each progress line (without a line end). */
    readonly log?: (line: string) => void;
    readonly signal?: AbortSignal;
    /** Stands for `$STACKRUN_CACHE`. */
    readonly cacheDir?: string;
    /** Stands for `process.env`. */
    readonly env?: Environment;
}

/** What one remedy needs to know. */
export interface Context {
    readonly log: (line: string) => void;
    readonly signal?: AbortSignal;
    readonly env: Environment;
    readonly settings: Settings;
}

/** What is fixed for users, and set by tests. */
export interface Settings {
    readonly modulesDir: string;
    readonly probeUrl: string;
    readonly probeTimeoutMs: number;
    /** The module whose `PulumiCommand` installs. */
    readonly installerModule: string;
    readonly installTimeoutMs: number;
    readonly buildTimeoutMs: number;
    readonly answerTimeoutMs: number;
    readonly progressMs: number;
    readonly heartbeatMs: number;
    readonly staleMs: number;
}

/** A remedy that was tried, and why it did not help. */
export interface Tried {
    readonly remedy: string;
    readonly why: string;
}
