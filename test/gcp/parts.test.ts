import { filterOf } from "../support/gcp/api/filter";
import { SerialPort } from "../support/gcp/compute/serialPort";
import { conditionedBy, holds } from "../support/gcp/iam/conditions";
import { Policies } from "../support/gcp/iam/policies";
import { MetadataServer } from "../support/gcp/metadata/server";
import type { Node } from "../support/gcp/metadata/tree";

describe("a serial port", () => {
    test("is read from a position on, or from the end", () => {
        const port = new SerialPort();
        port.write(Buffer.from("hello "));
        port.write(Buffer.from("world"));
        expect(port.read(0)).toEqual({ contents: "hello world", start: "0", next: "11" });
        expect(port.read(6)).toEqual({ contents: "world", start: "6", next: "11" });
        expect(port.read(-3)).toEqual({ contents: "rld", start: "8", next: "11" });
        expect(port.read(11)).toEqual({ contents: "", start: "11", next: "11" });
        expect(port.read(99)).toEqual({ contents: "", start: "11", next: "11" });
    });

    test("keeps its last bytes, and says where what is left begins", () => {
        const port = new SerialPort(10);
        port.write(Buffer.from("0123456789abc"));
        expect(port.read(0)).toEqual({ contents: "3456789abc", start: "3", next: "13" });
        expect(port.read(-100)).toEqual({ contents: "3456789abc", start: "3", next: "13" });
        expect(port.read(5)).toEqual({ contents: "56789abc", start: "5", next: "13" });
    });

    test("keeps a character whole", () => {
        const port = new SerialPort();
        port.write(Buffer.from("a…").subarray(0, 3));
        expect(port.read(0)).toEqual({ contents: "a", start: "0", next: "1" });
        port.write(Buffer.from("…").subarray(2));
        expect(port.read(1)).toEqual({ contents: "…", start: "1", next: "4" });
    });
});

describe("a filter of a list", () => {
    const item = { name: "one", status: "RUNNING", labels: { run: "abc" } };
    test.each([
        [null, true],
        ["status=RUNNING", true],
        ['status = "STOPPING"', false],
        ["status != STOPPING", true],
        ["labels.run:ab", true],
        ["labels.other:*", false],
        ["name eq o.*", true],
        ['(status="RUNNING") (name="two")', false],
        ['(status="RUNNING") AND (name="one")', true],
    ])("%s: %s", (filter, matches) => expect(filterOf(filter)(item)).toBe(matches));

    test("refuses what it does not understand", () => {
        expect(() => filterOf("status RUNNING")).toThrow("Invalid list filter");
    });
});

describe("policies", () => {
    const policies = new Policies((member) => member === "serviceAccount:a");
    const bind = (role: string, expression?: string) =>
        policies.set("b/x", {
            version: 3,
            bindings: [
                {
                    role,
                    members: ["serviceAccount:a"],
                    ...(expression && { condition: { title: "t", expression } }),
                },
            ],
        });
    const may = (permission: string, name: string, listPrefix?: string) =>
        policies.allows("serviceAccount:a", permission, ["b/x"], { name, listPrefix });

    test("allow what a role has, where its condition holds", () => {
        bind(
            "roles/storage.objectViewer",
            'resource.name.startsWith("projects/_/buckets/x/objects/p/") || api.getAttribute("storage.googleapis.com/objectListPrefix", "").startsWith("p/")',
        );
        expect(may("storage.objects.get", "projects/_/buckets/x/objects/p/1")).toBe(true);
        expect(may("storage.objects.get", "projects/_/buckets/x/objects/q/1")).toBe(false);
        expect(may("storage.objects.list", "projects/_/buckets/x", "p/")).toBe(true);
        expect(may("storage.objects.list", "projects/_/buckets/x", "")).toBe(false);
        expect(may("storage.objects.create", "projects/_/buckets/x/objects/p/1")).toBe(false);
    });

    test("refuse roles, members and conditions that they do not know, and an old etag", () => {
        expect(() => bind("roles/storage.objectReader")).toThrow("is not supported");
        expect(() => bind("roles/storage.objectViewer", "request.time < 3")).toThrow(
            "does not know the condition",
        );
        expect(() =>
            policies.set("b/x", {
                bindings: [{ role: "roles/storage.admin", members: ["serviceAccount:b"] }],
            }),
        ).toThrow("Service account b does not exist");
        expect(() => policies.set("b/x", { etag: "old", bindings: [] })).toThrow("concurrent policy changes");
    });
});

describe("a condition", () => {
    const vm = conditionedBy("projects/p/zones/z/instances/vm/stop", "42");
    test.each([
        ['resource.name == "projects/p/zones/z/instances/vm"', true],
        ["resource.name != 'projects/p/zones/z/instances/vm'", false],
        ['resource.name.endsWith("/vm") && resource.type == "compute.googleapis.com/Instance"', true],
        ['resource.name.endsWith("/vm") && resource.type == "compute.googleapis.com/Disk"', false],
        ['(resource.name == "a || b") || (resource.service == "compute.googleapis.com")', true],
        ['resource.name == "x" || resource.name == "y" && resource.name.endsWith("/vm")', false],
    ])("%s: %s", (expression, expected) => expect(holds(expression, vm)).toBe(expected));

    test.each([
        ["projects/p/zones/z/instanceGroupManagers/g/resize", { name: "" }],
        ["projects/p/zones/z/operations/o", { name: "" }],
        ["projects/p/zones/z/instances", { name: "" }],
        [
            "projects/p/global/instanceTemplates/t",
            {
                name: "projects/p/global/instanceTemplates/t",
                type: "compute.googleapis.com/InstanceTemplate",
            },
        ],
        [
            "projects/p/secrets/s/versions/1",
            { name: "projects/42/secrets/s/versions/1", type: "secretmanager.googleapis.com/SecretVersion" },
        ],
    ])("sees of %s what Google has of it", (path, expected) =>
        expect(conditionedBy(path, "42")).toEqual(expected),
    );

    test("that is not known is refused", () => {
        expect(() => holds('resource.name.matches("x")', vm)).toThrow("does not know the condition");
        expect(() => holds('resource.name == "x" || 1 < 2', vm)).toThrow("does not know the condition");
    });
});

describe("a metadata server", () => {
    let tree: Record<string, Node>;
    let server: MetadataServer;
    let url: string;

    beforeEach(async () => {
        tree = {
            instance: {
                id: "1234567890123456789",
                attributes: { "my-key": "v" },
                "machine-type": "t",
                preempted: "FALSE",
                disks: [{ "device-name": "d" }],
            },
        };
        server = new MetadataServer({
            tree: () => tree,
            token: (account) => (account === "default" ? { access_token: "x", expires_in: 10 } : undefined),
            guestAttributesEnabled: () => false,
            skewMs: () => 3600_000,
        });
        url = `http://127.0.0.1:${await server.listen()}/computeMetadata/v1`;
    });
    afterEach(() => server.close());

    const get = (path: string, headers: Record<string, string> = { "Metadata-Flavor": "Google" }) =>
        fetch(`${url}/${path}`, { headers, redirect: "manual" });
    const text = async (path: string) => (await get(path)).text();

    test("shows values, folders, and all as JSON with other names", async () => {
        expect(await text("instance/machine-type")).toBe("t");
        expect(await text("instance/")).toBe("id\nattributes/\nmachine-type\npreempted\ndisks/\n");
        expect((await get("instance")).status).toBe(301);
        expect((await get("instance/nothing")).status).toBe(404);
        expect(await text("instance/?recursive=true")).toBe(
            '{"id":1234567890123456789,"attributes":{"my-key":"v"},"machineType":"t","preempted":"FALSE","disks":[{"deviceName":"d"}]}',
        );
        expect(await text("instance/disks/?recursive=true&alt=text")).toBe("0/device-name d\n");
    });

    test("answers only who says that it means it", async () => {
        expect((await get("instance/id", {})).status).toBe(403);
        expect(
            (await get("instance/id", { "Metadata-Flavor": "Google", "X-Forwarded-For": "1.2.3.4" })).status,
        ).toBe(403);
        expect((await get("instance/service-accounts/other/token")).status).toBe(404);
        expect(await (await get("instance/service-accounts/default/token")).json()).toEqual({
            access_token: "x",
            expires_in: 10,
            token_type: "Bearer",
        });
        const refused = await fetch(`${url}/instance/guest-attributes/a/b`, {
            method: "PUT",
            body: "x",
            headers: { "Metadata-Flavor": "Google" },
        });
        expect(refused.status).toBe(403);
    });

    test("tells a change when it happens, at once if it has happened already, or in the end that there was none", async () => {
        const etag = (await get("instance/preempted")).headers.get("etag");
        const waiting = text(`instance/preempted?wait_for_change=true&last_etag=${etag}`);
        const other = text(`instance/machine-type?wait_for_change=true&timeout_sec=1`);
        (tree.instance as Record<string, Node>).preempted = "TRUE";
        server.changed();
        expect(await waiting).toBe("TRUE");
        expect(await text(`instance/preempted?wait_for_change=true&last_etag=${etag}`)).toBe("TRUE");
        expect(await other).toBe("t");
    });

    test("tells a time that may be another one", async () => {
        const date = Date.parse((await get("instance/id")).headers.get("date") ?? "");
        expect(Math.abs(date - Date.now() - 3600_000)).toBeLessThan(60_000);
    });
});
