import * as fs from "node:fs";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import {
    ArtifactStore,
    BadInputError,
    LocalOrchestrator,
    Orchestrator,
    type DeclaredRun,
    type OrchestratorArgs,
    type StoreKind,
} from "../../src/index";
import { checkedPlace } from "../../components/artifactStore";
import { projectRoot } from "../../components/projectRoot";
import { useFolder } from "../support/folder";
import { Recorder, settled, valueOf } from "../support/mocks";

const BUNDLE = "stackrun:index:StoredBundle";

/** One that uses a store, as one of the users' own would. */
class CloudOrchestrator extends Orchestrator {
    declared?: DeclaredRun;

    constructor(name: string, args: OrchestratorArgs, kinds: readonly StoreKind[] = ["gs"]) {
        super("acme:index:CloudOrchestrator", name, args, {}, undefined, { artifactStore: kinds });
        this.declareRun({
            follower: { module: "none" },
            declare: (run) => {
                this.declared = run;
                return run.store ? [run.store.bundle(`${name}-code`, { parent: this })] : [];
            },
        });
    }
}

/** Its URL is known when it has been made. */
class Bucket extends pulumi.CustomResource {
    declare readonly url: pulumi.Output<string>;

    constructor(name: string) {
        super("acme:index:Bucket", name, { url: undefined });
    }
}

describe("the artifact store of an orchestrator", () => {
    const recorder = new Recorder();
    const newFolder = useFolder();
    let pipeline: string;
    beforeAll(() => recorder.install());
    beforeEach(() => {
        recorder.clear();
        recorder.outputsOf = ({ type }) =>
            type === "stackrun:index:RunId"
                ? { runId: "r1", attempt: 1 }
                : { status: "Succeeded", message: "" };
        pipeline = path.join(newFolder(), "pipeline.yaml");
        fs.writeFileSync(pipeline, "name: p\nsteps: [{name: load, run: ls}]\n");
    });
    afterEach(settled);

    const args = (artifactStore?: OrchestratorArgs["artifactStore"]): OrchestratorArgs => ({
        pipeline,
        artifactStore,
        stateDir: path.join(newFolder(), ".stackrun"),
    });
    // Waited for: an orchestrator reads the folder that the test removes.
    const declaredBy = async (one: OrchestratorArgs, kinds?: readonly StoreKind[]) => {
        const { declared, status } = new CloudOrchestrator("job", one, kinds);
        await valueOf(status);
        await settled();
        return declared;
    };
    const mistakesOf = (make: () => unknown): readonly string[] => {
        try {
            make();
        } catch (error) {
            expect(error).toBeInstanceOf(BadInputError);
            return (error as BadInputError).mistakes;
        }
        throw new Error("was not refused");
    };

    it("is given to the declaration of the target: its URL, rclone's remote, and the code in it", async () => {
        const declared = await declaredBy(args("gs://bucket/some/prefix/"));
        expect(await valueOf(declared!.store!.url)).toBe("gs://bucket/some/prefix");
        expect((await valueOf(declared!.store!.rclone)).remote).toBe("stackrun:bucket/some/prefix");
        expect(recorder.one(BUNDLE)).toMatchObject({
            name: "job-code",
            inputs: {
                store: "gs://bucket/some/prefix",
                codeDir: newFolder(),
                codeHash: recorder.one("stackrun:index:RunId").inputs.code,
                stateDir: path.join(newFolder(), ".stackrun"),
            },
        });
    });

    it("makes no new run when it changes: its URL is no part of what a run is made of", async () => {
        await declaredBy(args("gs://bucket/some"));
        expect(JSON.stringify(recorder.one("stackrun:index:RunId").inputs)).not.toContain("gs://");
    });

    it("is undefined where none is given", async () => {
        expect((await declaredBy(args()))?.store).toBeUndefined();
        expect(recorder.declared.map(({ type }) => type)).not.toContain(BUNDLE);
    });

    it("is an output, or a component that several share", async () => {
        const url = pulumi.output(Promise.resolve("gs://later/x"));
        const store = new ArtifactStore("shared", { url });
        expect(await valueOf(store.url)).toBe("gs://later/x");
        for (const one of [args(url), args(store)]) {
            expect(await valueOf((await declaredBy(one))!.store!.url)).toBe("gs://later/x");
        }
        expect(recorder.one("stackrun:index:ArtifactStore").name).toBe("shared");
    });

    it("may be a path, which is relative to the project's folder", async () => {
        const declared = await declaredBy(args("artifacts"), ["gs", "file"]);
        expect(await valueOf(declared!.store!.url)).toBe(`file://${path.join(projectRoot(), "artifacts")}`);
        expect(await valueOf(new ArtifactStore("store", { url: "/a b" }).url)).toBe("file:///a%20b");
    });

    it("is refused by an orchestrator that makes no use of it, before anything is declared", async () => {
        expect(mistakesOf(() => new LocalOrchestrator("job", args("gs://bucket")))).toEqual([
            'LocalOrchestrator "job": artifactStore has no use here: this orchestrator keeps what steps make in a place of its own. Leave it out',
        ]);
        await settled();
        expect(recorder.declared).toEqual([]);
    });

    it("is refused with all other mistakes, before anything is declared", async () => {
        const wrong = { ...args("s3://bucket"), wait: "no" as unknown as boolean };
        expect(mistakesOf(() => new CloudOrchestrator("job", wrong))).toEqual([
            'CloudOrchestrator "job": wait is "no"; allowed: true, false',
            'CloudOrchestrator "job": artifactStore: "s3://bucket": stores of the kind s3:// are not supported yet; ' +
                "allowed: gs://bucket/prefix, file:///folder, or the path of a folder",
        ]);
        await settled();
        expect(recorder.declared).toEqual([]);
    });

    it("can't be a folder of this machine where the steps run elsewhere", () => {
        const sentence =
            'CloudOrchestrator "job": artifactStore: "folder" is a folder on this machine, which the steps can\'t reach where they run; allowed: gs://bucket/prefix';
        expect(mistakesOf(() => new CloudOrchestrator("job", args("folder")))).toEqual([sentence]);
        const store = new ArtifactStore("store", { url: "folder" });
        expect(mistakesOf(() => new CloudOrchestrator("job", args(store)))).toEqual([sentence]);
    });

    it.each([[7], [null], [{}]])("%j is no store", (value) => {
        const [mistake] = mistakesOf(() => new CloudOrchestrator("job", args(value as unknown as string)));
        expect(mistake).toBe(
            `CloudOrchestrator "job": artifactStore: ${JSON.stringify(value)} is no URL; allowed: a text, or an ArtifactStore`,
        );
    });

    it("of a component is refused, too, before it is declared", async () => {
        expect(mistakesOf(() => new ArtifactStore("store", { url: "gs://B" }))[0]).toMatch(
            /^ArtifactStore "store": url: "gs:\/\/B" names no bucket; allowed: /,
        );
        await settled();
        expect(recorder.declared).toEqual([]);
    });

    it("that an output brings is refused as soon as it is there", () => {
        const place = (text: string) => checkedPlace(text, 'CloudOrchestrator "job"', ["gs"]);
        expect(mistakesOf(() => place("s3://x"))[0]).toContain(
            'CloudOrchestrator "job": artifactStore: "s3://x": stores of the kind s3:// are not supported yet',
        );
        expect(mistakesOf(() => place("folder"))[0]).toContain("is a folder on this machine");
        expect(place("gs://bucket")).toMatchObject({ kind: "gs", bucket: "bucket" });
    });
});

describe("the artifact store in a preview", () => {
    const recorder = new Recorder();
    const newFolder = useFolder();
    beforeAll(() => recorder.install(true));

    it("may be unknown", async () => {
        const pipeline = path.join(newFolder(), "pipeline.yaml");
        fs.writeFileSync(pipeline, "name: p\nsteps: [{name: load, run: ls}]\n");
        const { url } = new Bucket("bucket");
        const stateDir = path.join(newFolder(), ".stackrun");
        const { declared } = new CloudOrchestrator("job", { pipeline, stateDir, artifactStore: url });
        await settled();
        expect(declared?.store).toBeDefined();
        expect(recorder.one(BUNDLE).inputs.store).not.toEqual(expect.stringContaining("gs://"));
    });
});
