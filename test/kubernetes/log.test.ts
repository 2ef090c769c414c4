import * as fs from "node:fs";
import { describeKubernetes } from "../support/kubernetes/lane";
import { runProject } from "../support/kubernetes/runs";

const NAMESPACE = "log-test";
const LINES = 1_000_000;
const PIPELINE = `name: talks\nsteps:\n  - name: talk\n    run: seq 1 ${LINES}\n`;

describeKubernetes("a long log", (bed) => {
    // The kubelet itself can lose lines that are written while it rotates a log that is being followed.
    it("comes in order, nothing twice, over the files that the kubelet rotates; what that loses is told", async () => {
        await bed.deleteNamespace(NAMESPACE);
        await bed.createNamespace(NAMESPACE);
        const project = await runProject(bed, NAMESPACE, PIPELINE);
        try {
            const { code, stdout, stderr } = await project.up();
            expect([code, stdout.slice(-2000) + stderr]).toEqual([0, expect.any(String)]);
            const { logUrl } = await project.outputs();
            let last = 0;
            let lost = 0;
            const wrong: string[] = [];
            for (const line of fs.readFileSync(new URL(logUrl), "utf8").trimEnd().split("\n")) {
                const [, number] = /^talk\t(\d+)$/.exec(line) ?? [];
                const [, missing] = /^talk\tstackrun: (\d+) lines? (?:is|are) missing above/.exec(line) ?? [];
                lost += Number(missing ?? 0);
                if (!missing && !(Number(number) > last)) {
                    wrong.push(`${line} after ${last}`);
                }
                last = Number(number ?? last);
            }
            const received = fs.readFileSync(new URL(logUrl), "utf8").match(/^talk\t\d+$/gm) ?? [];
            expect(wrong.slice(0, 5)).toEqual([]);
            expect(received.length + lost).toBe(LINES);
        } finally {
            await project.pulumi(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);
            project.dispose();
            await bed.deleteNamespace(NAMESPACE);
        }
    }, 600_000);
});
