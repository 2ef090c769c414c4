import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { BackendName } from "../support/gcp/machines/backends";
import { ask, operate, seenOnSerialPort, spotInstance, zonePath } from "../support/gcp/client";
import { describeGcp } from "../support/gcp/lane";
import { commandLineOf } from "../support/processes";
import { REPO, until } from "../support/project";

// A virtual machine boots in half a minute, where nothing else runs.
jest.setTimeout(600_000);

const METADATA = "http://metadata.google.internal/computeMetadata/v1";

/** A startup script, with a function to ask the metadata server. */
const script = (...lines: string[]) =>
    ["#!/bin/bash", `md() { curl -sf -H Metadata-Flavor:Google "${METADATA}/$1"; }`, ...lines].join("\n");

describe.each<BackendName>(["container", "vm"])("a %s", (backend) => {
    describeGcp("as an instance", { backend }, (bed) => {
        const boot = async (name: string, metadata: Record<string, string>, more: object = {}) => {
            const body = spotInstance(bed(), name, metadata, more);
            const operation = await operate(bed(), "POST", zonePath(bed(), "instances"), body);
            expect(operation.error).toBeUndefined();
        };
        // What a test that failed has left.
        afterEach(async () => {
            await Promise.all(bed().instances.list.map(({ name }) => bed().powerCut(name)));
            await Promise.all(bed().instances.list.map(({ name }) => remove(name)));
        });

        const remove = (name: string) => operate(bed(), "DELETE", zonePath(bed(), `instances/${name}`));
        const status = (name: string) => bed().instance(name).status;

        test("runs its startup script, which reads metadata, gets a token and reaches the APIs", async () => {
            await boot("reader", {
                greeting: "hello",
                "enable-guest-attributes": "TRUE",
                "startup-script": script(
                    'echo "greeting $(md instance/attributes/greeting)"',
                    'echo "name $(md instance/name) $(md instance/id) $(md instance/zone) $(md instance/hostname)"',
                    `echo "without header $(curl -s -o /dev/null -w '%{http_code}' ${METADATA}/instance/name)"`,
                    "token=$(md instance/service-accounts/default/token | cut -d '\"' -f 4)",
                    `echo "storage $(curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $token" ${bed().fromInstance(bed().url)}/storage/v1/b/nothing/o)"`,
                    `curl -sf -X PUT -H Metadata-Flavor:Google -d done ${METADATA}/instance/guest-attributes/run/state`,
                    'echo "script ends"',
                ),
            });
            const output = await seenOnSerialPort(bed(), "reader", "script ends", 240_000);
            const { id } = bed().instance("reader");
            expect(output).toContain("greeting hello");
            expect(output).toContain(
                `name reader ${id} projects/${bed().projectNumber}/zones/us-central1-a reader.us-central1-a.c.${bed().project}.internal`,
            );
            expect(output).toContain("without header 403");
            // Who it is, is known; what it asks for, nobody has allowed it.
            expect(output).toContain("storage 403");
            const attributes = await ask(
                bed(),
                "GET",
                zonePath(bed(), "instances/reader/getGuestAttributes?queryPath=run/"),
            );
            expect(attributes.body.queryValue.items).toEqual([
                { namespace: "run", key: "state", value: "done" },
            ]);
            const port = zonePath(bed(), "instances/reader/serialPort?start=-12");
            expect((await ask(bed(), "GET", port)).body.contents).toHaveLength(12);
            await remove("reader");
        });

        test("is preempted: the flag, the power button, the shutdown script; and goes on with its disk", async () => {
            const count = [
                "count=$(cat /var/lib/count 2>/dev/null || echo 0)",
                "echo $((count + 1)) >/var/lib/count",
                "sync",
            ];
            await boot("spot", {
                "startup-script": script(
                    ...count,
                    `flag=${METADATA}/instance/preempted`,
                    'echo "boot $count preempted $(curl -sf -D /tmp/head -H Metadata-Flavor:Google "$flag") $(cat /var/lib/farewell 2>/dev/null)"',
                    "etag=$(grep -i '^etag' /tmp/head | tr -d '\\r' | cut -d ' ' -f 2)",
                    'echo "notice $(md "instance/preempted?wait_for_change=true&last_etag=$etag")"',
                ),
                "shutdown-script": script(
                    'echo "shutdown preempted $(md instance/preempted)" | tee /var/lib/farewell',
                    "sync",
                ),
            });
            await seenOnSerialPort(bed(), "spot", "boot 0 preempted FALSE", 240_000);
            const began = Date.now();
            // The flag comes a little earlier than the power button, so that who waits for it can say so on a slow machine.
            await bed().preempt("spot", 3000);
            expect(Date.now() - began).toBeLessThan(36_000);
            expect(status("spot")).toBe("TERMINATED");
            expect(bed().instance("spot").serial.text).toContain("notice TRUE");
            expect(bed().instance("spot").serial.text).toContain("shutdown preempted TRUE");
            await operate(bed(), "POST", zonePath(bed(), "instances/spot/start"));
            await seenOnSerialPort(bed(), "spot", "boot 1 preempted FALSE shutdown preempted TRUE", 240_000);

            await bed().powerCut("spot");
            expect(status("spot")).toBe("TERMINATED");
            await operate(bed(), "POST", zonePath(bed(), "instances/spot/start"));
            await seenOnSerialPort(bed(), "spot", "boot 2 preempted FALSE", 240_000);
            await remove("spot");
        });

        test("hangs while it is frozen, and is RUNNING all the same", async () => {
            await boot("clock", {
                "startup-script": script("for n in $(seq 10000); do echo tick $n; sleep 0.2; done"),
            });
            await seenOnSerialPort(bed(), "clock", "tick 3", 240_000);
            bed().freeze("clock");
            await sleep(500);
            const frozen = bed().instance("clock").serial.text;
            await sleep(2000);
            expect(bed().instance("clock").serial.text).toBe(frozen);
            expect(status("clock")).toBe("RUNNING");
            bed().thaw("clock");
            const [, last] = /tick (\d+)\s*$/.exec(frozen) ?? [];
            await seenOnSerialPort(bed(), "clock", `tick ${Number(last) + 2}`, 60_000);
        });

        test("pulls an image with its identity, runs it, and switches itself off", async () => {
            const image = await bed().image("busybox");
            const { builtIn } = bed().accounts;
            bed().policies.set("project", {
                bindings: [{ role: "roles/artifactregistry.reader", members: [`serviceAccount:${builtIn}`] }],
            });
            await boot("docker", {
                "startup-script": script(
                    `docker pull ${image} >/dev/null 2>&1 || echo "nobody may not pull"`,
                    "token=$(md instance/service-accounts/default/token | cut -d '\"' -f 4)",
                    `echo "$token" | docker login -u oauth2accesstoken --password-stdin ${image.split("/")[0]}`,
                    `docker run --rm ${image} sh -c 'echo container on $(uname -s)'`,
                    `docker run --rm ${image} wget -q -O - --header Metadata-Flavor:Google http://169.254.169.254/computeMetadata/v1/instance/name`,
                    "poweroff",
                ),
            });
            const output = await seenOnSerialPort(bed(), "docker", "container on Linux", 300_000);
            expect(output).toContain("nobody may not pull");
            expect(bed().requests.count("registry.blobs.get")).toBeGreaterThan(0);
            await until(
                () => status("docker") === "TERMINATED",
                60_000,
                () => `the machine to be off:\n${bed().instance("docker").serial.text.slice(-3000)}`,
            );
            const types = bed().operations.list.map(({ operationType }) => operationType);
            expect(types).toContain("compute.instances.guestTerminate");
            await remove("docker");
            bed().policies.forget("project");
            expect(bed().contents()).toMatchObject({ instances: [], disks: [] });
        });
    });
});

describeGcp("the end of a bed", { backend: "container" }, () => {
    test("is complete also when its owner is killed", async () => {
        const owner = await startOwner();
        expect(processesNaming(owner.dir).length).toBeGreaterThanOrEqual(2);
        process.kill(owner.pid, "SIGKILL");
        await until(
            () => !fs.existsSync(owner.dir) && processesNaming(owner.dir).length === 0,
            60_000,
            () => `the watchdog to remove ${owner.dir}`,
        );
        expect(fs.readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(owner.dir);
        expect(fs.existsSync(owner.namespace)).toBe(false);
        expect(fs.existsSync(path.join("/sys/fs/cgroup/systemd", path.basename(owner.namespace)))).toBe(
            false,
        );
    });
});

interface Owner {
    readonly pid: number;
    readonly dir: string;
    readonly namespace: string;
}

/** A process with a bed of its own, in which an instance runs. */
function startOwner(): Promise<Owner> {
    const script = `
        require(${JSON.stringify(path.join(REPO, "test/support/swcRegister.js"))});
        const { startGcp } = require(${JSON.stringify(path.join(REPO, "test/support/gcp/bed.ts"))});
        const { operate, spotInstance, zonePath } = require(${JSON.stringify(path.join(REPO, "test/support/gcp/client.ts"))});
        const { uniqueName } = require(${JSON.stringify(path.join(REPO, "test/support/gcp/machines/wipe.ts"))});
        (async () => {
            const bed = await startGcp({ backend: "container" });
            await operate(bed, "POST", zonePath(bed, "instances"), spotInstance(bed, "one"));
            const { world, id } = bed.instance("one");
            const namespace = "/run/netns/" + uniqueName(world.folder + "/" + id + "-1");
            console.log(JSON.stringify({ pid: process.pid, dir: require("path").dirname(world.folder), namespace }));
            setInterval(() => {}, 1000);
        })();
    `;
    const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    return new Promise((resolve, reject) => {
        child.once("exit", () => reject(new Error("the owner has ended")));
        child.stdout.once("data", (line: Buffer) => resolve(JSON.parse(line.toString("utf8")) as Owner));
    });
}

function processesNaming(dir: string): number[] {
    return fs
        .readdirSync("/proc")
        .map(Number)
        .filter((pid) => pid > 0 && commandLineOf(pid).includes(dir));
}
