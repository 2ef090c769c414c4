import type Docker from "dockerode";
import type { RunRef } from "../follower";
import type { Daemon } from "./client";
import { explain, isNotFound } from "./errors";
import { containerName, LABEL } from "./names";

/** A run's container, as the daemon describes it. */
export interface Found {
    readonly handle: Docker.Container;
    readonly info: Docker.ContainerInspectInfo;
}

/**
 * The attempt's container; undefined if this daemon has none.
 * @throws Error if the daemon can't be asked, or if the name belongs to somebody else's container.
 */
export async function findContainer({ docker, address }: Daemon, run: RunRef): Promise<Found | undefined> {
    const name = containerName(run);
    const handle = docker.getContainer(name);
    let info: Docker.ContainerInspectInfo;
    try {
        info = await handle.inspect();
    } catch (error) {
        if (isNotFound(error)) {
            return undefined;
        }
        throw explain(error, { doing: `the container ${name} can't be looked up`, address });
    }
    const labels = info.Config.Labels ?? {};
    if (labels[LABEL.runId] !== run.runId || labels[LABEL.attempt] !== String(run.attempt)) {
        throw new Error(
            `the container ${name} does not belong to run ${run.runId}: it lacks the run's labels; rename or remove it`,
        );
    }
    // By its id from now on: another container may get the name.
    return { handle: docker.getContainer(info.Id), info };
}
