import { randomBytes } from "node:crypto";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { EngineError, ensureEngine, type Engine } from "../engine";
import { CommandError, EXIT } from "./exit";
import { backendOf, type Environment } from "./login";

/** True if stacks are kept in the state folder, because the user has chosen no other place. */
export function isOwnBackend(env: Environment = process.env): boolean {
    return backendOf(env).kind === "own";
}

/** Where the state folder keeps its stacks. */
export function ownBackendDir(stateDir: string): string {
    return path.join(stateDir, "pulumi");
}

/** What plain `pulumi` needs in order to see the same stacks. */
export async function backendEnv(
    stateDir: string,
    env: Environment = process.env,
): Promise<Record<string, string>> {
    const result: Record<string, string> = { PULUMI_SKIP_UPDATE_CHECK: "true" };
    if (isOwnBackend(env)) {
        const backend = ownBackendDir(stateDir);
        await fs.mkdir(backend, { recursive: true, mode: 0o700 });
        result.PULUMI_BACKEND_URL = pathToFileURL(backend).href;
    }
    if (env.PULUMI_CONFIG_PASSPHRASE === undefined && env.PULUMI_CONFIG_PASSPHRASE_FILE === undefined) {
        result.PULUMI_CONFIG_PASSPHRASE_FILE = await passphraseFile(stateDir);
    }
    return result;
}

/** The Pulumi engine; without one, the command ends with "not ready". */
export async function findEngine(log: (line: string) => void, signal?: AbortSignal): Promise<Engine> {
    try {
        return await ensureEngine({ log, signal });
    } catch (error) {
        if (error instanceof EngineError) {
            throw new CommandError(error.message, EXIT.notReady);
        }
        throw error;
    }
}

// Generated on first use, and never empty: the state of a stack holds secrets.
async function passphraseFile(stateDir: string): Promise<string> {
    await fs.mkdir(stateDir, { recursive: true, mode: 0o700 });
    const file = path.join(stateDir, "passphrase");
    const temporary = `${file}.${process.pid}`;
    await fs.writeFile(temporary, randomBytes(32).toString("base64url"), { mode: 0o600 });
    // A link, because it fails if there is a passphrase already: two commands at once agree on the first one's.
    await fs.link(temporary, file).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "EEXIST") {
            throw error;
        }
    });
    await fs.rm(temporary);
    return file;
}
