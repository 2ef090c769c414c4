import { existsSync, promises as fs } from "node:fs";
import * as path from "node:path";
import {
    adopt,
    engineDirOf,
    removeLeftovers,
    slotOf,
    takeFrom,
    temporaryName,
    type CacheSlot,
} from "./cache";
import { EngineError, messageOf, noEngine } from "./errors";
import { goBuild, goNeeded } from "./goBuild";
import { install } from "./installer";
import { withLock } from "./lock";
import { engineOnPath } from "./path";
import { unsupportedPlatform } from "../platform";
import type { Context, Engine, EnsureEngineOptions, Settings, Tried } from "./types";

type Remedy = readonly ["installer" | "go build", (root: string, context: Context) => Promise<void>];

const REMEDIES: readonly Remedy[] = [
    ["installer", install],
    ["go build", goBuild],
];

/**
 * Finds a Pulumi engine, or makes one: on PATH, in stackrun's cache, by Pulumi's official installer, or by `go build`
 * of pinned modules. Several processes may do so at once: one makes it, the others wait.
 */
export function ensureEngine(options: EnsureEngineOptions = {}): Promise<Engine> {
    return ensureEngineWith(options, {});
}

/** `ensureEngine` with other settings than those for users. */
export async function ensureEngineWith(
    options: EnsureEngineOptions,
    settings: Partial<Settings>,
): Promise<Engine> {
    const context: Context = {
        log: options.log ?? (() => undefined),
        signal: options.signal,
        env: options.env ?? process.env,
        settings: { ...defaultSettings(), ...settings },
    };
    context.signal?.throwIfAborted();
    const unsupported = unsupportedPlatform();
    if (unsupported) {
        throw new EngineError(unsupported);
    }
    const engineDir = engineDirOf(context.env, options.cacheDir);
    const onPath = await engineOnPath(context, engineDir);
    if (typeof onPath !== "string") {
        return onPath;
    }
    const slot = await slotOf(engineDir, context.settings.modulesDir);
    const cached = await takeFrom(slot, context);
    if ("engine" in cached) {
        return cached.engine;
    }
    const tried: Tried[] = [{ remedy: "pulumi on PATH", why: onPath }];
    await makeFolder(slot, tried, context);
    const lock = { ...context.settings, log: context.log, signal: context.signal };
    return withLock(slot.engineDir, slot.key, lock, () => makeEngine(slot, tried, context));
}

/** Under the lock: another process may have made it while this one waited. */
async function makeEngine(slot: CacheSlot, tried: Tried[], context: Context): Promise<Engine> {
    const cached = await takeFrom(slot, context);
    if ("engine" in cached) {
        return cached.engine;
    }
    if (cached.problem === "broken") {
        context.log(`the Pulumi engine in ${slot.root} is broken (${cached.why}): making it again`);
    }
    const why = cached.problem === "broken" ? `broken: ${cached.why}` : "nothing there";
    tried.push({ remedy: `cache (${slot.root})`, why });
    await removeLeftovers(slot);
    for (const [source, make] of REMEDIES) {
        const made = temporaryName(slot, "new");
        try {
            await fs.mkdir(made);
            await make(made, context);
            const engine = await adopt(made, slot, source, context);
            const ready = source === "installer" ? "installed" : "built";
            context.log(`the Pulumi engine ${engine.version} is ${ready}: ${slot.root}`);
            return {
                ...engine,
                why: `${ready}, because: ${tried.map((t) => `${t.remedy}: ${t.why}`).join("; ")}`,
            };
        } catch (error) {
            context.signal?.throwIfAborted();
            tried.push({
                remedy: source === "installer" ? "official installer" : source,
                why: messageOf(error),
            });
        } finally {
            await fs.rm(made, { recursive: true, force: true });
        }
    }
    throw noEngine(tried, await goNeeded(context.settings.modulesDir));
}

async function makeFolder(slot: CacheSlot, tried: Tried[], context: Context): Promise<void> {
    try {
        await fs.mkdir(slot.engineDir, { recursive: true });
        await fs.access(slot.engineDir, fs.constants.W_OK);
    } catch (error) {
        tried.push({ remedy: `cache (${slot.engineDir})`, why: `can't be written (${messageOf(error)})` });
        throw noEngine(tried, await goNeeded(context.settings.modulesDir));
    }
}

function defaultSettings(): Settings {
    return {
        modulesDir: findModules(),
        probeUrl: "https://get.pulumi.com/install.sh",
        probeTimeoutMs: 5_000,
        installerModule: require.resolve("@pulumi/pulumi/automation"),
        installTimeoutMs: 15 * 60_000,
        buildTimeoutMs: 45 * 60_000,
        answerTimeoutMs: 60_000,
        progressMs: 5_000,
        heartbeatMs: 5_000,
        staleMs: 60_000,
    };
}

/** The modules lie in the package's `src`, whether this runs from there or from `dist/src`. */
function findModules(): string {
    const folder = ["modules", "../../../src/engine/modules"].map((place) => path.resolve(__dirname, place));
    const found = folder.find((place) => existsSync(path.join(place, "pulumi", "go.mod")));
    if (!found) {
        throw new EngineError(
            "stackrun is not installed completely: its folder src/engine/modules is missing",
        );
    }
    return found;
}
