import { MissingPackages } from "../aptPackages";
import { ensureImages } from "../images/ensureImages";
import { startDockerBed, type DockerBed } from "./bed";

declare global {
    var dockerBed: DockerBed | undefined;
}

/** One bed for the whole lane; the tests find it by `describeDocker`. */
export default async function setup(): Promise<void> {
    try {
        globalThis.dockerBed = await startDockerBed();
        // Here and not in the first test that needs one: Debian takes a minute on a new machine.
        await ensureImages(["busybox", "nosh", "debian"]);
        process.env.STACKRUN_TEST_DOCKER_BED = globalThis.dockerBed.dir;
    } catch (error) {
        if (!(error instanceof MissingPackages) || process.env.CI) {
            await globalThis.dockerBed?.stop();
            throw error;
        }
        process.env.STACKRUN_TEST_DOCKER_MISSING = error.message;
    }
}
