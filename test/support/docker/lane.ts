import { DockerBed } from "./bed";

/**
 * The tests in `body`, with the bed of the lane. Where a bed can't be, which is on a machine whose user is not root, one
 * test says so in their place; under CI the lane has failed by then.
 */
export function describeDocker(title: string, body: (bed: DockerBed) => void): void {
    const dir = process.env.STACKRUN_TEST_DOCKER_BED;
    if (dir) {
        describe(title, () => body(new DockerBed(dir)));
        return;
    }
    test(`${title}: needs a Docker daemon of its own`, () => {
        const why = process.env.STACKRUN_TEST_DOCKER_MISSING ?? "run it with npm run test:docker";
        if (process.env.CI) {
            throw new Error(why);
        }
        process.stderr.write(`NOT TESTED: ${title}: ${why}\n`);
    });
}
