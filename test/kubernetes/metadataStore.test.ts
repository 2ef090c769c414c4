import { IMAGES } from "../support/images/ensureImages";
import { runProgram, runProject } from "../support/kubernetes/runs";
import { describeKubernetes } from "../support/kubernetes/lane";
import { Postgres } from "../support/kubernetes/postgres";
import type { Project } from "../support/project";

const NAMESPACE = "metadata-test";
const PORT = 15432;
const PIPELINE = `name: exposed\nsteps:\n  - name: one\n    run: echo "a step has run"; test -n "$STACKRUN_METADATA_URL"\n`;

describeKubernetes("metadataStore.expose", (bed) => {
    let project: Project;
    let postgres: Postgres;
    beforeAll(async () => {
        await bed.deleteNamespace(NAMESPACE);
        await bed.createNamespace(NAMESPACE);
        postgres = await Postgres.start(bed.hostIp, PORT, "the-password");
        project = await runProject(bed, NAMESPACE, PIPELINE);
    }, 120_000);
    afterAll(async () => {
        await project?.pulumi(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);
        project?.dispose();
        await postgres?.stop();
        await bed.deleteNamespace(NAMESPACE);
    }, 120_000);

    // The image of the check has no client of its own: it uses the node's, which is this machine's psql.
    const up = async (url: string) => {
        const args = `
            trigger: ${JSON.stringify(url)},
            metadataStore: { url: pulumi.secret(${JSON.stringify(url)}), expose: true, checkImage: "${IMAGES.debian}" },
            transform: (pod) => ({
                ...pod,
                initContainers: pod.initContainers.map((one) => pulumi.output(one).apply((check) => ({
                    ...check, imagePullPolicy: "Never", volumeMounts: [{ name: "usr", mountPath: "/usr", readOnly: true }],
                }))),
                volumes: [...pod.volumes, { name: "usr", hostPath: { path: "/usr" } }],
            }),`;
        project.program(runProgram(NAMESPACE, args));
        const { code, stdout, stderr } = await project.up();
        return { code, text: stdout + stderr };
    };
    const at = (port: number, password = "the-password") =>
        `postgres://postgres:${password}@${bed.hostIp}:${port}/postgres`;

    it("lets the steps run when the store answers from inside the cluster, and gives them its URL", async () => {
        const { code, text } = await up(at(PORT));
        expect(text).toContain("one | a step has run");
        expect(code).toBe(0);
        expect(text).not.toContain("the-password");
    }, 120_000);

    it.each([
        ["refused", () => at(PORT + 1), /the connection was refused/],
        ["a wrong password", () => at(PORT, "wrong"), /the user or the password is wrong/],
    ])(
        "%s: no step runs, and the run says why",
        async (_, url, why) => {
            const { code } = await up(url());
            expect(code).not.toBe(0);
            const { status, reason, message, steps, logs } = await project.outputs();
            expect(logs).not.toContain("a step has run");
            expect([status, reason]).toEqual(["Failed", "MetadataStoreUnreachable"]);
            expect(message).toMatch(why);
            expect(message).toContain(`${bed.hostIp}:${new URL(url()).port}`);
            expect(steps).toMatchObject([{ name: "one", state: "Pending" }]);
        },
        120_000,
    );

    it("filtered: the check's own time limit ends it", async () => {
        const allow = await bed.dropTraffic(PORT);
        try {
            const { code } = await up(`${at(PORT)}?application_name=filtered`);
            expect(code).not.toBe(0);
        } finally {
            await allow();
        }
        const { reason, message } = await project.outputs();
        expect(reason).toBe("MetadataStoreUnreachable");
        expect(message).toMatch(/timed out/);
    }, 120_000);
});
