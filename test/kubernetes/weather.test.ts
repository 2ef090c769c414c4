import * as fs from "node:fs";
import * as path from "node:path";
import { IMAGES } from "../support/images/ensureImages";
import { describeKubernetes } from "../support/kubernetes/lane";
import { runProgram, runProject } from "../support/kubernetes/runs";
import { outcomeFacts } from "../support/outcomeFacts";
import { Project, REPO } from "../support/project";

const NAMESPACE = "weather-test";

describeKubernetes("the weather example", (bed) => {
    it("has the same steps, metrics and artifacts in a cluster as on this machine", async () => {
        await bed.deleteNamespace(NAMESPACE);
        await bed.createNamespace(NAMESPACE);
        // Debian's Node.js is not in the image: this machine's is mounted.
        const node = path.dirname(fs.realpathSync(process.execPath));
        const args = `image: "${IMAGES.debian}", env: { PATH: "/node:/usr/bin:/bin" },
            volumes: [{ name: "node", mountPath: "/node", readOnly: true, source: { hostPath: { path: "${node}" } } }],`;
        const here = await Project.create({});
        const there = await runProject(bed, NAMESPACE, "");
        try {
            for (const project of [here, there]) {
                fs.cpSync(path.join(REPO, "examples/weather"), project.dir, { recursive: true });
            }
            there.program(runProgram(NAMESPACE, args));
            for (const project of [here, there]) {
                const { code, stdout, stderr } = await project.up();
                expect([code, stdout + stderr]).toEqual([0, expect.any(String)]);
            }
            const [local, cluster] = await Promise.all([here, there].map((project) => project.outputs()));
            expect(outcomeFacts(cluster)).toEqual(outcomeFacts(local));
            expect(Object.keys(cluster.artifacts)).toContain("chart/chart.svg");
        } finally {
            await there.pulumi(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);
            here.dispose();
            there.dispose();
            await bed.deleteNamespace(NAMESPACE);
        }
    }, 300_000);
});
