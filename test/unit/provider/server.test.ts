import * as grpc from "@grpc/grpc-js";
import { PluginAttach } from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { createProvider } from "../../../src/provider/plugin";
import { ProviderServer } from "../../../src/provider/server";
import { ProviderError, type ResourceHandler } from "../../../src/provider/handler";
import { decode, encode } from "../../../src/provider/values";
import { version } from "../../../src/version";
import { secretOf } from "../../support/wire";

const URN = "urn:pulumi:dev::p::acme:index:Outer$acme:index:Thing::name";

describe("the plugin's server", () => {
    let server: ProviderServer;
    let client: ResourceProviderClient;

    const handler: ResourceHandler = {
        check: ({ inputs }) =>
            inputs.value.bad === undefined ? [] : [{ property: "bad", reason: "is bad" }],
        diff: ({ inputs, oldInputs }) => {
            const changes = Object.keys(inputs).filter((key) => inputs[key] !== oldInputs[key]);
            return Promise.resolve({ changes, replace: inputs.replace === true });
        },
        create: ({ inputs, preview }) => {
            if (inputs.value.fail === "user") {
                return Promise.reject(new ProviderError("do this instead"));
            }
            if (inputs.value.fail === "defect") {
                return Promise.reject(new TypeError("x is undefined"));
            }
            return Promise.resolve({
                id: "id1",
                outputs: { preview, seen: inputs.value.password, gone: undefined },
            });
        },
        update: () => Promise.resolve({ outputs: {} }),
        read: ({ id }) => Promise.resolve(id === "gone" ? undefined : { outputs: { id } }),
        delete: () => Promise.resolve(),
    };

    async function connect(made: ProviderServer): Promise<void> {
        server = made;
        client = new ResourceProviderClient(
            `127.0.0.1:${await server.listen()}`,
            grpc.credentials.createInsecure(),
        );
    }
    beforeEach(() =>
        connect(
            new ProviderServer({ version: "1.2.3", schema: "{}", handlers: { "acme:index:Thing": handler } }),
        ),
    );
    afterEach(() => {
        client.close();
        server.close();
    });

    function call<Q, R>(
        method: (request: Q, callback: (error: grpc.ServiceError | null, response: R) => void) => unknown,
        request: Q,
    ) {
        return new Promise<R>((resolve, reject) =>
            method.call(client, request, (error, response) => (error ? reject(error) : resolve(response))),
        );
    }
    function request<T extends { setUrn(urn: string): unknown }>(
        made: T,
        change: (made: T) => void = () => undefined,
    ): T {
        made.setUrn(URN);
        change(made);
        return made;
    }
    const create = (properties: object, preview = false) =>
        call<proto.CreateRequest, proto.CreateResponse>(
            client.create,
            request(new proto.CreateRequest(), (made) => {
                made.setProperties(encode(properties));
                made.setPreview(preview);
            }),
        );

    it("takes secrets, and gives them unwrapped to the resource", async () => {
        const handshake = await call<proto.ProviderHandshakeRequest, proto.ProviderHandshakeResponse>(
            client.handshake,
            new proto.ProviderHandshakeRequest(),
        );
        expect(handshake.getAcceptSecrets()).toBe(true);
        const created = await create({ password: secretOf("s3cret") });
        expect(decode(created.getProperties()).value).toEqual({ preview: false, seen: "s3cret" });
        expect(created.getId()).toBe("id1");
    });

    it("previews a create: no id, what is known", async () => {
        const created = await create({}, true);
        expect(created.getId()).toBe("");
        expect(decode(created.getProperties()).value).toEqual({ preview: true });
    });

    it("names the property of a mistake, and hands the inputs back as they came, secrets too", async () => {
        const check = await call<proto.CheckRequest, proto.CheckResponse>(
            client.check,
            request(new proto.CheckRequest(), (made) =>
                made.setNews(encode({ bad: 1, password: secretOf("x") })),
            ),
        );
        expect(check.getFailuresList().map((failure) => failure.toObject())).toEqual([
            { property: "bad", reason: "is bad" },
        ]);
        expect([...decode(check.getInputs()).secrets]).toEqual(["password"]);
    });

    it.each([
        [{ a: 1 }, { a: 1 }, proto.DiffResponse.DiffChanges.DIFF_NONE, [], false],
        [{ a: 2 }, { a: 1 }, proto.DiffResponse.DiffChanges.DIFF_SOME, [], false],
        [
            { a: 2, replace: true },
            { a: 1, replace: true },
            proto.DiffResponse.DiffChanges.DIFF_SOME,
            ["a"],
            true,
        ],
    ])("diffs %j against %j", async (news, olds, changes, replaces, deleteFirst) => {
        const diff = await call<proto.DiffRequest, proto.DiffResponse>(
            client.diff,
            request(new proto.DiffRequest(), (made) => {
                made.setNews(encode(news));
                made.setOldInputs(encode(olds));
                made.setOlds(encode({}));
            }),
        );
        expect(diff.getChanges()).toBe(changes);
        expect(diff.getReplacesList()).toEqual(replaces);
        expect(diff.getDeletebeforereplace()).toBe(deleteFirst);
    });

    it("names whole properties in the row, and what changed in them in the details", async () => {
        const paths = ["params.horizon", 'steps["a.b"]', "params.ridge"];
        server.close();
        await connect(
            new ProviderServer({
                version: "1",
                schema: "{}",
                handlers: {
                    "acme:index:Thing": { ...handler, diff: () => Promise.resolve({ changes: paths }) },
                },
            }),
        );
        const diff = await call<proto.DiffRequest, proto.DiffResponse>(
            client.diff,
            request(new proto.DiffRequest()),
        );
        expect(diff.getDiffsList()).toEqual(["params", "steps"]);
        expect([...diff.getDetaileddiffMap().keys()].sort()).toEqual([...paths].sort());
    });

    it("lets an error for users speak for itself, and keeps the stack of a defect", async () => {
        await expect(create({ fail: "user" })).rejects.toMatchObject({ details: "do this instead" });
        await expect(create({ fail: "defect" })).rejects.toMatchObject({
            details: expect.stringMatching(/x is undefined\n\s+at [\s\S]*defect of stackrun/),
        });
    });

    it("answers for a resource that is gone with no id", async () => {
        const read = (id: string) =>
            call<proto.ReadRequest, proto.ReadResponse>(
                client.read,
                request(new proto.ReadRequest(), (made) => made.setId(id)),
            );
        expect((await read("gone")).getId()).toBe("");
        expect(decode((await read("there")).getProperties()).value).toEqual({ id: "there" });
    });

    it("names the types that it has when asked for another one", async () => {
        const other = request(new proto.CreateRequest());
        other.setUrn("urn:pulumi:dev::p::acme:index:Other::name");
        await expect(call(client.create, other)).rejects.toMatchObject({
            details: "unknown resource type acme:index:Other; this plugin has acme:index:Thing",
        });
    });

    it("attaches to an engine, cancels, and takes any configuration without a change", async () => {
        const attach = new PluginAttach();
        attach.setAddress("127.0.0.1:1");
        await call(client.attach, attach);
        await call(client.cancel, new Empty());
        const diff = await call<proto.DiffRequest, proto.DiffResponse>(
            client.diffConfig,
            new proto.DiffRequest(),
        );
        expect(diff.getChanges()).toBe(proto.DiffResponse.DiffChanges.DIFF_NONE);
    });

    it("of the product has a schema that covers what its resources take", async () => {
        server.close();
        await connect(createProvider());
        const response = await call<proto.GetSchemaRequest, proto.GetSchemaResponse>(
            client.getSchema,
            new proto.GetSchemaRequest(),
        );
        const schema = JSON.parse(response.getSchema()) as {
            name: string;
            version: string;
            resources: Record<string, { requiredInputs: string[]; inputProperties: object }>;
        };
        expect(schema).toMatchObject({ name: "stackrun", version });
        for (const { requiredInputs, inputProperties } of Object.values(schema.resources)) {
            expect(Object.keys(inputProperties)).toEqual(expect.arrayContaining(requiredInputs));
        }
    });
});
