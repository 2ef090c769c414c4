import type { RunRef } from "../follower";

/** By what a run's container is known; people may look for them too: `docker ps -a --filter label=stackrun.run-id=…`. */
export const LABEL = {
    runId: "stackrun.run-id",
    attempt: "stackrun.attempt",
    nonce: "stackrun.nonce",
    stack: "stackrun.stack",
    /** The name of the image, as the user gave it. */
    image: "stackrun.image",
} as const;

/** Where things are in the container. */
export const IN_CONTAINER = {
    /** The run's volume. */
    volume: "/stackrun",
    /** The runner's folder; kept over the attempts of a run. */
    run: "/stackrun/run",
    /** What the launcher starts from. */
    boot: "/stackrun/boot",
    launcher: "/stackrun/boot/launch.sh",
    /** Parts of code.tar.gz. */
    bundle: "/stackrun/boot/code",
    /** Read and removed by the launcher. */
    secrets: "/stackrun/boot/secrets",
    /** A home for a user that has none. */
    home: "/stackrun/home",
    /** The code folder, where it is mounted. */
    mountedCode: "/stackrun-code",
} as const;

/** The volume holds the run directory: it stays as long as the run. */
export function volumeName(runId: string): string {
    return `stackrun-${runId}`;
}

export function containerName({ runId, attempt }: Pick<RunRef, "runId" | "attempt">): string {
    return `stackrun-${runId}-${attempt}`;
}
