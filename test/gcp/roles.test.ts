import { ask, operate, spotInstance, zonePath } from "../support/gcp/client";
import { GroupClient } from "../support/gcp/groupClient";
import { describeGcp } from "../support/gcp/lane";

describeGcp("custom roles of a project", { groups: { repairMs: 20, retryMs: 50 } }, (bed) => {
    const roles = (below = "") => `/v1/projects/${bed().project}/roles${below}`;
    const permissions = ["compute.instanceGroupManagers.update", "compute.instances.stop"];
    const create = (roleId: string, includedPermissions = permissions) =>
        ask(bed(), "POST", roles(), { roleId, role: { title: "T", stage: "GA", includedPermissions } });
    const bind = (role: string, expression?: string) =>
        bed().policies.set("project", {
            version: 3,
            bindings: [
                {
                    role: `projects/${bed().project}/roles/${role}`,
                    members: [`serviceAccount:${bed().accounts.builtIn}`],
                    ...(expression && { condition: { title: "t", expression } }),
                },
            ],
        });
    const as = async (method: string, path: string) => {
        const { access_token: token } = bed().accounts.token(bed().accounts.builtIn);
        return (await ask(bed(), method, path, undefined, token)).status;
    };
    let count = 0;
    let role: string;

    beforeEach(async () => {
        role = `ender${++count}`;
        await create(role);
    });
    afterEach(() => bed().policies.forget("project"));

    test("are made, shown, changed, deleted, and had back", async () => {
        const name = `projects/${bed().project}/roles/${role}`;
        const get = async () => (await ask(bed(), "GET", roles(`/${role}`))).body;
        expect(await get()).toEqual({ name, title: "T", stage: "GA", includedPermissions: permissions });
        await ask(bed(), "PATCH", roles(`/${role}`), {
            title: "U",
            includedPermissions: ["compute.instances.get"],
        });
        expect(await get()).toMatchObject({
            title: "U",
            includedPermissions: ["compute.instances.get"],
            stage: "GA",
        });
        expect((await create(role)).status).toBe(409);
        expect(bed().contents().roles).toContain(role);
        await ask(bed(), "DELETE", roles(`/${role}`));
        expect(await get()).toMatchObject({ deleted: true });
        expect(bed().contents().roles).not.toContain(role);
        expect((await create(role)).body.error).toMatchObject({
            errors: [{ reason: "failedPrecondition" }],
            message: expect.stringContaining("marked for deletion"),
        });
        expect(() => bind(role)).toThrow("does not exist in the resource's hierarchy");
        expect((await ask(bed(), "POST", roles(`/${role}:undelete`))).status).toBe(200);
        expect(await get()).not.toHaveProperty("deleted");
    });

    test.each([
        ["a hyphen in its id", "group-ender", permissions, "role_id"],
        [
            "a permission that there is not",
            "ender",
            ["compute.instances.halt"],
            "Permission compute.instances.halt is not valid",
        ],
    ])("are refused with %s", async (_, id, includedPermissions, message) => {
        const { status, body } = await create(id, includedPermissions);
        expect([status, body.error.message]).toEqual([400, expect.stringContaining(message)]);
    });

    test("give what they have, as long as they are there", async () => {
        const groups = new GroupClient(bed());
        await groups.template("one");
        await groups.insert("crew");
        await groups.stable("crew");
        const resize = () => as("POST", groups.path("crew", "resize?size=0"));
        expect(await resize()).toBe(403);
        bind(role);
        expect(await as("GET", groups.path("crew"))).toBe(403);
        expect(await resize()).toBe(200);
        await groups.stable("crew");
        expect(bed().contents().instances).toEqual([]);
        await ask(bed(), "DELETE", roles(`/${role}`));
        expect(await resize()).toBe(403);
        await groups.clean();
    });

    // As Google has it: of Compute Engine's types, only some have a name in conditions, and groups are not among them.
    test("can be limited to an instance by its name, and not to a group", async () => {
        const groups = new GroupClient(bed());
        await groups.template("one");
        await groups.insert("crew", { targetSize: 0 });
        await operate(bed(), "POST", zonePath(bed(), "instances"), spotInstance(bed(), "vm-1"));
        await operate(bed(), "POST", zonePath(bed(), "instances"), spotInstance(bed(), "vm-2"));
        const below = `projects/${bed().project}/zones/us-central1-a`;
        const may = async (expression: string) => {
            bind(role, expression);
            return [
                await as("POST", groups.path("crew", "resize?size=0")),
                await as("POST", zonePath(bed(), "instances/vm-1/stop")),
                await as("POST", zonePath(bed(), "instances/vm-2/stop")),
            ];
        };
        const instance = `resource.name == "${below}/instances/vm-1"`;
        expect(await may(`resource.name == "${below}/instanceGroupManagers/crew"`)).toEqual([403, 403, 403]);
        expect(await may('resource.name.endsWith("/instanceGroupManagers/crew")')).toEqual([403, 403, 403]);
        expect(await may(instance)).toEqual([403, 200, 403]);
        const other = 'resource.type != "compute.googleapis.com/Instance"';
        expect(
            await may(`(${other}) || (resource.service == 'compute.googleapis.com' && ${instance})`),
        ).toEqual([200, 200, 403]);
        await operate(bed(), "DELETE", zonePath(bed(), "instances/vm-1"));
        await operate(bed(), "DELETE", zonePath(bed(), "instances/vm-2"));
        await groups.clean();
    });

    test("a policy with a condition is shown whole only to who asks for its third version", async () => {
        bind(role, 'resource.name == "x"');
        const path = `/v1/projects/${bed().project}:getIamPolicy`;
        const old = (await ask(bed(), "POST", path)).body;
        expect(old).toMatchObject({
            version: 1,
            bindings: [{ role: expect.stringContaining("_withcond_") }],
        });
        const whole = (await ask(bed(), "POST", path, { options: { requestedPolicyVersion: 3 } })).body;
        expect(whole).toMatchObject({
            version: 3,
            bindings: [{ condition: { expression: 'resource.name == "x"' } }],
        });
    });
});
