import * as fs from "node:fs/promises";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { ownBackendDir } from "../backend";
import { backendOf, hasToken } from "../login";
import type { Check, Place } from "./check";

/** Where the state is kept, and whether there is a way in. */
export async function checkBackend({ env, stateDir }: Place): Promise<Check> {
    const backend = backendOf(env);
    if (backend.kind === "own") {
        return {
            name: "state",
            state: "ok",
            found: `${ownBackendDir(stateDir)}, because ${backend.why}`,
            needed: true,
        };
    }
    const { url, why } = backend;
    const found = `${url}, because ${why}`;
    if (!hasToken(url, env)) {
        const remedy = `pulumi login ${url}, or keep the state here: export STACKRUN_BACKEND=local`;
        return {
            name: "state",
            state: "missing",
            found: `${found}; there is no token for it`,
            remedy,
            needed: true,
        };
    }
    const folder = url.startsWith("file:") ? folderOf(url, env.HOME ?? "") : undefined;
    if (folder !== undefined && !(await fs.stat(folder).catch(() => undefined))?.isDirectory()) {
        const remedy = `mkdir -p ${folder}, or name another place in PULUMI_BACKEND_URL`;
        return {
            name: "state",
            state: "missing",
            found: `${found}; there is no such folder`,
            remedy,
            needed: true,
        };
    }
    return { name: "state", state: "ok", found, needed: true };
}

function folderOf(url: string, home: string): string {
    const [address] = url.split("?");
    if (/^file:\/\/~/.test(address)) {
        return path.join(home, address.slice("file://~".length));
    }
    return /^file:\/\/[/]/.test(address)
        ? fileURLToPath(address)
        : path.resolve(address.slice("file://".length));
}

/** What the secrets in the state are encrypted with. */
export async function checkPassphrase({ env, stateDir }: Place): Promise<Check> {
    const name = "passphrase";
    if (env.PULUMI_CONFIG_PASSPHRASE !== undefined) {
        const empty = env.PULUMI_CONFIG_PASSPHRASE === "";
        return {
            name,
            state: empty ? "wrong" : "ok",
            found: empty
                ? "PULUMI_CONFIG_PASSPHRASE is empty: everybody can decrypt the secrets in the state"
                : "PULUMI_CONFIG_PASSPHRASE is set",
            remedy: empty ? "unset it: stackrun then generates one" : undefined,
            needed: false,
        };
    }
    const given = env.PULUMI_CONFIG_PASSPHRASE_FILE;
    const file = given || path.join(stateDir, "passphrase");
    const stat = await fs.stat(file).catch(() => undefined);
    if (!stat) {
        return given
            ? {
                  name,
                  state: "missing",
                  found: `PULUMI_CONFIG_PASSPHRASE_FILE names ${file}, which is not there`,
                  remedy: "correct it, or unset it: stackrun then generates one",
                  needed: true,
              }
            : { name, state: "not needed yet", found: `the first run generates ${file}`, needed: false };
    }
    const mode = (stat.mode & 0o777).toString(8).padStart(4, "0");
    const open = (stat.mode & 0o077) !== 0;
    const fault = stat.size === 0 ? "it is empty" : open ? "others may read it" : undefined;
    return {
        name,
        state: fault ? "wrong" : "ok",
        found: `${file}, mode ${mode}${fault ? `: ${fault}` : ""}`,
        remedy: fault && (stat.size === 0 ? "put a passphrase into it" : `chmod 600 ${file}`),
        needed: stat.size === 0,
    };
}
