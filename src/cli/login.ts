import { readFileSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where stacks are kept, and why there. */
export type Backend =
    | { readonly kind: "own"; readonly why: string }
    | { readonly kind: "chosen"; readonly url: string; readonly why: string };

const CLOUD = "https://api.pulumi.com";

/**
 * The backend that Pulumi itself would take, if the user has chosen one; else the state folder. `STACKRUN_BACKEND=local`
 * means the state folder whatever else is there.
 */
export function backendOf(env: Environment = process.env): Backend {
    if (env.STACKRUN_BACKEND === "local") {
        return { kind: "own", why: "STACKRUN_BACKEND is local" };
    }
    if (env.PULUMI_BACKEND_URL) {
        return { kind: "chosen", url: env.PULUMI_BACKEND_URL, why: "PULUMI_BACKEND_URL names it" };
    }
    const file = credentialsFile(env);
    const login = readCredentials(file)?.current;
    if (typeof login === "string" && login !== "") {
        return { kind: "chosen", url: login, why: `\`pulumi login\` chose it (${file})` };
    }
    if (env.PULUMI_ACCESS_TOKEN) {
        return { kind: "chosen", url: CLOUD, why: "PULUMI_ACCESS_TOKEN is set" };
    }
    return { kind: "own", why: "neither PULUMI_BACKEND_URL nor a `pulumi login` names another place" };
}

/** True if there is a token for that service; a backend that is no service needs none. */
export function hasToken(url: string, env: Environment = process.env): boolean {
    const tokens = readCredentials(credentialsFile(env))?.accessTokens as Record<string, unknown> | undefined;
    return !/^https?:/.test(url) || Boolean(env.PULUMI_ACCESS_TOKEN) || Boolean(tokens?.[url]);
}

// As Pulumi looks for it.
function credentialsFile(env: Environment): string {
    const folder =
        env.PULUMI_CREDENTIALS_PATH || env.PULUMI_HOME || path.join(env.HOME || os.homedir(), ".pulumi");
    return path.join(folder, "credentials.json");
}

// Without a readable one, nobody is logged in: that is how Pulumi sees it, too.
function readCredentials(file: string): { current?: unknown; accessTokens?: unknown } | undefined {
    try {
        return JSON.parse(readFileSync(file, "utf8")) as { current?: unknown; accessTokens?: unknown };
    } catch {
        return undefined;
    }
}
