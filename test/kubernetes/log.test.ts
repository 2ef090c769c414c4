import * as fs from "node:fs";
import { describeKubernetes } from "../support/kubernetes/lane";
import { runProject } from "../support/kubernetes/runs";

const NAMESPACE = "log-test";
const LINES = 1_000_000;
const PIPELINE = `name: talks\nsteps:\n  - name: talk\n    run: seq 1 ${LINES}\n`;

describeKubernetes("a long log", (bed) => {
    it("comes whole and in order, over the files that the kubelet rotates", async () => {
        await bed.deleteNamespace(NAMESPACE);
        await bed.createNamespace(NAMESPACE);
        const project = await runProject(bed, NAMESPACE, PIPELINE);
        try {
            const { code, stdout, stderr } = await project.up();
            expect([code, stdout.slice(-2000) + stderr]).toEqual([0, expect.any(String)]);
            const { logUrl } = await project.outputs();
            let next = 1;
            let wrong = "";
            for (const line of fs.readFileSync(new URL(logUrl), "utf8").trimEnd().split("\n")) {
                wrong ||= line === `talk\t${next++}` ? "" : `${line} where ${next - 1} belongs`;
            }
            expect([wrong, next - 1]).toEqual(["", LINES]);
        } finally {
            await project.pulumi(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);
            project.dispose();
            await bed.deleteNamespace(NAMESPACE);
        }
    }, 600_000);
});
