import * as fs from "node:fs";
import { IMAGES } from "../support/images/ensureImages";
import { endOfJob, logOfJob } from "../support/kubernetes/jobs";
import { describeKubernetes } from "../support/kubernetes/lane";
import type { Project } from "../support/project";
import { kubernetesProject, withKubernetes } from "../support/standIns/kubernetes/project";

const NAMESPACE = "stand-in-test";

/** A program with one Job; `changes` is JavaScript that may change its `args` and `opts`. */
function jobProgram(changes = ""): string {
    return `
const container = { name: "main", image: "${IMAGES.busybox}", imagePullPolicy: "Never", command: ["/bin/sh", "-c", "echo hello"] };
const spec = { restartPolicy: "Never", containers: [container] };
const args = {
    metadata: { name: "job", namespace: "${NAMESPACE}", annotations: { "pulumi.com/skipAwait": "true" } },
    spec: { backoffLimit: 0, template: { spec } },
};
const opts = {};
${changes}
const job = new k8s.batch.v1.Job("job", args, opts);
exports.id = job.id;
exports.uid = job.metadata.uid;
exports.succeeded = job.status.apply((status) => (status && status.succeeded) || 0);
`;
}

describeKubernetes("the stand-in for the Kubernetes provider", (bed) => {
    let project: Project;
    const get = (...args: string[]) => bed.kubectl("get", "--namespace", NAMESPACE, ...args);
    const names = async (kinds: string) => (await get(kinds, "-o", "name")).split("\n").filter(Boolean);

    beforeAll(async () => {
        await bed.deleteNamespace(NAMESPACE);
        await bed.createNamespace(NAMESPACE);
        project = await kubernetesProject(bed.kubeconfig, jobProgram());
    });
    afterEach(() => project.expectOk(["destroy", "--yes", "--skip-preview", "--stack", "dev"]));
    afterAll(async () => {
        project?.dispose();
        await bed.deleteNamespace(NAMESPACE);
    });

    const run = async (program: string, command: "up" | "preview" = "up") => {
        project.program(withKubernetes(program));
        const { code, stdout, stderr } = await project[command]();
        return { code, output: stdout + stderr };
    };

    test("a Job with skipAwait is made at once, runs, and is deleted with its pods", async () => {
        expect(await run(jobProgram())).toMatchObject({ code: 0 });
        expect(await project.outputs()).toMatchObject({ id: `${NAMESPACE}/job` });
        expect(await endOfJob(bed, NAMESPACE, "job")).toBe("Complete");
        expect(await logOfJob(bed, NAMESPACE, "job")).toBe("hello\n");

        const again = await run(jobProgram());
        expect(again.output).toMatch(/2 unchanged/);

        await project.expectOk(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);
        await bed.kubectl("wait", "--for=delete", "job/job", "--namespace", NAMESPACE, "--timeout=60s");
        expect(await names("jobs,pods")).toEqual([]);
    });

    test("a Job without skipAwait is waited for, and stays in the state when it fails", async () => {
        expect(await run(jobProgram("delete args.metadata.annotations;"))).toMatchObject({ code: 0 });
        expect(await project.outputs()).toMatchObject({ succeeded: 1 });

        const failed = await run(
            jobProgram(
                "delete args.metadata.annotations; args.metadata.name = 'bad'; container.command = ['false'];",
            ),
        );
        expect(failed.code).not.toBe(0);
        expect(failed.output).toContain("BackoffLimitExceeded");
        const state = await project.state();
        expect(state.map(({ id }) => id)).toContain(`${NAMESPACE}/bad`);
        expect(await names("jobs")).toContain("job.batch/bad");
    });

    test("unknown and missing properties are refused, all at once, before anything is made", async () => {
        const mistakes = `
            args.spec.backofLimit = 1;
            container.imagePullPolcy = "Never";
            delete container.name;
            spec.restartPolicy = 7;`;
        for (const command of ["preview", "up"] as const) {
            const { code, output } = await run(jobProgram(mistakes), command);
            expect(code).not.toBe(0);
            expect(output).toContain('unknown field "spec.backofLimit"');
            expect(output).toContain('unknown field "spec.template.spec.containers[0].imagePullPolcy"');
            expect(output).toContain('missing required field "spec.template.spec.containers[0].name"');
            expect(output).toContain("must be string");
        }
        expect(await names("jobs")).toEqual([]);
    });

    test("what only the API server knows to be wrong is refused in the preview already", async () => {
        const { code, output } = await run(jobProgram("delete container.image;"), "preview");

        expect(code).not.toBe(0);
        expect(output).toContain("spec.template.spec.containers[0].image: Required value");
    });

    test("a changed template replaces the Job, the old one deleted first", async () => {
        await run(jobProgram("delete args.metadata.annotations;"));
        const { uid } = await project.outputs();
        const changed = jobProgram("delete args.metadata.annotations; container.command[2] = 'echo other';");

        const preview = await run(changed, "preview");
        expect(preview.output).toMatch(/\+-1 to replace/);
        expect(await run(changed)).toMatchObject({ code: 0 });

        expect((await project.outputs()).uid).not.toBe(uid);
        expect(await logOfJob(bed, NAMESPACE, "job")).toBe("other\n");
    });

    test("a changed limit of running Jobs is an update in place", async () => {
        await run(jobProgram());
        const { uid } = await project.outputs();

        const { output } = await run(jobProgram("args.spec.activeDeadlineSeconds = 300;"));

        expect(output).toMatch(/~ 1 updated/);
        expect((await project.outputs()).uid).toBe(uid);
        expect(await get("job/job", "-o", "jsonpath={.spec.activeDeadlineSeconds}")).toBe("300");
    });

    test("an object that is there already is not taken over", async () => {
        await bed.kubectl("create", "configmap", "taken", "--namespace", NAMESPACE, "--from-literal=a=b");
        const program = `new k8s.core.v1.ConfigMap("c", { metadata: { name: "taken", namespace: "${NAMESPACE}" }, data: { a: "c" } });`;

        const { code, output } = await run(program);

        expect(code).not.toBe(0);
        expect(output).toContain("already exists");
        expect(await get("configmap/taken", "-o", "jsonpath={.data.a}")).toBe("b");
        await bed.kubectl("delete", "configmap", "taken", "--namespace", NAMESPACE);
    });

    test("names are made where none is given, and stay; data of a ConfigMap replaces it", async () => {
        const program = (value: string) => `
            const map = new k8s.core.v1.ConfigMap("notes", { metadata: { namespace: "${NAMESPACE}" }, data: { a: "${value}" } });
            exports.name = map.metadata.name;`;
        await run(program("one"));
        const first = (await project.outputs()).name;
        expect(first).toMatch(/^notes-[0-9a-f]{8}$/);

        expect((await run(program("one"))).output).toMatch(/2 unchanged/);
        const { output } = await run(program("two"));

        expect(output).toMatch(/\+-1 replaced/);
        const second = (await project.outputs()).name;
        expect(second).not.toBe(first);
        expect(await get(`configmap/${second}`, "-o", "jsonpath={.data.a}")).toBe("two");
    });

    test("the values of a Secret are in no plain state", async () => {
        await run(`
            const namespace = "${NAMESPACE}";
            new k8s.core.v1.Secret("s", { metadata: { name: "s", namespace }, stringData: { token: "s3cr3t-v4lue" } });`);

        expect(await get("secret/s", "-o", "jsonpath={.data.token}")).toBe(btoa("s3cr3t-v4lue"));
        const state = JSON.stringify(await project.state());
        expect(state).toContain(`"${NAMESPACE}/s"`);
        expect(state).not.toContain("s3cr3t-v4lue");
        expect(state).not.toContain(btoa("s3cr3t-v4lue"));
    });

    test("accounts, roles and claims are made and leave nothing", async () => {
        const { code, output } = await run(`
            const metadata = (name) => ({ name, namespace: "${NAMESPACE}", annotations: { "pulumi.com/skipAwait": "true" } });
            const account = new k8s.core.v1.ServiceAccount("a", { metadata: metadata("a") });
            const role = new k8s.rbac.v1.Role("r", { metadata: metadata("r"), rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }] });
            new k8s.rbac.v1.RoleBinding("b", {
                metadata: metadata("b"),
                subjects: [{ kind: "ServiceAccount", name: account.metadata.name }],
                roleRef: { kind: "Role", name: role.metadata.name, apiGroup: "rbac.authorization.k8s.io" },
            });
            new k8s.core.v1.PersistentVolumeClaim("p", {
                metadata: metadata("p"),
                spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1024Mi" } } },
            });
            new k8s.core.v1.Namespace("n", { metadata: { name: "stand-in-made" } });`);
        expect(output).toMatch(code === 0 ? /6 created/ : "up succeeds");
        const kinds = "serviceaccounts,roles,rolebindings,persistentvolumeclaims";
        expect((await names(kinds)).filter((name) => !name.endsWith("/default"))).toHaveLength(4);

        // The API server writes 1024Mi as 1Gi: no drift.
        expect(
            (await project.pulumi(["refresh", "--yes", "--skip-preview", "--stack", "dev"])).stdout,
        ).toMatch(/6 unchanged/);
        await project.expectOk(["destroy", "--yes", "--skip-preview", "--stack", "dev"]);

        expect((await names(kinds)).filter((name) => !name.endsWith("/default"))).toEqual([]);
        expect(await bed.kubectl("get", "namespaces", "-o", "name")).not.toContain("stand-in-made");
    });

    test("refresh sees what was changed or deleted behind the program's back", async () => {
        const program = `new k8s.core.v1.ConfigMap("c", { metadata: { name: "c", namespace: "${NAMESPACE}" }, data: { a: "1" } });`;
        const refresh = () => project.pulumi(["refresh", "--yes", "--skip-preview", "--stack", "dev"]);
        await run(program);
        await bed.kubectl("patch", "configmap", "c", "--namespace", NAMESPACE, "-p", '{"data":{"a":"2"}}');
        expect((await refresh()).stdout).toMatch(/~ 1 updated/);
        expect((await run(program)).output).toMatch(/\+-1 replaced/);
        expect(await get("configmap/c", "-o", "jsonpath={.data.a}")).toBe("1");

        await bed.kubectl("delete", "configmap", "c", "--namespace", NAMESPACE);
        expect((await refresh()).stdout).toMatch(/- 1 deleted/);
    });

    test("a namespace that is not there, and a quota that is used up, fail with their names", async () => {
        const missing = await run(jobProgram("args.metadata.namespace = 'no-such-place';"));
        expect(missing.code).not.toBe(0);
        expect(missing.output).toContain('namespaces "no-such-place" not found');

        await bed.kubectl("create", "quota", "none", "--namespace", NAMESPACE, "--hard=count/jobs.batch=0");
        const full = await run(jobProgram());
        expect(full.code).not.toBe(0);
        expect(full.output).toContain("exceeded quota: none");
        await bed.kubectl("delete", "quota", "none", "--namespace", NAMESPACE);
    });

    test("a provider of the program's own: its namespace, its kubeconfig's contents, no unknown arguments", async () => {
        const provider = (more: string) => `
            const kubeconfig = require("fs").readFileSync(${JSON.stringify(bed.kubeconfig)}, "utf8");
            const provider = new k8s.Provider("own", { kubeconfig, namespace: "${NAMESPACE}", ${more} });
            delete args.metadata.namespace;
            opts.provider = provider;`;
        expect(await run(jobProgram(provider("")))).toMatchObject({ code: 0 });
        expect((await project.outputs()).id).toBe(`${NAMESPACE}/job`);

        await project.expectOk(["config", "set", "--stack", "dev", "kubernetes:nameSpace", "typo"]);
        const { code, output } = await run(`new k8s.core.v1.ConfigMap("c", {});`, "preview");
        await project.expectOk(["config", "rm", "--stack", "dev", "kubernetes:nameSpace"]);
        expect(code).not.toBe(0);
        expect(output).toContain("unknown provider argument");
    });

    test("a cluster that does not answer: preview warns, up fails, and what was in it can be forgotten", async () => {
        const config = fs.readFileSync(bed.kubeconfig, "utf8");
        const provider = `opts.provider = new k8s.Provider("own", { kubeconfig: "${project.dir}/cluster.yaml" });`;
        project.write({ "cluster.yaml": config });
        await run(jobProgram(provider));
        project.write({ "cluster.yaml": config.replace(/server: "[^"]*"/, 'server: "https://127.0.0.1:1"') });
        const changed = jobProgram(`${provider} args.spec.activeDeadlineSeconds = 300;`);
        const refresh = (env: NodeJS.ProcessEnv) =>
            project.pulumi(["refresh", "--yes", "--skip-preview", "--stack", "dev"], env);

        const preview = await run(changed, "preview");
        expect(preview).toMatchObject({ code: 0 });
        expect(preview.output).toContain("configured Kubernetes cluster is unreachable");
        const up = await run(changed);
        expect(up.code).not.toBe(0);
        expect(up.output).toContain("ECONNREFUSED 127.0.0.1:1");
        const refused = await refresh({});
        expect(refused.code).not.toBe(0);
        expect(refused.stdout + refused.stderr).toContain("PULUMI_K8S_DELETE_UNREACHABLE");
        expect(await refresh({ PULUMI_K8S_DELETE_UNREACHABLE: "true" })).toMatchObject({ code: 0 });

        expect((await project.state()).map(({ type }) => type)).not.toContain("kubernetes:batch/v1:Job");
        project.write({ "cluster.yaml": config });
        await bed.kubectl("delete", "job", "job", "--namespace", NAMESPACE);
    });
});
