import { execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { startCluster } from "../support/kubernetes/bed";
import { describeKubernetes } from "../support/kubernetes/lane";
import { REPO, until } from "../support/project";

const SCRIPT = path.join(REPO, "test/support/kubernetes/cluster.sh");

/** All that a cluster could leave on this machine, with the clusters that run anyway. */
function traces(): Record<string, string[]> {
    const lines = (command: string, ...args: string[]) =>
        execFileSync(command, args, { encoding: "utf8" }).split("\n").filter(Boolean);
    return {
        mounts: fs
            .readFileSync("/proc/mounts", "utf8")
            .split("\n")
            .map((line) => line.split(" ")[1]),
        links: lines("ip", "-o", "link").map((line) => line.split(": ")[1].split("@")[0]),
        iptables: lines("iptables-save").filter((line) => !line.startsWith("#") && !line.startsWith(":")),
        cgroups: lines("find", "/sys/fs/cgroup", "-maxdepth", "2", "-name", "stackrun-k8s-*"),
        namespaces: listFolder("/run/netns"),
        folders: listFolder(process.env.TMPDIR ?? "/tmp").filter((name) => name.startsWith("stackrun-k8s-")),
        shims: lines("ps", "-eo", "args")
            .filter((line) => /containerd-shim|kubelet|etcd/.test(line))
            .sort(),
        forwarding: [fs.readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8")],
    };
}

function listFolder(dir: string): string[] {
    return fs.existsSync(dir) ? fs.readdirSync(dir).sort() : [];
}

describeKubernetes("a cluster's life", (bed) => {
    test("a second cluster beside the first one, with settings of its own, leaves nothing behind", async () => {
        const before = traces();

        const second = await startCluster({ logMaxSize: "64Ki", logMaxFiles: 3 });
        try {
            expect(second.hostIp).not.toBe(bed.hostIp);
            const settings = await second.kubectl("get", "--raw", "/api/v1/nodes/node/proxy/configz");
            expect(JSON.parse(settings).kubeletconfig).toMatchObject({
                containerLogMaxSize: "64Ki",
                containerLogMaxFiles: 3,
            });
            await second.loadImage(path.join(second.dir, "pause-under-test.tar"), "x").then(
                () => expect("the load of a missing file").toBe("refused"),
                (error: Error) => expect(error.message).toContain("pause-under-test.tar"),
            );
            await second.kubectl("run", "idle", "--image=stackrun.test/pause:1", "--image-pull-policy=Never");
            await second.kubectl("wait", "--for=condition=Ready", "pod/idle", "--timeout=60s");
            expect(traces().shims.length).toBeGreaterThan(before.shims.length);
        } finally {
            await second.stop();
        }

        expect(traces()).toEqual(before);
    });

    test("a cluster whose owner was killed is swept away by the next start", async () => {
        const before = traces();
        const owner = spawn("sleep", ["3600"], { stdio: "ignore" });
        const dir = execFileSync(SCRIPT, ["up"], {
            encoding: "utf8",
            env: { ...process.env, OWNER: String(owner.pid) },
        }).trim();
        execFileSync(SCRIPT, ["sweep"]);
        expect(fs.existsSync(path.join(dir, "kubeconfig"))).toBe(true);

        owner.kill("SIGKILL");
        await until(
            () => owner.signalCode !== null,
            10_000,
            () => "the owner's end",
        );
        execFileSync(SCRIPT, ["sweep"]);

        expect(traces()).toEqual(before);
    });
});
