import { startWithImages, UnableError, type LaneCluster } from "./start";

declare global {
    var kubernetesLane: LaneCluster | undefined;
}

/** One cluster for the whole lane (`describeKubernetes` finds it), unless STACKRUN_TEST_CLUSTER names one that runs already. */
export default async function setup(): Promise<void> {
    try {
        globalThis.kubernetesLane = await startWithImages();
        process.env.STACKRUN_TEST_CLUSTER = globalThis.kubernetesLane.bed.dir;
    } catch (error) {
        if (!(error instanceof UnableError) || process.env.CI) {
            throw error;
        }
        process.env.STACKRUN_TEST_CLUSTER_MISSING = error.message;
    }
}
