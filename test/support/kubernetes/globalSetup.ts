import { ensurePackages } from "../aptPackages";
import { NEEDED as DOCKER } from "../docker/bed";
import { buildGcs } from "../gcs/server";
import { NEEDED as MARIADB } from "./mariadb";
import { NEEDED as POSTGRES } from "./postgres";
import { startWithImages, UnableError, type LaneCluster } from "./start";

declare global {
    var kubernetesLane: LaneCluster | undefined;
}

/** One cluster for the whole lane (`describeKubernetes` finds it), unless STACKRUN_TEST_CLUSTER names one that runs already. */
export default async function setup(): Promise<void> {
    try {
        globalThis.kubernetesLane = await startWithImages();
        // Here, and not when a test needs them: installing and building take longer than a test may.
        ensurePackages({ ...POSTGRES, ...MARIADB, ...DOCKER });
        await buildGcs();
        process.env.STACKRUN_TEST_CLUSTER = globalThis.kubernetesLane.bed.dir;
    } catch (error) {
        if (!(error instanceof UnableError) || process.env.CI) {
            throw error;
        }
        process.env.STACKRUN_TEST_CLUSTER_MISSING = error.message;
    }
}
