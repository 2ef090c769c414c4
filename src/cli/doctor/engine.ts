import { existsSync } from "node:fs";
import * as path from "node:path";
import { engineDirOf, lookUp, slotOf } from "../../engine/cache";
import { findOnPath, isExecutable, lastWords, run } from "../../engine/exec";
import { goNeeded } from "../../engine/goBuild";
import { engineOnPath } from "../../engine/path";
import type { Context, Engine, Settings } from "../../engine/types";
import type { Check, Place } from "./check";

/** The engine and its language host, as a run would find them; none is installed or built. */
export async function checkEngine(place: Place): Promise<Check[]> {
    const { env, startTimeoutMs } = place;
    const modules = ["../../engine/modules", "../../../../src/engine/modules"]
        .map((folder) => path.resolve(__dirname, folder))
        .find((folder) => existsSync(folder));
    if (modules === undefined) {
        return [
            {
                name: "engine",
                state: "wrong",
                found: "stackrun is not installed completely: its folder src/engine/modules is missing",
                remedy: "install it again",
                needed: true,
            },
        ];
    }
    const settings = { modulesDir: modules, answerTimeoutMs: startTimeoutMs } as Settings;
    const context: Context = { log: () => undefined, env, settings };
    const engineDir = engineDirOf(env);
    const onPath = await engineOnPath(context, engineDir);
    if (typeof onPath !== "string") {
        return found(onPath, onPath.why);
    }
    const slot = await slotOf(engineDir, modules);
    const cached = await lookUp(slot, context);
    if ("engine" in cached) {
        const { engine } = cached;
        return found(
            engine,
            `pulumi ${engine.version} in stackrun's cache (${engine.root}); on PATH: ${onPath}`,
        );
    }
    const inCache = cached.problem === "broken" ? `broken: ${cached.why}` : "not there";
    const [go] = await findOnPath("go", env);
    const needs = await goNeeded(modules);
    const remedy =
        "the first run makes one, or now: npx stackrun env. It takes Pulumi's installer, else it builds one with Go " +
        `${needs} or newer (${go === undefined ? "there is no go on PATH" : go}); or install Pulumi: https://www.pulumi.com/docs/install/`;
    return [
        {
            name: "engine",
            state: "missing",
            found: `on PATH: ${onPath}; in the cache (${slot.root}): ${inCache}`,
            remedy,
            needed: true,
        },
        { name: "language host", state: "missing", found: "it comes with the engine", needed: true },
    ];
}

async function found(engine: Engine, why: string): Promise<Check[]> {
    const host = engine.languageHost;
    const works = host !== undefined && (await isExecutable(host));
    return [
        { name: "engine", state: "ok", found: why, needed: true },
        works
            ? { name: "language host", state: "ok", found: host, needed: true }
            : {
                  name: "language host",
                  state: "missing",
                  found: "there is no pulumi-language-nodejs beside the engine",
                  remedy: "install Pulumi again; it brings the language host with it",
                  needed: true,
              },
    ];
}

/** The plugin of this package: it works if it starts, and names the port that it serves. */
export async function checkPlugin({ env, startTimeoutMs }: Place): Promise<Check> {
    const file = ["../../..", "../../../.."]
        .map((up) => path.resolve(__dirname, up, "bin", "pulumi-resource-stackrun"))
        .find((candidate) => existsSync(candidate));
    if (file === undefined || !(await isExecutable(file))) {
        return {
            name: "plugin",
            state: file === undefined ? "missing" : "wrong",
            found: file === undefined ? "stackrun is not installed completely" : `${file} can't be executed`,
            remedy: file === undefined ? "install it again" : `chmod +x ${file}`,
            needed: true,
        };
    }
    const result = await run(process.execPath, [file], {
        env,
        timeoutMs: startTimeoutMs,
        until: (stdout) => /^\d+\s*\n/.test(stdout),
    });
    const said = result.timedOut ? `no answer within ${startTimeoutMs / 1000} s` : lastWords(result, 1);
    return result.satisfied
        ? { name: "plugin", state: "ok", found: `${file} starts`, needed: true }
        : {
              name: "plugin",
              state: "wrong",
              found: `${file} does not start: ${said}`,
              remedy: "install stackrun again; in a checkout of it: npm ci",
              needed: true,
          };
}
