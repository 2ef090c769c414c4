import { silentLog } from "../../src/provider/engineLog";
import type { CreateRequest, DeleteRequest, DiffRequest, UpdateRequest } from "../../src/provider/handler";
import { gcpCheckHandler } from "../../src/provider/resources/gcpCheck";
import { madeMachineHandler } from "../../src/provider/resources/madeMachine";
import { unknown, type Properties } from "../../src/provider/values";
import { operate, spotInstance, zonePath } from "../support/gcp/client";
import { describeGcp } from "../support/gcp/lane";

describeGcp("the plugin's resources for Compute Engine", {}, (bed) => {
    const before = { ...process.env };
    beforeEach(() => void Object.assign(process.env, bed().env));
    afterEach(async () => {
        process.env = { ...before };
        bed().faults.clear();
        bed().api.denied.clear();
        bed().api.disabled.clear();
        bed().requests.forget();
        for (const { name, zone } of bed().instances.list) {
            await operate(bed(), "DELETE", zonePath(bed(), `instances/${name}`, zone));
        }
    });
    // eslint-disable-next-line jest/no-standalone-expect -- of all tests together: the emulator has all that was asked for
    afterAll(() => expect(bed().api.unknown).toEqual([]));

    const request = (value: Properties, more: object = {}) => ({
        urn: "u",
        preview: false,
        log: silentLog,
        signal: new AbortController().signal,
        inputs: { value, secrets: new Set<string>() },
        oldInputs: { value, secrets: new Set<string>() },
        ...more,
    });

    describe("GcpCheck", () => {
        const good = (): Properties => ({
            attempt: "r-1",
            project: bed().project,
            zones: ["us-central1-a", "us-central1-b"],
            machineType: "e2-standard-2",
            image: "cos-cloud/cos-stable",
            computeEndpoint: `${bed().url}/compute/v1/`,
        });
        const create = (changed: Properties = {}, more: object = {}) =>
            gcpCheckHandler.create(request({ ...good(), ...changed }, more) as unknown as CreateRequest);
        const refusal = (changed: Properties = {}): Promise<string> =>
            create(changed).then(
                () => "nothing",
                (error: Error) => `${error.name}: ${error.message}`,
            );

        test.each<Properties>([
            {},
            { image: "debian-cloud/debian-12-bookworm-v20261110" },
            { image: "projects/cos-cloud/global/images/family/cos-121-lts" },
            {
                image: "https://www.googleapis.com/compute/v1/projects/cos-cloud/global/images/cos-121-18867-199-88",
            },
            { gpuType: "nvidia-l4" },
        ])("finds nothing wrong with %j", async (changed) => {
            expect(await create(changed)).toEqual({ id: "gcp", outputs: {} });
        });

        test("a preview contacts nothing", async () => {
            await create({ zones: ["mars-a"] }, { preview: true });
            expect(bed().requests.all).toEqual([]);
        });

        test("looks with each attempt, and whenever something changes", async () => {
            const diff = (changed: Properties) =>
                gcpCheckHandler.diff({
                    inputs: { ...good(), ...changed },
                    oldInputs: good(),
                } as unknown as DiffRequest);
            expect(await diff({})).toEqual({ changes: [] });
            expect(await diff({ attempt: "r-2" })).toEqual({ changes: ["attempt"] });
            expect(await diff({ project: unknown })).toEqual({ changes: ["project"] });
            const update = gcpCheckHandler.update(
                request({ ...good(), machineType: "e9" }) as unknown as UpdateRequest,
            );
            await expect(update).rejects.toThrow("no machine type e9");
        });

        test("tells all mistakes at once", async () => {
            const text = await refusal({
                zones: ["us-central1-a", "us-central1-z", "europe-west1-b"],
                machineType: "e2-standrd-2",
                image: "cos-cloud/cos-stabel",
                gpuType: "nvidia-l4",
            });
            expect(text.split("\n")).toEqual([
                "ProviderError: 5 mistakes:",
                "- the zone us-central1-a has no machine type e2-standrd-2; did you mean e2-standard-2? Correct `machineType`, or name another zone.",
                expect.stringMatching(
                    /^- there is no zone us-central1-z; did you mean us-central1-[a-f]\? Correct/,
                ),
                "- the zone europe-west1-b has no machine type e2-standrd-2; did you mean e2-standard-2? Correct `machineType`, or name another zone.",
                "- the zone europe-west1-b has no GPU nvidia-l4; there are nvidia-tesla-t4. Correct `gpu.type`, or name another zone.",
                "- there is no boot image cos-cloud/cos-stabel. Correct `bootImage`: project/family or project/image, such as cos-cloud/cos-stable.",
            ]);
        });

        test("tells that a project is not there, and nothing more of it", async () => {
            expect(await refusal({ project: "another", machineType: "e9" })).toMatch(
                /^ProviderError: there is no project another, or it is not yours to see\./,
            );
        });

        test("tells that the API is not enabled, or that nobody is logged in", async () => {
            bed().api.disabled.add("compute");
            expect(await refusal()).toMatch(
                /^ProviderError: the Compute Engine API is not enabled in the project stackrun-test: /,
            );
            bed().api.disabled.clear();
            process.env.GOOGLE_OAUTH_ACCESS_TOKEN = "ya29.expired";
            expect(await refusal()).toMatch(/^ProviderError: Google Cloud does not know who asks/);
            process.env.GOOGLE_OAUTH_ACCESS_TOKEN = "";
            process.env.GOOGLE_CREDENTIALS = "{no json";
            expect(await refusal()).toMatch(
                /^ProviderError: Google Cloud does not know who asks \(GOOGLE_CREDENTIALS\): GOOGLE_CREDENTIALS is neither the path of a file nor JSON: /,
            );
        });

        test("names each permission that is missing, beside the other mistakes", async () => {
            bed().api.denied.add("compute.projects.get").add("compute.machineTypes.get");
            expect((await refusal({ image: "cos-cloud/none" })).split("\n")).toEqual([
                "ProviderError: 4 mistakes:",
                expect.stringMatching(/^- the permission compute\.projects\.get is missing: /),
                expect.stringMatching(
                    /^- the permission compute\.machineTypes\.get is missing: .*us-central1-a/,
                ),
                expect.stringMatching(
                    /^- the permission compute\.machineTypes\.get is missing: .*us-central1-b/,
                ),
                expect.stringMatching(/^- there is no boot image cos-cloud\/none\./),
            ]);
        });
    });

    describe("MadeMachine", () => {
        const name = "stackrun-r-1";
        const inputs = (): Properties => ({
            project: bed().project,
            zones: ["us-central1-a", "us-central1-b"],
            name,
            computeEndpoint: `${bed().url}/compute/v1/`,
        });
        const remove = () => madeMachineHandler.delete(request(inputs()) as unknown as DeleteRequest);
        const make = (zone: string, one = name) => {
            const body = JSON.parse(
                JSON.stringify(spotInstance(bed(), one)).replaceAll(bed().zone, zone),
            ) as object;
            return operate(bed(), "POST", zonePath(bed(), "instances", zone), body);
        };

        test("makes nothing itself", async () => {
            const created = await madeMachineHandler.create(request(inputs()) as unknown as CreateRequest);
            expect(created).toEqual({ id: name, outputs: {} });
            expect(bed().requests.all).toEqual([]);
        });

        test("takes every machine of its name with it, in each of its zones, and no other", async () => {
            await make("us-central1-a");
            await make("us-central1-b");
            await make("us-central1-c");
            await make("us-central1-a", "stackrun-r-2");
            bed().faults.next("instances.delete", { status: 503 });
            await remove();
            expect(bed().contents().instances).toEqual([
                "us-central1-a/stackrun-r-2",
                "us-central1-c/stackrun-r-1",
            ]);
            // Nothing there: as good as removed.
            await remove();
        });

        test("says why it can't take it with it", async () => {
            await make("us-central1-a");
            bed().api.denied.add("compute.instances.delete");
            await expect(remove()).rejects.toMatchObject({
                name: "ProviderError",
                message: expect.stringMatching(
                    /^the permission compute\.instances\.delete is missing: /,
                ) as string,
            });
        });

        test("is another one with another name or project; the zones are only remembered", async () => {
            const diff = (changed: Properties) =>
                madeMachineHandler.diff({
                    inputs: { ...inputs(), ...changed },
                    oldInputs: inputs(),
                } as unknown as DiffRequest);
            expect(await diff({})).toEqual({ changes: [], replace: false });
            expect(await diff({ name: "stackrun-r-2" })).toEqual({ changes: ["name"], replace: true });
            expect(await diff({ zones: ["us-central1-c"] })).toEqual({ changes: ["zones"], replace: false });
        });
    });
});
