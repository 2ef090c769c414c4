import { createHash, randomUUID } from "node:crypto";
import { promises as fs } from "node:fs";
import * as path from "node:path";
import { messageOf } from "./errors";
import { findOnPath, isExecutable } from "./exec";
import type { Context, Engine } from "./types";
import { isNewEnough, OLDEST_ENGINE } from "./versions";
import { pulumiVersion } from "./verify";

const HOST = "pulumi-language-nodejs";

/** The first usable `pulumi` on PATH, or why there is none. */
export async function engineOnPath(context: Context, engineDir: string): Promise<Engine | string> {
    const candidates = await findOnPath("pulumi", context.env);
    const reasons: string[] = [];
    for (const pulumi of candidates) {
        try {
            const engine = await judge(pulumi, context, engineDir);
            if (typeof engine !== "string") {
                return engine;
            }
            reasons.push(engine);
        } catch (error) {
            context.signal?.throwIfAborted();
            reasons.push(messageOf(error));
        }
    }
    return reasons.join("; ") || "not there";
}

async function judge(pulumi: string, context: Context, engineDir: string): Promise<Engine | string> {
    const version = await pulumiVersion(pulumi, context);
    if (!isNewEnough(version, OLDEST_ENGINE)) {
        return `${pulumi} is ${version}, and ${OLDEST_ENGINE} or a newer 3.x is needed`;
    }
    const languageHost = await findLanguageHost(pulumi, context);
    if (!languageHost) {
        return `${pulumi} (${version}) has no ${HOST}, neither beside it nor on PATH`;
    }
    return {
        root: await rootOf(pulumi, languageHost, engineDir),
        pulumi,
        languageHost,
        version,
        source: "path",
        why: `pulumi ${version} is on PATH (${pulumi})`,
    };
}

async function findLanguageHost(pulumi: string, context: Context): Promise<string | undefined> {
    const beside = [path.dirname(pulumi), path.dirname(await fs.realpath(pulumi))].map((dir) =>
        path.join(dir, HOST),
    );
    for (const host of beside) {
        if (await isExecutable(host)) {
            return host;
        }
    }
    return (await findOnPath(HOST, context.env))[0];
}

/** The SDK wants `<root>/bin/pulumi`: where the command lies in a folder of another name, links make such a root. */
async function rootOf(pulumi: string, languageHost: string, engineDir: string): Promise<string> {
    const folder = path.dirname(pulumi);
    if (path.basename(folder) === "bin") {
        return path.dirname(folder);
    }
    const key = createHash("sha256").update(`${pulumi}\n${languageHost}`).digest("hex").slice(0, 12);
    const root = path.join(engineDir, `path-${key}`);
    await link(pulumi, path.join(root, "bin", "pulumi"));
    await link(languageHost, path.join(root, "bin", HOST));
    return root;
}

async function link(target: string, at: string): Promise<void> {
    if ((await fs.readlink(at).catch(() => undefined)) === target) {
        return;
    }
    await fs.mkdir(path.dirname(at), { recursive: true });
    const temporary = `${at}.${randomUUID()}`;
    await fs.symlink(target, temporary);
    await fs.rename(temporary, at);
}
