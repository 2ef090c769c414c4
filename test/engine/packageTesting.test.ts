import { startPlugin } from "../../src/testing";
import { Project } from "../support/project";

// What `stackrun/testing` gives to the tests of a user's own program, with a real engine.
describe("the plugin in the test's own process", () => {
    let project: Project;
    beforeAll(async () => {
        const runtime = { name: "nodejs", options: { typescript: false } };
        project = await Project.create({
            // No entry for the plugin: the engine could start none.
            "Pulumi.yaml": JSON.stringify({ name: "test", runtime, main: "index.js" }),
            "pipeline.yaml": 'name: inside\nsteps: [{name: one, run: "echo loss=2 > $STACKRUN_METRICS"}]\n',
        });
    }, 120_000);
    afterAll(() => project.dispose());

    it("serves an update, and the next one", async () => {
        const plugin = await startPlugin();
        try {
            const up = await project.up([], plugin.env);
            expect(up.code === 0 ? "" : up.stdout).toBe("");
            const outputs = await project.outputs();
            expect(outputs).toMatchObject({ status: "Succeeded", metrics: { one: { loss: 2 } } });

            const again = await project.up([], plugin.env);
            expect([again.code, (await project.outputs()).runId]).toEqual([0, outputs.runId]);
        } finally {
            plugin.stop();
        }
        // Stopped, it serves no longer: the update was this plugin's, and nobody else's.
        project.write({ "pipeline.yaml": "name: inside\nsteps: [{name: other, run: 'true'}]\n" });
        const stopped = await project.up([], plugin.env);
        expect(stopped.code).not.toBe(0);
    }, 120_000);
});
