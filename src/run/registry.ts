import * as path from "node:path";
import type { CreateFollower, Follower, FollowerSpec } from "./follower";
import type * as LocalFollower from "./local/follower";

const builtIn: Readonly<Record<string, () => Promise<CreateFollower>>> = {
    // Not `import()`: it would first start the loader of ES modules, and each `pulumi up` waits for that.
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    local: async () => (require("./local/follower") as typeof LocalFollower).createFollower,
    docker: async () => (await import("./docker/follower.js")).createFollower,
    kubernetes: async () => (await import("./kubernetes/follower.js")).createFollower,
    gcp: async () => (await import("./gcp/follower.js")).createFollower,
};

/** Loads a follower: a cloud's SDK is loaded with the follower that needs it, never before. */
export async function loadFollower(spec: FollowerSpec): Promise<Follower> {
    return (await factory(spec.module))(spec.options ?? {});
}

async function factory(module: string): Promise<CreateFollower> {
    const known = builtIn[module];
    if (known) {
        return known();
    }
    if (!path.isAbsolute(module)) {
        const names = Object.keys(builtIn).join(", ");
        throw new Error(
            `follower "${module}" is not known; use ${names}, or the absolute path of a module (require.resolve("./follower"))`,
        );
    }
    let loaded: { createFollower?: unknown };
    try {
        // A path that only the user's program knows: it can't be an import.
        // eslint-disable-next-line @typescript-eslint/no-require-imports
        loaded = require(module) as { createFollower?: unknown };
    } catch (error) {
        const [why] = (error as Error).message.split("\n");
        throw new Error(`follower module ${module} can't be loaded: ${why}`, { cause: error });
    }
    if (typeof loaded.createFollower !== "function") {
        throw new Error(`follower module ${module} exports no function "createFollower"`);
    }
    return loaded.createFollower as CreateFollower;
}
