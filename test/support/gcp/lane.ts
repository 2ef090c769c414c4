import { startGcp, type GcpBed, type GcpOptions } from "./bed";

/**
 * The tests in `body`, with a bed of their own that is stopped after them. Where its machines can't be, which is on a
 * computer whose user is not root, one test says so in their place; under CI the lane has failed by then.
 */
export function describeGcp(title: string, options: GcpOptions, body: (bed: () => GcpBed) => void): void {
    const why = process.env[`STACKRUN_TEST_GCP_NO_${(options.backend ?? "paper").toUpperCase()}`];
    if (why !== undefined) {
        test(`${title}: needs machines`, () => {
            if (process.env.CI) {
                throw new Error(why);
            }
            process.stderr.write(`NOT TESTED: ${title}: ${why}\n`);
        });
        return;
    }
    describe(title, () => {
        let bed: GcpBed | undefined;
        beforeAll(async () => void (bed = await startGcp(options)));
        afterAll(() => bed?.stop());
        body(() => bed as GcpBed);
    });
}
