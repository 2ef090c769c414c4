import * as net from "node:net";
import { endOfJob, logOfJob, podOfJob, shellJob } from "../support/kubernetes/jobs";
import { describeKubernetes } from "../support/kubernetes/lane";
import { IMAGES } from "../support/images/ensureImages";
import { until } from "../support/project";

describeKubernetes("the test cluster", (bed) => {
    const namespace = "bed-test";
    const create = (job: ReturnType<typeof shellJob>, place = namespace) => bed.create(job, place);

    beforeAll(async () => {
        await bed.deleteNamespace(namespace);
        await bed.createNamespace(namespace);
    });
    afterAll(() => bed.deleteNamespace(namespace));

    test("a Job completes, and its log can be read", async () => {
        await create(shellJob("hello", "echo one; echo two >&2; id -u"));

        expect(await endOfJob(bed, namespace, "hello")).toBe("Complete");
        expect((await logOfJob(bed, namespace, "hello")).split("\n").sort()).toEqual(["", "0", "one", "two"]);
    });

    test("a Job fails with its exit code", async () => {
        await create(shellJob("seven", "exit 7"));

        expect(await endOfJob(bed, namespace, "seven")).toBe("Failed");
        const pod = await podOfJob(bed, namespace, "seven", () => true);
        expect(pod.status?.containerStatuses?.[0].state?.terminated).toMatchObject({
            exitCode: 7,
            reason: "Error",
        });
    });

    test("the images without a shell and with Python are there", async () => {
        await create(shellJob("nosh", "", { image: IMAGES.nosh, command: ["/bin/sh", "-c", "true"] }));
        await create(
            shellJob("python", "", { image: IMAGES.debian, command: ["python3", "-c", "print(6 * 7)"] }),
        );

        expect(await endOfJob(bed, namespace, "python")).toBe("Complete");
        expect(await logOfJob(bed, namespace, "python")).toBe("42\n");
        const pod = await podOfJob(bed, namespace, "nosh", ({ status }) => status?.phase === "Failed");
        expect(pod.status?.containerStatuses?.[0].state?.terminated?.message).toContain("/bin/sh");
    });

    test("a container that takes too much memory is killed as OOMKilled", async () => {
        const limits = { memory: "32Mi" };
        await create(shellJob("greedy", "tail /dev/zero", { resources: { limits } }));

        expect(await endOfJob(bed, namespace, "greedy")).toBe("Failed");
        const pod = await podOfJob(bed, namespace, "greedy", () => true);
        expect(pod.status?.containerStatuses?.[0].state?.terminated?.reason).toBe("OOMKilled");
    });

    test("a pod reaches a server of this machine, until its packets are dropped", async () => {
        const server = net.createServer((socket) => socket.end("hello from the host"));
        await new Promise<void>((resolve) => server.listen(0, bed.hostIp, resolve));
        const { port } = server.address() as net.AddressInfo;
        // (Not with wget of the static busybox: its look-up of addresses crashes.)
        const fetch = (name: string) => {
            const line = `import socket; print(socket.create_connection(("${bed.hostIp}", ${port}), 3).recv(99).decode())`;
            return create(shellJob(name, "", { image: IMAGES.debian, command: ["python3", "-c", line] }));
        };
        try {
            await fetch("reach");
            expect(await endOfJob(bed, namespace, "reach")).toBe("Complete");
            expect(await logOfJob(bed, namespace, "reach")).toBe("hello from the host\n");

            const allow = await bed.dropTraffic(port);
            await fetch("dropped");
            expect(await endOfJob(bed, namespace, "dropped")).toBe("Failed");
            expect(await logOfJob(bed, namespace, "dropped")).toContain("timed out");

            await allow();
            await fetch("again");
            expect(await endOfJob(bed, namespace, "again")).toBe("Complete");
        } finally {
            server.close();
        }
    });

    test("a namespace with restricted Pod Security takes a restricted pod and refuses any other", async () => {
        const place = "bed-restricted";
        await bed.createNamespace(place, { "pod-security.kubernetes.io/enforce": "restricted" });
        try {
            const securityContext = {
                runAsNonRoot: true,
                runAsUser: 65534,
                allowPrivilegeEscalation: false,
                capabilities: { drop: ["ALL"] },
                seccompProfile: { type: "RuntimeDefault" },
            };
            await create(shellJob("modest", "id -u", { securityContext }), place);
            expect(await endOfJob(bed, place, "modest")).toBe("Complete");
            expect(await logOfJob(bed, place, "modest")).toBe("65534\n");

            const pod = { metadata: { name: "bold" }, spec: shellJob("bold", "true").spec?.template.spec };
            await expect(bed.create({ apiVersion: "v1", kind: "Pod", ...pod }, place)).rejects.toThrow(
                /violates PodSecurity/,
            );
        } finally {
            await bed.deleteNamespace(place);
        }
    });

    test("a container runs on while the kubelet and the API server are away", async () => {
        const line = "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do echo $i; sleep 1; done";
        await create(shellJob("counts", line));
        await podOfJob(bed, namespace, "counts", ({ status }) => status?.phase === "Running");

        await bed.stopKubelet();
        await expect(bed.kubectl("logs", "job/counts", "--namespace", namespace)).rejects.toThrow(/refused/);
        await bed.restartApiserver();
        await bed.startKubelet();

        expect(await endOfJob(bed, namespace, "counts")).toBe("Complete");
        const log = (await logOfJob(bed, namespace, "counts")).trim().split("\n");
        expect(log).toEqual(Array.from({ length: 20 }, (_, index) => String(index + 1)));
        const pod = await podOfJob(bed, namespace, "counts", () => true);
        expect(pod.status?.containerStatuses?.[0].restartCount).toBe(0);
    });

    test("a drained node takes no pods until it is uncordoned", async () => {
        await create(shellJob("moved", "sleep 3600", {}, { backoffLimit: 3 }));
        const first = await podOfJob(bed, namespace, "moved", ({ status }) => status?.phase === "Running");

        await bed.drain(bed.node, namespace);
        try {
            const second = await podOfJob(
                bed,
                namespace,
                "moved",
                ({ metadata, status }) =>
                    metadata?.uid !== first.metadata?.uid && status?.phase === "Pending",
            );
            const unschedulable = () =>
                podOfJob(bed, namespace, "moved", ({ status }) =>
                    (status?.conditions ?? []).some(({ reason }) => reason === "Unschedulable"),
                );
            expect((await unschedulable()).metadata?.uid).toBe(second.metadata?.uid);
        } finally {
            await bed.uncordon();
        }
        await podOfJob(bed, namespace, "moved", ({ status }) => status?.phase === "Running");
    });

    test("what belongs to a deleted Job is gone, to the container's files", async () => {
        await create(shellJob("shortlived", "sleep 3600"));
        const pod = await podOfJob(bed, namespace, "shortlived", ({ status }) => status?.phase === "Running");

        await bed.kubectl("delete", "job", "shortlived", "--namespace", namespace, "--cascade=foreground");

        const containers = () =>
            bed.inside("ctr", "-a", `${bed.dir}/run/containerd.sock`, "-n", "k8s.io", "containers", "ls");
        const id = pod.status?.containerStatuses?.[0].containerID?.replace("containerd://", "") as string;
        expect(id).toMatch(/^[0-9a-f]{64}$/);
        await until(
            async () => !(await containers()).includes(id),
            60_000,
            () => `the removal of container ${id}`,
        );
    });
});
