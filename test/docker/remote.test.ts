import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { createFollower } from "../../src/run/docker/follower";
import type { DockerFollowerOptions } from "../../src/run/docker/options";
import { Authority } from "../support/docker/certificates";
import { describeDocker } from "../support/docker/lane";
import { Sshd } from "../support/docker/sshd";
import { freePort } from "../support/freePort";
import type { Project } from "../support/project";
import { TestRun } from "./container";
import { destroy, dockerProject, leftIn, logOf, upOk } from "./project";

const PIPELINE = `
name: far
steps:
  - {name: make, run: "cat a.txt; echo data > $STACKRUN_OUTPUTS/x", outputs: [x]}
  - {name: count, run: [seq, "20000"]}
`;
const FILES = { "pipeline.yaml": PIPELINE, "a.txt": "of the code\n" };
const LINES = ["make\tof the code", ...Array.from({ length: 20_000 }, (_, index) => `count\t${index + 1}`)];

async function runThere(project: Project): Promise<void> {
    await upOk(project);
    const { runId, status, artifacts } = await project.outputs();
    expect(status).toBe("Succeeded");
    expect(logOf(project, runId)).toEqual(LINES);
    expect(artifacts["make/x"].size).toBe(5);
    await upOk(project, ["--expect-no-changes"]);
}

/** What is said to somebody who asks the daemon for the outcome of a run. */
async function refusal(run: TestRun, options: DockerFollowerOptions): Promise<string> {
    const spec = await run.spec();
    return createFollower(options)
        .lastOutcome(spec)
        .then(
            ({ kind }) => kind,
            (error: Error) => error.message,
        );
}

describeDocker("a daemon behind TLS", (bed) => {
    let restore: () => Promise<void>;
    let ours: string;
    let theirs: string;
    let port: number;
    let run: TestRun;
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-far-"));
    beforeAll(async () => {
        port = await freePort();
        const authority = new Authority(path.join(dir, "ca"));
        const server = authority.issue("server", "IP:127.0.0.1");
        ours = authority.issue("client");
        theirs = new Authority(path.join(dir, "other")).issue("client");
        restore = await bed.configure({
            hosts: [bed.host, `tcp://127.0.0.1:${port}`],
            tlsverify: true,
            tlscacert: authority.file,
            tlscert: path.join(server, "cert.pem"),
            tlskey: path.join(server, "key.pem"),
        });
        run = new TestRun(bed, "name: n\nsteps: [{name: one, run: ls}]");
    }, 120_000);
    afterAll(async () => {
        await run?.dispose();
        await restore?.();
        fs.rmSync(dir, { recursive: true });
    }, 60_000);
    const host = () => `tcp://127.0.0.1:${port}`;

    test("runs a pipeline, and leaves nothing", async () => {
        const env = { DOCKER_HOST: host(), DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: ours };
        const project = await dockerProject(bed, FILES, "", env);
        try {
            await runThere(project);
            await destroy(project);
            expect(await leftIn(bed, project)).toEqual([]);
        } finally {
            project.dispose();
        }
    }, 180_000);

    test("with a certificate in the provider's arguments", async () => {
        const read = (name: string) => JSON.stringify(fs.readFileSync(path.join(ours, name), "utf8"));
        const project = await dockerProject(bed, FILES);
        try {
            const dist = path.join(__dirname, "../../dist/components/docker");
            project.program(`
const docker = require("@pulumi/docker");
const { DockerOrchestrator } = require(${JSON.stringify(dist)});
const provider = new docker.Provider("far", {
    host: "${host()}",
    caMaterial: ${read("ca.pem")},
    certMaterial: ${read("cert.pem")},
    keyMaterial: pulumi.secret(${read("key.pem")}),
});
const run = new DockerOrchestrator("job", { pipeline: "pipeline.yaml", image: "${await bed.image("busybox")}" }, { provider });
for (const output of ["runId", "status", "artifacts"]) exports[output] = run[output];
`);
            await runThere(project);
            const key = fs.readFileSync(path.join(ours, "key.pem"), "utf8").split("\n")[1] as string;
            expect(JSON.stringify(project.state())).not.toContain(key);
            await destroy(project);
            expect(await leftIn(bed, project)).toEqual([]);
        } finally {
            project.dispose();
        }
    }, 180_000);

    test("its refusals say what is wrong with which certificate", async () => {
        expect(await refusal(run, { host: host(), certPath: ours })).toBe("NoRecord");
        const readIn = (dir: string, name: string) => fs.readFileSync(path.join(dir, name), "utf8");
        expect(await refusal(run, { host: host(), certPath: theirs })).toMatch(
            /^the Docker daemon at tcp:\/\/127\.0\.0\.1:\d+ can't be spoken to by TLS \([A-Z_]+\): its certificate was not signed by the CA that was given; put the right one into ca\.pem/,
        );
        const [ca, cert, key] = [
            readIn(ours, "ca.pem"),
            readIn(theirs, "cert.pem"),
            readIn(theirs, "key.pem"),
        ];
        expect(await refusal(run, { host: host(), ca, cert, key })).toMatch(
            /can't be spoken to by TLS \([^)]+\): it does not take the certificate of this side; give one that its CA has signed/,
        );
        expect(await refusal(run, { host: `tcp://localhost:${port}`, certPath: ours })).toMatch(
            /\(ERR_TLS_CERT_ALTNAME_INVALID\): its certificate is for another name/,
        );
        expect(await refusal(run, { host: host() })).toBe(
            `the Docker daemon at ${host()} speaks TLS only; set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to a folder with ca.pem, cert.pem and key.pem`,
        );
        expect(await refusal(run, { host: host(), certPath: dir })).toMatch(
            /^the certificate \S+\/ca\.pem can't be read \(ENOENT\); DOCKER_CERT_PATH, or/,
        );
    }, 60_000);

    test("one that speaks no TLS is told apart", async () => {
        const plain = await freePort();
        const [tlsverify, tlscacert, tlscert, tlskey] = [] as undefined[];
        const hosts = [bed.host, `tcp://127.0.0.1:${plain}`];
        const back = await bed.configure({ hosts, tlsverify, tlscacert, tlscert, tlskey });
        try {
            expect(await refusal(run, { host: `tcp://127.0.0.1:${plain}`, certPath: ours })).toMatch(
                /it speaks no TLS; correct the port, or leave out DOCKER_CERT_PATH/,
            );
            expect(await refusal(run, { host: `tcp://127.0.0.1:${plain}` })).toBe("NoRecord");
        } finally {
            await back();
        }
    }, 120_000);
});

describeDocker("a daemon behind ssh", (bed) => {
    let sshd: Sshd;
    let run: TestRun;
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-far-"));
    beforeAll(async () => {
        sshd = await Sshd.start(path.join(dir, "sshd"), bed.host);
        run = new TestRun(bed, "name: n\nsteps: [{name: one, run: ls}]");
    }, 120_000);
    afterAll(async () => {
        await run?.dispose();
        await sshd?.stop();
        fs.rmSync(dir, { recursive: true });
    }, 60_000);

    test("runs a pipeline by the user's own ssh, and leaves nothing", async () => {
        const env = { DOCKER_HOST: sshd.host, DOCKER_SSH_OPTS: sshd.options() };
        const project = await dockerProject(bed, FILES, "", env);
        try {
            await runThere(project);
            await destroy(project);
            expect(await leftIn(bed, project)).toEqual([]);
        } finally {
            project.dispose();
        }
        expect(sshd.log()).toMatch(/Accepted publickey for root/);
    }, 240_000);

    test("is not trusted if nobody knows its key, and what ssh says is told", async () => {
        const before = process.env.DOCKER_SSH_OPTS;
        const strange = path.join(dir, "strangers");
        fs.writeFileSync(strange, "");
        try {
            process.env.DOCKER_SSH_OPTS = sshd.options();
            expect(await refusal(run, { host: sshd.host })).toBe("NoRecord");
            expect(await refusal(run, { host: `${sshd.host}/nowhere/docker.sock` })).toMatch(
                /^the Docker daemon at ssh:\S+ can't be reached \(.*\); see that `ssh` gets there/,
            );
            process.env.DOCKER_SSH_OPTS = sshd.options(strange);
            expect(await refusal(run, { host: sshd.host })).toBe(
                `the Docker daemon at ${sshd.host} can't be reached (Host key verification failed.); see that \`ssh\` gets there without a question, and that docker is there, or name another one in DOCKER_HOST or dockerHost`,
            );
        } finally {
            if (before === undefined) {
                delete process.env.DOCKER_SSH_OPTS;
            } else {
                process.env.DOCKER_SSH_OPTS = before;
            }
        }
    }, 60_000);
});
