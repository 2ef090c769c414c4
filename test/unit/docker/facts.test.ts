import * as fs from "node:fs";
import * as path from "node:path";
import { pack } from "tar-stream";
import { buildHash } from "../../../components/docker/contextHash";
import { DockerIgnore } from "../../../components/docker/dockerIgnore";
import { mebibytes } from "../../../components/docker/sizes";
import { clientOptions, connect, sshTarget } from "../../../src/run/docker/client";
import { DockerError, explain, isGone, isUnreachable } from "../../../src/run/docker/errors";
import { digestOf } from "../../../src/run/docker/image";
import { asCancelled, endOf, outcomeOfContainer, withCancel } from "../../../src/run/docker/outcome";
import { sshArguments } from "../../../src/run/docker/ssh";
import { unpack } from "../../../src/run/docker/unpack";
import { ownerOf } from "../../../src/run/docker/user";
import { useFolder } from "../../support/folder";

const state = (Status: string, ExitCode = 0, OOMKilled = false) => ({
    Status,
    ExitCode,
    OOMKilled,
    Error: "",
});

test.each([
    ["created", { kind: "NotStarted" }],
    ["running", { kind: "Running" }],
    ["paused", { kind: "Running" }],
    ["exited", { kind: "Finished", state: "Succeeded" }],
    ["dead", { kind: "Finished", state: "Succeeded" }],
])("a container that is %s", (status, outcome) => {
    expect(outcomeOfContainer(state(status))).toMatchObject(outcome);
});

test.each([
    [0, false, "Succeeded", ""],
    [1, false, "Failed", "StepFailed"],
    [1, true, "Failed", "StepFailed"],
    [64, false, "Failed", "ImageUnusable"],
    [65, false, "Failed", "RecordFailed"],
    [66, false, "TimedOut", "DeadlineExceeded"],
    [67, false, "Cancelled", "Cancelled"],
    [68, false, "Lost", "Interrupted"],
    [126, false, "Failed", "ImageUnusable"],
    [127, false, "Failed", "ImageUnusable"],
    [137, true, "Failed", "OutOfMemory"],
    [137, false, "Lost", "ContainerKilled"],
    [143, false, "Lost", "ContainerKilled"],
])("exit code %d, out of memory %p: %s", (code, oom, end, reason) => {
    expect(endOf(state("exited", code, oom))).toMatchObject({ state: end, reason });
});

test("what was ended on request is cancelled, not lost; what had failed before has failed", () => {
    const cancel = { reason: "by me" };
    const lost = { kind: "Finished", state: "Lost", reason: "x", message: "y" } as const;
    expect(withCancel(lost, cancel)).toMatchObject({ state: "Cancelled", message: "by me" });
    expect(withCancel(lost, undefined)).toBe(lost);
    expect(withCancel({ ...lost, state: "Failed" }, cancel)).toMatchObject({ state: "Failed" });
    const event = {
        type: "run.finished",
        state: "Interrupted",
        reason: "",
        exitCode: 68,
        message: "",
        n: 1,
        nonce: "n",
        time: "",
        attempt: 1,
    } as const;
    expect(asCancelled(event, cancel)).toMatchObject({ state: "Cancelled", message: "by me" });
    expect(asCancelled(event, undefined)).toBe(event);
});

const accounts = { passwd: "root:x:0:0::/:/bin/sh\nnode:x:1000:1001::/:/bin/sh\n", group: "staff:x:50:\n" };
test.each([
    ["", 0, 0],
    ["node", 1000, 1001],
    ["1000", 1000, 1001],
    ["7", 7, 0],
    ["7:8", 7, 8],
    ["node:staff", 1000, 50],
    ["node:9", 1000, 9],
])("the user %j is %d:%d", (user, uid, gid) => {
    expect(ownerOf(user, accounts)).toEqual({ uid, gid });
});
test("an unknown user or group is refused", () => {
    expect(() => ownerOf("stranger", accounts)).toThrow("the image knows no user stranger");
    expect(() => ownerOf("node:strangers", accounts)).toThrow("the image knows no group strangers");
});

test.each([
    ["4Gi", 4096],
    ["4g", 4096],
    ["512m", 512],
    ["1.5Gi", 1536],
    ["1", 1],
    ["7000k", 7],
    ["lots", undefined],
    ["-1g", undefined],
    ["4 Eggs", undefined],
    ["1toString", undefined],
])("the size %j is %p MiB", (size, wanted) => {
    expect(mebibytes(size)).toBe(wanted);
});

test.each([
    ["unix:///run/x.sock", { socketPath: "/run/x.sock" }],
    ["tcp://10.0.0.7", { protocol: "http", host: "10.0.0.7", port: 2375 }],
    ["tcp://[::1]:99", { protocol: "http", host: "::1", port: "99" }],
    ["https://d.example:2376", { protocol: "https", host: "d.example", port: "2376" }],
])("the daemon at %s", (address, options) => {
    expect(clientOptions(address, {}, {})).toMatchObject(options);
});
test("certificates make it TLS, from the options or from DOCKER_CERT_PATH", () => {
    expect(clientOptions("tcp://d", { ca: "a", cert: "b", key: "c" }, {})).toMatchObject({
        protocol: "https",
        port: 2376,
        ca: "a",
    });
    expect(() =>
        clientOptions("tcp://d", {}, { DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: "/nowhere" }),
    ).toThrow("the certificate /nowhere/ca.pem can't be read (ENOENT)");
    // As the provider does, without DOCKER_TLS_VERIFY too.
    const env = { DOCKER_CA_MATERIAL: "a", DOCKER_CERT_MATERIAL: "b", DOCKER_KEY_MATERIAL: "c" };
    expect(clientOptions("tcp://d", {}, env)).toMatchObject({ protocol: "https", ca: "a", key: "c" });
    // A CA alone counts for nothing, as for the provider.
    expect(clientOptions("tcp://d", { ca: "a" }, {})).toMatchObject({ protocol: "http", ca: undefined });
    expect(() =>
        clientOptions("tcp://d", {}, { DOCKER_CA_MATERIAL: "a", DOCKER_CERT_PATH: "/nowhere" }),
    ).toThrow("the certificate /nowhere/ca.pem can't be read (ENOENT)");
});

test("a daemon that was named does not give way to the environment's", async () => {
    const before = process.env.DOCKER_HOST;
    process.env.DOCKER_HOST = "tcp://10.0.0.9:2375";
    try {
        const { docker } = await connect({ host: "unix:///run/mine.sock" });
        expect(docker.modem).toMatchObject({ host: undefined, socketPath: "/run/mine.sock" });
        expect((await connect({})).docker.modem).toMatchObject({ host: "10.0.0.9", port: "2375" });
    } finally {
        delete process.env.DOCKER_HOST;
        Object.assign(process.env, before === undefined ? {} : { DOCKER_HOST: before });
    }
});

test("ssh is run as the address says, with the user's options first, and asks nobody", () => {
    const settings = [
        "BatchMode=yes",
        "ConnectTimeout=30",
        "ServerAliveInterval=15",
        "ServerAliveCountMax=3",
    ];
    const fixed = ["-T", ...settings.flatMap((one) => ["-o", one])];
    const there = "docker system dial-stdio";
    expect(sshArguments({ host: "d.example" })).toEqual([...fixed, "--", "d.example", there]);
    const more = { port: "99", user: "me", socket: "/run/my.sock", options: ["-i", "key"] };
    expect(sshArguments({ host: "d.example", ...more })).toEqual([
        ...["-i", "key", ...fixed, "-l", "me", "-p", "99", "--", "d.example"],
        "docker --host 'unix:///run/my.sock' system dial-stdio",
    ]);
});

describe("an address that is refused", () => {
    const saidOf = (address: string, env = {}) => {
        try {
            clientOptions(address, {}, env);
            return "taken";
        } catch (error) {
            return (error as Error).message;
        }
    };
    test.each([
        ["ssh://me:w0rd@d.example", "ssh://me:***@d.example"],
        ["tcp://:w0rd@d.example", "tcp://:***@d.example"],
        ["ssh://me:w0rd@d.example:port", "ssh://me:***@d.example:port"],
        ["ssh://me:w0/rd@w0rd@d.example", "ssh://me:***@d.example"],
        ["http:me:w0rd@d.example", "http:***@d.example"],
    ])("for its password: %s, which is not told", (address, shown) => {
        expect(saidOf(address)).toBe(
            `the Docker host "${shown}" has a password, which would be shown wherever the address is; leave it out`,
        );
    });
    test.each(["me:w0rd@d.example", "ftp://me@d.example", "localhost", "d.example:2375", "ssh:///a"])(
        "as that of no daemon: %s, without a password",
        (address) => {
            expect(saidOf(address)).toMatch(
                /^the Docker host ".*" (is no address of a daemon|has a password)/,
            );
            expect(saidOf(address)).not.toContain("w0rd");
        },
    );
    test.each(["ssh://m%zz@d.example", "ssh://d.example/%ff.sock", "tcp://100%@d.example"])(
        "for a %% that can't be read: %s",
        (address) => {
            expect(saidOf(address)).toBe(
                `the Docker host "${address}" has a % that stands for no character; write % itself as %25`,
            );
        },
    );
    test.each(["a'b", "a%27b", "a%00b"])("for a socket that a shell would not get as it is: %s", (name) => {
        expect(saidOf(`ssh://d.example/${name}`)).toMatch(/is no address of a daemon/);
    });
});

test("user and socket of an ssh address are read as a URL's", () => {
    const target = sshTarget(new URL("ssh://me%40home@[::1]/run/my%20docker.sock"), {});
    expect(target).toMatchObject({ user: "me@home", host: "::1", socket: "/run/my docker.sock" });
    expect(sshTarget(new URL("ssh://d.example/"), {}).socket).toBe("");
});

describe("errors of the daemon", () => {
    const asked = { doing: "the container c can't be started", address: "unix:///a" };
    test.each([
        ["network x not found", "create it (docker network create)"],
        ['exec: "/bin/sh": stat /bin/sh: no such file or directory', "choose an image with a shell"],
        ["no space left on device", "make room"],
        ['could not select device driver "" with capabilities: [[gpu]]', "no GPU runtime"],
        ["No such image: a:1", "pull or build it"],
    ])("%s: with a remedy", (message, remedy) => {
        const error = explain({ statusCode: 404, json: { message }, message: "" }, asked);
        expect(error).toBeInstanceOf(DockerError);
        expect(error.message).toContain(`the container c can't be started: ${message}; `);
        expect(error.message).toContain(remedy);
    });
    test("others stay what they are", () => {
        const mine = Object.assign(new Error("no such file"), { code: "ENOENT", syscall: "open" });
        expect(explain(mine, asked)).toBe(mine);
        expect(isUnreachable(mine)).toBe(false);
        expect(isUnreachable(Object.assign(new Error(), { code: "ENOENT", syscall: "connect" }))).toBe(true);
        expect(
            isGone({
                statusCode: 409,
                json: { message: "can not get logs from container which is dead or marked for removal" },
            }),
        ).toBe(true);
        expect(isGone({ statusCode: 409, json: { message: "something else" } })).toBe(false);
    });
});

test("a digest is that of the repository that was named", () => {
    const digests = ["mirror.example:5000/python@sha256:b", "python@sha256:a"];
    expect(digestOf("python:3.12", digests)).toBe("python@sha256:a");
    expect(digestOf("docker.io/library/python", digests)).toBe("python@sha256:a");
    expect(digestOf("mirror.example:5000/python:1", digests)).toBe("mirror.example:5000/python@sha256:b");
    expect(digestOf("other", [])).toBeUndefined();
});

describe(".dockerignore", () => {
    const out = (text: string, name: string) => DockerIgnore.parse(text).leavesOut(name);
    test.each([
        ["a", "a", true],
        ["a", "a/b/c", true],
        ["a", "b/a", false],
        ["/a/", "a/b", true],
        ["*.log", "x.log", true],
        ["*.log", "a/x.log", false],
        ["**/*.log", "a/b/x.log", true],
        ["**/*.log", "x.log", true],
        ["a/**/c", "a/c", true],
        ["a/**/c", "a/x/y/c", true],
        ["a?c", "abc", true],
        ["[ab].txt", "b.txt", true],
        ["a\n!a/keep", "a/keep", false],
        ["a\n!a/keep\na/keep", "a/keep", true],
        ["# a\n\n b ", "b", true],
        ["# a", "# a", false],
        ["a.b", "axb", false],
    ])("%j says of %s: left out %p", (text, name, wanted) => {
        expect(out(text, name)).toBe(wanted);
    });
});

describe("the hash of a build", () => {
    const folder = useFolder();
    const hash = (more: object = {}) =>
        buildHash({ context: folder(), dockerfile: path.join(folder(), "Dockerfile"), args: {}, ...more });
    const write = (name: string, text: string, mode = 0o644) => {
        fs.mkdirSync(path.dirname(path.join(folder(), name)), { recursive: true });
        fs.writeFileSync(path.join(folder(), name), text, { mode });
    };

    test("changes with what goes into the image, and with nothing else", async () => {
        write("Dockerfile", "FROM a\n");
        write("src/a", "1");
        write(".dockerignore", "out\n!out/keep\n");
        const first = await hash();
        write("out/x", "1");
        expect(await hash()).toBe(first);
        fs.utimesSync(path.join(folder(), "src/a"), 1, 1);
        expect(await hash()).toBe(first);
        const seen = new Set([first]);
        const changes: (() => unknown)[] = [
            () => write("out/keep", "1"),
            () => write("src/a", "2"),
            () => fs.chmodSync(path.join(folder(), "src/a"), 0o755),
            () => fs.symlinkSync("a", path.join(folder(), "src/b")),
            () => write("Dockerfile", "FROM b\n"),
        ];
        for (const change of changes) {
            change();
            seen.add(await hash());
        }
        for (const more of [{ args: { A: "1" } }, { target: "t" }, { platform: "linux/arm64" }]) {
            seen.add(await hash(more));
        }
        expect(seen.size).toBe(1 + changes.length + 3);
        expect(await hash({ args: { A: "1", B: "2" } })).toBe(await hash({ args: { B: "2", A: "1" } }));
    });
});

describe("what comes out of a container", () => {
    const folder = useFolder();
    const unpacked = async (...entries: [object, string?][]) => {
        const archive = pack();
        entries.forEach(([header, text]) =>
            text === undefined ? archive.entry(header as never) : archive.entry(header as never, text),
        );
        archive.finalize();
        const target = path.join(folder(), "new");
        fs.mkdirSync(target);
        await unpack(archive as unknown as NodeJS.ReadableStream, target);
        return target;
    };

    test("is unpacked: files, folders, links that stay inside", async () => {
        const at = await unpacked(
            [{ name: "d/", type: "directory" }],
            [{ name: "d/link", type: "symlink", linkname: "file" }],
            [{ name: "d/file", mode: 0o711 }, "text"],
            [{ name: "d/hard", type: "link", linkname: "d/file" }],
            [{ name: "d/out", type: "symlink", linkname: "../../secret" }],
            [{ name: "d/root", type: "symlink", linkname: "/etc/passwd" }],
            [{ name: "d/pipe", type: "fifo" }],
        );
        expect(fs.readdirSync(path.join(at, "d")).sort()).toEqual(["file", "hard", "link"]);
        expect(fs.readFileSync(path.join(at, "d/link"), "utf8")).toBe("text");
        expect(fs.readFileSync(path.join(at, "d/hard"), "utf8")).toBe("text");
        expect(fs.statSync(path.join(at, "d/file")).mode & 0o777).toBe(0o755);
    });

    test.each(["../x", "/x", "a/../../x"])("never gets outside of its folder: %s", async (name) => {
        await expect(unpacked([{ name }, "text"])).rejects.toThrow("outside of its folder");
        expect(fs.existsSync(path.join(folder(), "x"))).toBe(false);
    });
});
