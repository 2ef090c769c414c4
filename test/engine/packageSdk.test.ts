import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import manifest from "../../package.json";
import { nodeOf } from "../support/node";
import { pack, projectWithPacked, type Packed } from "../support/packed";

// The oldest and the newest of the range in package.json; the newest one asks for Node 22.
const OLDEST = "3.177.0";
const NEWEST = "3.270.0";

describe("Pulumi's SDK", () => {
    let dir: string;
    let packed: Packed;
    beforeAll(() => {
        dir = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-sdk-"));
        packed = pack(dir);
    }, 120_000);
    afterAll(() => fs.rmSync(dir, { recursive: true }));

    it("is allowed from the oldest version that is tried here", () => {
        expect(manifest.dependencies["@pulumi/pulumi"]).toBe(`^${OLDEST}`);
    });

    it.each([
        [OLDEST, () => process.execPath],
        [NEWEST, () => nodeOf("22.23.3")],
    ])(
        "%s runs a program with an orchestrator in it, and the plugin",
        async (version, node) => {
            const project = await projectWithPacked(packed, [`@pulumi/pulumi@${version}`]);
            try {
                const env = { PATH: `${path.dirname(node())}:${project.searchPath}` };
                // One SDK, which program and plugin share.
                const used = `console.log(require("@pulumi/pulumi/package.json").version, require.resolve("@pulumi/pulumi/package.json")
                    === require.resolve("@pulumi/pulumi/package.json", { paths: ["node_modules/stackrun"] }))`;
                const found = await project.start(node(), ["-e", used]).ended;
                expect(found.stdout).toBe(`${version} true\n`);

                const up = await project.up([], env);
                expect(up.stdout).toContain("one | from the package");
                expect(up.stdout + up.stderr).not.toContain("warning");
                expect([up.code, await project.outputs()]).toEqual([0, { status: "Succeeded" }]);
                const again = await project.up([], env);
                expect([again.code, again.stdout]).toEqual([0, expect.stringContaining("unchanged")]);
                expect(await project.pulumi(["destroy", "--yes", "--stack", "dev"], env)).toMatchObject({
                    code: 0,
                });
            } finally {
                project.dispose();
            }
        },
        300_000,
    );
});
