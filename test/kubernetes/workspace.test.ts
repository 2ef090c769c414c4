import { leftIn, podNames, runProject } from "../support/kubernetes/runs";
import { describeKubernetes } from "../support/kubernetes/lane";
import { until, type Project } from "../support/project";

const NAMESPACE = "workspace-test";
const FOLDER = `/tmp/${NAMESPACE}`;
const PIPELINE = `
name: keeps
steps:
  - name: first
    run: echo once >> /gate/trace; echo made > "$STACKRUN_OUTPUTS/word"
    outputs: [word]
  - name: second
    inputs: {word: first/word}
    run: |
      echo begin >> /gate/trace
      while [ ! -e /gate/go ]; do sleep 0.1; done
      cat "$STACKRUN_INPUTS/word"
      [ "$STACKRUN_ATTEMPT" != 1 ]
`;
const ARGS = `
    workspace: { size: "100Mi", storageClass: "" },
    volumes: [{ name: "gate", mountPath: "/gate", source: { hostPath: { path: "${FOLDER}/gate" } } }],
`;

// One story: each test goes on from the state that the one before it left.
describeKubernetes("a run with a claim of its own", (bed) => {
    let project: Project;
    const inGate = (command: string) => bed.inside("sh", "-c", `cd ${FOLDER}/gate && ${command}`);
    const trace = async () => (await inGate("cat trace 2>/dev/null || true")).split("\n").filter(Boolean);
    const claims = () =>
        bed.list<{ status: { phase: string }; spec: { resources: { requests: { storage: string } } } }>(
            "persistentvolumeclaims",
            NAMESPACE,
        );

    beforeAll(async () => {
        await bed.deleteNamespace(NAMESPACE);
        await bed.createNamespace(NAMESPACE);
        const folders = `${FOLDER}/gate ${FOLDER}/work`;
        await bed.inside("sh", "-c", `rm -rf ${FOLDER}; mkdir -p ${folders}; chmod 0777 ${folders}`);
        await bed.kubectl("delete", "pv", NAMESPACE, "--ignore-not-found", "--wait=false");
        await bed.create({
            apiVersion: "v1",
            kind: "PersistentVolume",
            metadata: { name: NAMESPACE },
            spec: {
                capacity: { storage: "100Mi" },
                accessModes: ["ReadWriteOnce"],
                hostPath: { path: `${FOLDER}/work` },
            },
        });
        project = await runProject(bed, NAMESPACE, PIPELINE, ARGS);
    }, 120_000);
    afterAll(async () => {
        await project?.pulumi(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);
        project?.dispose();
        await bed.deleteNamespace(NAMESPACE);
        await bed.kubectl("delete", "pv", NAMESPACE, "--ignore-not-found", "--wait=false");
        await bed.inside("rm", "-rf", FOLDER);
    }, 120_000);

    it("goes on from its last finished step on the next pod", async () => {
        const up = project.startUp();
        await until(
            async () => (await trace()).includes("begin"),
            90_000,
            () => `the second step:\n${up.output()}`,
        );
        const [claim] = await claims();
        expect(claim).toMatchObject({
            status: { phase: "Bound" },
            spec: { resources: { requests: { storage: "100Mi" } } },
        });
        const [pod] = await podNames(bed, NAMESPACE);
        await bed.kubectl("delete", "pod", String(pod), "-n", NAMESPACE, "--wait=false");
        await until(
            async () => (await trace()).length === 3,
            90_000,
            () => `the second step again:\n${up.output()}`,
        );
        await inGate("touch go");
        // The first attempt's second step fails in the end.
        expect((await up.ended).code).not.toBe(0);
        expect(await trace()).toEqual(["once", "begin", "begin"]);
        expect(await project.outputs()).toMatchObject({ status: "Failed", attempt: 1, interruptions: 1 });
    }, 240_000);

    it("goes on from there at the next attempt, too", async () => {
        const { code, stdout } = await project.up();
        expect(stdout).toContain("second | made");
        expect(code).toBe(0);
        expect(await trace()).toEqual(["once", "begin", "begin", "begin"]);
        expect(await project.outputs()).toMatchObject({ status: "Succeeded", attempt: 2 });
    }, 120_000);

    it("deletes the claim with the run", async () => {
        await project.expectOk(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);
        expect(await leftIn(bed, NAMESPACE)).toEqual([]);
        expect(await claims()).toEqual([]);
    }, 120_000);
});
