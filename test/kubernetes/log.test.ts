import * as fs from "node:fs";
import * as path from "node:path";
import { describeKubernetes } from "../support/kubernetes/lane";
import { runProject } from "../support/kubernetes/runs";
import { REPO, type Project } from "../support/project";

const NAMESPACE = "log-test";
const LINES = 1_000_000;
const LOSING_LINES = 700_000;

/** The first line of `talk` that is not the number behind the one before it. */
function firstWrong(log: string, lines: number): string | undefined {
    const numbers = log.split("\n").filter((line) => line.startsWith("talk\t"));
    const wrong = numbers.findIndex((line, index) => line !== `talk\t${index + 1}`);
    return wrong >= 0
        ? `line ${wrong + 1}: ${numbers[wrong]}`
        : numbers.length === lines
          ? undefined
          : `${numbers.length} lines`;
}

describeKubernetes("a long log", (bed) => {
    let project: Project | undefined;

    beforeEach(async () => {
        await bed.deleteNamespace(NAMESPACE);
        await bed.createNamespace(NAMESPACE);
    });
    afterEach(async () => {
        await project?.pulumi(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);
        project?.dispose();
        await bed.deleteNamespace(NAMESPACE);
    }, 60_000);

    it(`comes whole and in order: ${LINES} lines, over the files that the kubelet begins anew`, async () => {
        const pipeline = `name: talks\nsteps:\n  - name: talk\n    run: seq 1 ${LINES}\n`;
        project = await runProject(bed, NAMESPACE, pipeline);
        const { code, stdout, stderr } = await project.up();
        expect([code, stdout.slice(-2000) + stderr]).toEqual([0, expect.any(String)]);
        const { logUrl } = await project.outputs();
        expect(firstWrong(fs.readFileSync(new URL(logUrl), "utf8"), LINES)).toBeUndefined();
    }, 600_000);

    it("is made whole from the runner's own files where lines of it are lost", async () => {
        const pipeline = `name: talks\nsteps:\n  - name: talk\n    run: sleep 2; seq 1 ${LOSING_LINES}\n`;
        project = await runProject(bed, NAMESPACE, pipeline, "wait: false,");
        expect(await project.up()).toMatchObject({ code: 0 });
        const folder = fs.mkdtempSync(path.join(project.dir, ".follow-"));
        const file = path.join(folder, "lines");
        const options = JSON.stringify({ kubeconfig: bed.kubeconfig, namespace: NAMESPACE });
        const script = path.join(REPO, "test/support/kubernetes/losingFollower.js");
        const { runId } = await project.outputs();
        const following = project.start(process.execPath, [script, folder, runId, options, file]);
        const { code, stdout, stderr } = await following.ended;
        expect([code, stderr]).toEqual([0, ""]);
        expect((JSON.parse(stdout) as { lines: number }).lines).toBeGreaterThan(10);
        expect(firstWrong(fs.readFileSync(file, "utf8"), LOSING_LINES)).toBeUndefined();
    }, 300_000);
});
