import { KubernetesBed } from "./bed";

/**
 * The tests in `body`, with the lane's cluster. Where there can't be one, which is on a machine whose user is not root, one
 * test says so in their place; under CI the lane has failed by then.
 */
export function describeKubernetes(title: string, body: (bed: KubernetesBed) => void): void {
    const dir = process.env.STACKRUN_TEST_CLUSTER;
    if (dir) {
        describe(title, () => body(new KubernetesBed(dir)));
        return;
    }
    test(`${title}: needs a Kubernetes cluster of its own`, () => {
        const why = process.env.STACKRUN_TEST_CLUSTER_MISSING ?? "run it with npm run test:kubernetes";
        if (process.env.CI) {
            throw new Error(why);
        }
        process.stderr.write(`NOT TESTED: ${title}: ${why}\n`);
    });
}
