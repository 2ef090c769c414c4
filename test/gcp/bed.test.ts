import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import type { BackendName } from "../support/gcp/machines/backends";
import type { GcpBed } from "../support/gcp/bed";
import { ask, operate, seenOnSerialPort, spotInstance, zonePath } from "../support/gcp/client";
import { describeGcp } from "../support/gcp/lane";
import { ensureImages, IMAGES } from "../support/images/ensureImages";
import { until } from "../support/project";

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
                    'echo "boot $count preempted $(md instance/preempted) $(cat /var/lib/farewell 2>/dev/null)"',
                    'echo "notice $(md "instance/preempted?wait_for_change=true")"',
                ),
                "shutdown-script": script(
                    'echo "shutdown preempted $(md instance/preempted)" | tee /var/lib/farewell',
                    "sync",
                ),
            });
            await seenOnSerialPort(bed(), "spot", "boot 0 preempted FALSE", 240_000);
            const began = Date.now();
            await bed().preempt("spot");
            expect(Date.now() - began).toBeLessThan(33_000);
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

        test("runs containers, and switches itself off", async () => {
            const image = await ensureImages(["busybox"]);
            const url = await serveFile(bed(), image.busybox);
            await boot("docker", {
                "startup-script": script(
                    `curl -sf ${url} | docker load`,
                    `docker run --rm ${IMAGES.busybox} sh -c 'echo container on $(uname -s)'`,
                    `docker run --rm ${IMAGES.busybox} wget -q -O - --header Metadata-Flavor:Google http://169.254.169.254/computeMetadata/v1/instance/name`,
                    "poweroff",
                ),
            });
            await seenOnSerialPort(bed(), "docker", "container on Linux", 300_000);
            await until(
                () => status("docker") === "TERMINATED",
                60_000,
                () => `the machine to be off:\n${bed().instance("docker").serial.text.slice(-3000)}`,
            );
            const types = bed().operations.list.map(({ operationType }) => operationType);
            expect(types).toContain("compute.instances.guestTerminate");
            await remove("docker");
            expect(bed().contents()).toMatchObject({ instances: [], disks: [] });
        });
    });
});

/** A file over HTTP; the address as instances see it. */
async function serveFile(bed: GcpBed, file: string): Promise<string> {
    const server = http.createServer((_, response) => fs.createReadStream(file).pipe(response));
    server.unref();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return bed.expose(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}
