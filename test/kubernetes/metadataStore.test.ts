import { IMAGES } from "../support/images/ensureImages";
import { runProgram, runProject } from "../support/kubernetes/runs";
import { describeKubernetes } from "../support/kubernetes/lane";
import { MariaDb } from "../support/kubernetes/mariadb";
import { Postgres } from "../support/kubernetes/postgres";
import type { Project } from "../support/project";

const NAMESPACE = "metadata-test";
const PORT = 15432;
const MYSQL_PORT = 13306;
const PIPELINE = `name: exposed\nsteps:\n  - name: one\n    run: echo "a step has run at $STACKRUN_METADATA_URL"\n`;

describeKubernetes("metadataStore.expose", (bed) => {
    let project: Project;
    let postgres: Postgres;
    let mariadb: MariaDb;
    beforeAll(async () => {
        await bed.deleteNamespace(NAMESPACE);
        await bed.createNamespace(NAMESPACE);
        postgres = await Postgres.start(bed.hostIp, PORT, "the-password");
        mariadb = await MariaDb.start(bed.hostIp, MYSQL_PORT, "the-password");
        project = await runProject(bed, NAMESPACE, PIPELINE);
    }, 120_000);
    afterAll(async () => {
        await project?.pulumi(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);
        project?.dispose();
        await postgres?.stop();
        await mariadb?.stop();
        await bed.deleteNamespace(NAMESPACE);
    }, 120_000);

    // The image of the check has no client of its own: it uses the node's, which are this machine's psql and mysql.
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

    const mysqlAt = (port: number, password = "the-password") =>
        `mysql://runs:${password}@${bed.hostIp}:${port}/runs`;

    it.each([
        ["PostgreSQL", () => at(PORT)],
        ["MySQL", () => mysqlAt(MYSQL_PORT)],
    ])(
        "%s: lets the steps run when the store answers from inside the cluster, and gives them its URL",
        async (_, url) => {
            const { code, text } = await up(url());
            expect(text).toContain("one | a step has run at ***");
            expect(code).toBe(0);
            expect(text).not.toContain("the-password");
        },
        120_000,
    );

    it.each([
        ["refused", () => at(PORT + 1), /the connection was refused/],
        ["a wrong password", () => at(PORT, "wrong"), /the user or the password is wrong/],
        ["MySQL, refused", () => mysqlAt(MYSQL_PORT + 1), /the connection was refused/],
        ["MySQL, a wrong password", () => mysqlAt(MYSQL_PORT, "wrong"), /the user or the password is wrong/],
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

    it.each([
        ["PostgreSQL", PORT, () => `${at(PORT)}?application_name=filtered`],
        ["MySQL", MYSQL_PORT, () => mysqlAt(MYSQL_PORT, "other")],
    ])(
        "%s, filtered: the check's own time limit ends it",
        async (_, port, url) => {
            const allow = await bed.dropTraffic(port);
            try {
                expect((await up(url())).code).not.toBe(0);
            } finally {
                await allow();
            }
            const { reason, message } = await project.outputs();
            expect(reason).toBe("MetadataStoreUnreachable");
            expect(message).toMatch(/timed out/);
        },
        120_000,
    );
});
