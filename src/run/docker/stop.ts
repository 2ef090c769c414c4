import type { Daemon } from "./client";
import type { Found } from "./container";
import { explain } from "./errors";
import { IN_CONTAINER } from "./names";
import { packed } from "./pack";
import { ownerIn } from "./ownerIn";

/** Tells the runner that the run's owner ends it, and then the container to stop; resolves once it has. */
export async function stopContainer(daemon: Daemon, found: Found, reason: string): Promise<void> {
    const { handle, info } = found;
    try {
        if (info.State.Paused) {
            await handle.unpause();
        }
        const owner = await ownerIn(found);
        const request = { path: "cancel", type: "text", mode: 0o644, text: reason } as const;
        await handle.putArchive((await packed([request], owner)) as NodeJS.ReadableStream, {
            path: IN_CONTAINER.run,
        });
        // With the time that the container's declaration leaves it. 304: it has ended meanwhile.
        await handle.stop().catch((error: { statusCode?: number }) => {
            if (error.statusCode !== 304 && error.statusCode !== 404) {
                throw error;
            }
        });
    } catch (error) {
        throw explain(error, {
            doing: `the container ${info.Name.slice(1)} can't be stopped`,
            address: daemon.address,
        });
    }
}
