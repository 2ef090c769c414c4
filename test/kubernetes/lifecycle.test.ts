import { execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { KubernetesBed, startCluster } from "../support/kubernetes/bed";
import { describeKubernetes } from "../support/kubernetes/lane";
import { REPO, until } from "../support/project";

const SCRIPT = path.join(REPO, "test/support/kubernetes/cluster.sh");

/** Everything of one cluster, and everything of any cluster that is outside of its namespaces, on this machine. */
function traces(bed: KubernetesBed): string[] {
    const lines = (command: string, ...args: string[]) =>
        execFileSync(command, args, { encoding: "utf8", maxBuffer: 64 << 20 })
            .split("\n")
            .filter(Boolean);
    const number = bed.hostIp.split(".")[2];
    const processes = lines("ps", "-eo", "pid,args").filter((line) => line.includes(bed.dir));
    return [
        ...processes.filter((line) => !/ ps -eo /.test(line)).map((line) => `process ${line}`),
        ...lines("cat", "/proc/mounts").filter((line) => line.includes(bed.dir)),
        ...lines("ip", "-o", "link").filter((line) => line.includes(`stackrun-k${number}@`)),
        ...lines("find", "/sys/fs/cgroup", "-maxdepth", "2", "-name", `stackrun-k8s-${number}`),
        ...lines("iptables-save").filter((line) => /KUBE-|CNI-/.test(line)),
        ...[bed.dir, "/var/lib/cni/results", "/var/lib/kubelet", "/run/netns/cni-"].filter((file) =>
            fs.existsSync(file),
        ),
    ];
}

function up(owner: number): KubernetesBed {
    const env = { ...process.env, OWNER: String(owner) };
    return new KubernetesBed(execFileSync(SCRIPT, ["up"], { encoding: "utf8", env }).trim());
}

describeKubernetes("a cluster's life", (bed) => {
    test("a second cluster beside the first one, with settings of its own, leaves nothing behind", async () => {
        const second = await startCluster({ logMaxSize: "64Ki", logMaxFiles: 3 });
        try {
            expect(second.hostIp).not.toBe(bed.hostIp);
            const settings = await second.kubectl("get", "--raw", "/api/v1/nodes/node/proxy/configz");
            expect(JSON.parse(settings).kubeletconfig).toMatchObject({
                containerLogMaxSize: "64Ki",
                containerLogMaxFiles: 3,
            });
            await expect(second.loadImage("/no/such.tar", "x")).rejects.toThrow("/no/such.tar");
            await second.kubectl("run", "idle", "--image=stackrun.test/pause:1", "--image-pull-policy=Never");
            await second.kubectl("wait", "--for=condition=Ready", "pod/idle", "--timeout=60s");
            const found = traces(second).join("\n");
            for (const trace of ["containerd-shim", "kubelet", "stackrun-k", "/sys/fs/cgroup/"]) {
                expect(found).toContain(trace);
            }
        } finally {
            await second.stop();
        }

        expect(traces(second)).toEqual([]);
        expect(await bed.kubectl("get", "nodes")).toContain(" Ready");
    });

    test("a cluster whose owner was killed is swept away by the next start", async () => {
        const owner = spawn("sleep", ["3600"], { stdio: "ignore" });
        const orphan = up(owner.pid as number);
        execFileSync(SCRIPT, ["sweep"]);
        expect(await orphan.kubectl("get", "nodes")).toContain(" Ready");

        owner.kill("SIGKILL");
        await until(
            () => owner.signalCode !== null,
            10_000,
            () => "the owner's end",
        );
        execFileSync(SCRIPT, ["sweep"], { stdio: "pipe" });

        expect(traces(orphan)).toEqual([]);
        expect(await bed.kubectl("get", "nodes")).toContain(" Ready");
    });
});
