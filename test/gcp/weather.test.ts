import * as fs from "node:fs";
import * as path from "node:path";
import { describeGcp } from "../support/gcp/lane";
import type { BackendName } from "../support/gcp/machines/backends";
import { GcpRuns } from "../support/gcp/runs";
import { outcomeFacts } from "../support/outcomeFacts";
import { Project, REPO } from "../support/project";

describe.each<BackendName>(["container", "vm"])("on a %s", (backend) => {
    describeGcp("the weather example", { backend }, (bed) => {
        test("has the same steps, metrics and artifacts as on this machine, and leaves nothing", async () => {
            const here = await Project.create({});
            const there = await GcpRuns.create(bed(), {}, "", "node");
            try {
                for (const { dir } of [here, there.project]) {
                    fs.cpSync(path.join(REPO, "examples/weather"), dir, { recursive: true });
                }
                for (const project of [here, there.project]) {
                    const { code, stdout, stderr } = await project.up();
                    expect([code, stdout + stderr]).toEqual([0, expect.any(String)]);
                }
                const [local, cloud] = [await here.outputs(), await there.project.outputs()];
                expect(outcomeFacts(cloud)).toEqual(outcomeFacts(local));
                expect(cloud.artifacts["chart/chart.svg"].uri).toMatch(/^gs:\/\//);
                await there.off();
                await there.destroy();
                expect(there.left).toEqual([]);
            } finally {
                here.dispose();
                await there.dispose();
            }
        }, 900_000);
    });
});
