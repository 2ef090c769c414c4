import { createHash, randomUUID } from "node:crypto";
import { createReadStream, promises as fs } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { pipeline } from "node:stream/promises";
import { messageOf, RemedyFailed } from "./errors";
import { addNodeScripts } from "./nodeScripts";
import type { Context, Engine, EngineSource, Environment } from "./types";
import { checkLanguageHost, pulumiVersion } from "./verify";
import { ENGINE_VERSION, LANGUAGE_HOST_VERSION } from "./versions";

const BINARIES = ["pulumi", "pulumi-language-nodejs"] as const;

/** What `complete.json` says of an engine: it is written last, so an engine without it is half made. */
interface Complete {
    readonly version: string;
    readonly source: EngineSource;
    readonly files: Readonly<Record<string, FileMark>>;
}

interface FileMark {
    readonly size: number;
    readonly mtimeMs: number;
    readonly sha256: string;
}

/** Where one engine lives in the cache, and the names that belong to it. */
export interface CacheSlot {
    /** The folder of all engines. */
    readonly engineDir: string;
    readonly key: string;
    readonly root: string;
}

export type Cached = { engine: Engine } | { problem: "missing" } | { problem: "broken"; why: string };

/** `<cache>/engine`, for the environment and an explicit folder that stands above it. */
export function engineDirOf(env: Environment, cacheDir?: string): string {
    const home = env.HOME || os.homedir();
    const base =
        cacheDir ??
        (env.STACKRUN_CACHE || path.join(env.XDG_CACHE_HOME || path.join(home, ".cache"), "stackrun"));
    return path.join(path.resolve(base), "engine");
}

/** The slot of the pinned engine: another pin, another set of modules or another platform is another slot. */
export async function slotOf(engineDir: string, modulesDir: string): Promise<CacheSlot> {
    const hash = createHash("sha256").update(
        `${process.platform}-${process.arch}\n${LANGUAGE_HOST_VERSION}\n`,
    );
    for (const file of [
        "pulumi/go.mod",
        "pulumi/go.sum",
        "language-nodejs/go.mod",
        "language-nodejs/go.sum",
    ]) {
        hash.update(await fs.readFile(path.join(modulesDir, file)));
    }
    const key = `${ENGINE_VERSION}-${hash.digest("hex").slice(0, 12)}`;
    return { engineDir, key, root: path.join(engineDir, key) };
}

/** Like `lookUp`; and what an engine that was made by an older stackrun lacks is added. */
export async function takeFrom(slot: CacheSlot, context: Context): Promise<Cached> {
    const cached = await lookUp(slot, context);
    if ("engine" in cached) {
        const { source } = await readComplete(slot.root);
        // A cache that can't be written is good for everything but dynamic resources and policy packs.
        await addNodeScripts(slot.root, source).catch(() => undefined);
    }
    return cached;
}

/** Looks at the slot: sizes and times are enough when they are as they were, or else contents and a trial run decide. */
export async function lookUp(slot: CacheSlot, context: Context): Promise<Cached> {
    if (!(await fs.stat(slot.root).catch(() => undefined))) {
        return { problem: "missing" };
    }
    try {
        const complete = await readComplete(slot.root);
        if (!(await isUntouched(slot.root, complete))) {
            await checkContents(slot.root, complete, context);
        }
        return { engine: engineOf(slot, complete.version, "cache", `made before (${complete.source})`) };
    } catch (error) {
        context.signal?.throwIfAborted();
        return { problem: "broken", why: messageOf(error) };
    }
}

/** Makes what lies in `made` the slot's engine, if it really runs. */
export async function adopt(
    made: string,
    slot: CacheSlot,
    source: EngineSource,
    context: Context,
): Promise<Engine> {
    await tryOut(made, context);
    await addNodeScripts(made, source);
    await writeComplete(made, source);
    const old = temporaryName(slot, "old");
    await fs.rename(slot.root, old).catch(() => undefined);
    await fs.rename(made, slot.root);
    await fs.rm(old, { recursive: true, force: true });
    return engineOf(slot, ENGINE_VERSION, source, "");
}

/** A folder beside the slot, so that one rename moves it there. */
export function temporaryName(slot: CacheSlot, kind: "new" | "old"): string {
    return path.join(slot.engineDir, `.${kind}-${slot.key}-${randomUUID().slice(0, 8)}`);
}

/** Removes what a killed process left half made. Only for the lock's holder. */
export async function removeLeftovers(slot: CacheSlot): Promise<void> {
    const ours = [`.new-${slot.key}-`, `.old-${slot.key}-`];
    for (const name of await fs.readdir(slot.engineDir)) {
        if (ours.some((prefix) => name.startsWith(prefix))) {
            await fs.rm(path.join(slot.engineDir, name), { recursive: true, force: true });
        }
    }
}

function engineOf(slot: CacheSlot, version: string, source: EngineSource, why: string): Engine {
    const [pulumi, languageHost] = BINARIES.map((name) => path.join(slot.root, "bin", name));
    return { root: slot.root, pulumi, languageHost, version, source, why };
}

async function readComplete(root: string): Promise<Complete> {
    const text = await fs.readFile(path.join(root, "complete.json"), "utf8").catch(() => {
        throw new RemedyFailed("it was never finished");
    });
    const complete = JSON.parse(text) as Complete;
    if (complete.version !== ENGINE_VERSION || BINARIES.some((name) => !complete.files?.[name])) {
        throw new RemedyFailed("its complete.json is not about this engine");
    }
    return complete;
}

async function isUntouched(root: string, complete: Complete): Promise<boolean> {
    for (const name of BINARIES) {
        const stat = await statOf(root, name);
        const mark = complete.files[name];
        if (stat.size !== mark.size) {
            throw new RemedyFailed(`bin/${name} has ${stat.size} bytes, not ${mark.size}`);
        }
        if (stat.mtimeMs !== mark.mtimeMs || (stat.mode & 0o111) === 0) {
            return false;
        }
    }
    return true;
}

/** A restored copy has other times, and maybe other modes: good, if it has the same contents and runs. */
async function checkContents(root: string, complete: Complete, context: Context): Promise<void> {
    for (const name of BINARIES) {
        const file = path.join(root, "bin", name);
        if ((await sha256(file)) !== complete.files[name].sha256) {
            throw new RemedyFailed(`bin/${name} has other contents than when it was made`);
        }
        await fs.chmod(file, 0o755);
    }
    await tryOut(root, context);
    await writeComplete(root, complete.source);
}

async function tryOut(root: string, context: Context): Promise<void> {
    const version = await pulumiVersion(path.join(root, "bin", "pulumi"), context);
    if (version !== ENGINE_VERSION) {
        throw new RemedyFailed(`it made pulumi ${version}, not ${ENGINE_VERSION}`);
    }
    await checkLanguageHost(path.join(root, "bin", "pulumi-language-nodejs"), context);
}

async function writeComplete(root: string, source: EngineSource): Promise<void> {
    const files: Record<string, FileMark> = {};
    for (const name of BINARIES) {
        const { size, mtimeMs } = await statOf(root, name);
        files[name] = { size, mtimeMs, sha256: await sha256(path.join(root, "bin", name)) };
    }
    const complete: Complete = { version: ENGINE_VERSION, source, files };
    const temporary = path.join(root, `.complete-${randomUUID().slice(0, 8)}`);
    await fs.writeFile(temporary, `${JSON.stringify(complete, undefined, 4)}\n`);
    await fs.rename(temporary, path.join(root, "complete.json"));
}

async function statOf(root: string, name: string): Promise<{ size: number; mtimeMs: number; mode: number }> {
    return fs.stat(path.join(root, "bin", name)).catch(() => {
        throw new RemedyFailed(`bin/${name} is missing`);
    });
}

async function sha256(file: string): Promise<string> {
    const hash = createHash("sha256");
    await pipeline(createReadStream(file), hash);
    return hash.digest("hex");
}
