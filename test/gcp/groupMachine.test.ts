import { ask, seenOnSerialPort } from "../support/gcp/client";
import { GroupClient } from "../support/gcp/groupClient";
import { describeGcp } from "../support/gcp/lane";

jest.setTimeout(600_000);

const METADATA = "http://metadata.google.internal/computeMetadata/v1";
const script = (...lines: string[]) =>
    ["#!/bin/bash", `md() { curl -sf -H Metadata-Flavor:Google "${METADATA}/$1"; }`, ...lines].join("\n");

describeGcp("a machine of a managed group", { backend: "container", groups: { repairMs: 500 } }, (bed) => {
    test("is made anew with an empty disk when it is preempted, and ends its group by a role of its own", async () => {
        const groups = new GroupClient(bed());
        const role = {
            title: "Ends its group",
            includedPermissions: ["compute.instanceGroupManagers.update"],
        };
        const roles = `/v1/projects/${bed().project}/roles`;
        await ask(bed(), "POST", roles, { roleId: "groupEnder", role });
        const members = [`serviceAccount:${bed().accounts.builtIn}`];
        const name = `projects/${bed().project}/roles/groupEnder`;
        bed().policies.set("project", { bindings: [{ role: name, members }] });
        const resize = `${bed().fromInstance(bed().url)}${groups.path("crew", "resize?size=0")}`;
        await groups.template(
            "one",
            {},
            {
                "startup-script": script(
                    "count=$(cat /var/lib/count 2>/dev/null || echo 0)",
                    "echo $((count + 1)) >/var/lib/count",
                    "sync",
                    'echo "boot $count of $(md instance/attributes/created-by)"',
                    "md project/attributes/end || { echo nothing to do; exit 0; }",
                    "token=$(md instance/service-accounts/default/token | cut -d '\"' -f 4)",
                    `curl -s -o /dev/null -X POST -H "Authorization: Bearer $token" "${resize}"`,
                ),
            },
        );
        await groups.insert("crew");
        await groups.stable("crew");
        const first = groups.only;
        const boot = `boot 0 of projects/${bed().projectNumber}/zones/us-central1-a/instanceGroupManagers/crew`;
        await seenOnSerialPort(bed(), first.name, boot, 240_000);
        await seenOnSerialPort(bed(), first.name, "nothing to do", 240_000);
        bed().world.projectAttributes.set("end", "now");
        await bed().preempt(first.name);
        expect(first.status).toBe("TERMINATED");
        await groups.another(first.id);
        const second = groups.only;
        expect(second.name).toBe(first.name);
        await seenOnSerialPort(bed(), second.name, boot, 240_000);
        await groups.sized("crew", 0);
        await groups.stable("crew");
        expect(bed().contents()).toMatchObject({ instances: [], disks: [], groups: ["us-central1-a/crew"] });
        await groups.clean();
    });
});
