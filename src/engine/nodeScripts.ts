import { randomUUID } from "node:crypto";
import { promises as fs } from "node:fs";
import * as path from "node:path";
import { isExecutable } from "./exec";
import type { EngineSource } from "./types";

// What the engine starts for these two is a part of the SDK that the program, or the policy pack, has installed.
const MODULES = {
    "pulumi-resource-pulumi-nodejs": "@pulumi/pulumi/cmd/dynamic-provider",
    "pulumi-analyzer-policy": "@pulumi/pulumi/cmd/run-policy-pack",
} as const;

/**
 * Completes an engine with the plugins for dynamic resources and for policy packs in Node.js. They are scripts: Pulumi's
 * own downloads have them beside the engine, `go build` does not make them, and older caches lack them. Those that
 * the installer brought stay. Needs no lock: each script appears as a whole.
 */
export async function addNodeScripts(root: string, source: EngineSource): Promise<void> {
    for (const [name, module] of Object.entries(MODULES)) {
        const file = path.join(root, "bin", name);
        const wanted = script(module);
        const there = await isExecutable(file);
        if (!there || (source === "go build" && (await fs.readFile(file, "utf8")) !== wanted)) {
            const temporary = path.join(root, "bin", `.${name}-${randomUUID().slice(0, 8)}`);
            try {
                await fs.writeFile(temporary, wanted);
                await fs.chmod(temporary, 0o755);
                await fs.rename(temporary, file);
            } finally {
                await fs.rm(temporary, { force: true });
            }
        }
    }
}

/** The engine runs it in the folder from which the SDK has to be found. */
function script(module: string): string {
    return `#!/bin/sh
module=$(node -e 'try {
    process.stdout.write(require.resolve("${module}"));
} catch {
    console.error("@pulumi/pulumi is not installed in " + process.cwd() + " or above: run npm install there");
    process.exit(1);
}') || exit 1
exec node "$module" "$@"
`;
}
